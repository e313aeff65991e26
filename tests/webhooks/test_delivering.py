"""From an event to the receiver: in the same transaction, as often as needed, and at least once."""

import base64
import hashlib
import hmac
import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils.timezone import now
from django_q.models import OrmQ

from portal.models import Event
from portal.webhooks import services
from portal.webhooks.models import Delivery, Webhook
from requests_app import services as requests
from tests.webhooks.receiver import hang_up, receiver, wait_for


def let_time_pass() -> None:
    """Whatever waits for its time is due."""
    Delivery.objects.filter(state="waiting").update(due_at=now())
    Webhook.objects.update(quiet_until=None)


def test_the_receiver_hears_what_happened_and_can_check_who_says_so(people, api_for, happens):
    with receiver() as there:
        wanted = {"business_unit": "payments", "url": there.url}
        secret = api_for(people.emil).post("/api/v1/webhooks/", wanted).json()["secret"]
        event = happens(note="between you and me")
        services.deliver_due()

    headers, body = there.got[0]
    signed = f"{headers['Webhook-Id']}.{headers['Webhook-Timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["Webhook-Signature"] == f"v1,{expected}"
    assert abs(int(headers["Webhook-Timestamp"]) - time.time()) < 60
    assert json.loads(body) == {
        "id": headers["Webhook-Id"],
        "type": "request.approve",
        "at": event.at.isoformat(),
        "sequence": event.sequence,
        "business_unit": "payments",
        "subject": "REQ-12",
        "actor": "Bert Example",
        "data": {"state": "approved", "kind": "create", "name": "orders", "attempt": 1},
    }
    delivered = Delivery.objects.get()
    assert (delivered.state, delivered.attempts, delivered.last_status) == ("delivered", 1, 200)


def test_the_outbox_is_written_with_the_event_or_not_at_all(people, hook, happens):
    hook("https://hooks.example/")
    with transaction.atomic():
        happens()
        transaction.set_rollback(True)

    assert not Delivery.objects.exists()
    assert not Event.objects.filter(action="request.approve").exists()


@pytest.mark.django_db(transaction=True)
def test_the_background_cluster_is_told_when_the_event_is_there(people, hook, happens):
    hook("https://hooks.example/")
    with transaction.atomic():
        happens()
        assert not OrmQ.objects.exists()

    assert "portal.webhooks.tasks.deliver" in str(OrmQ.objects.get().func())


def test_only_who_asked_for_it_hears_of_it(people, hook, happens):
    hook("https://a.example/", events=["request.fail"])
    hook("https://b.example/", business_unit=people.retail)
    quiet = hook("https://c.example/")
    services.change(quiet, actor=people.emil, is_active=False)

    happens("approve")
    assert not Delivery.objects.exists()
    happens("fail")
    assert Delivery.objects.get().webhook.url == "https://a.example/"


def test_a_request_on_its_way_is_told_step_by_step(people, catalog, hook, postgres_for_staging):
    with receiver() as there:
        hook(there.url)
        asked = requests.submit(requester=people.anna, **postgres_for_staging)
        requests.approve(asked, actor=people.bert)
        services.deliver_due()

    told = {json.loads(body)["sequence"]: json.loads(body) for _, body in there.got}
    assert [told[number]["type"] for number in sorted(told)] == ["request.submit", "request.approve"]
    assert told[max(told)]["subject"] == asked.ref
    assert told[max(told)]["data"]["state"] == "approved"
    assert "parameters" not in told[max(told)]["data"]


@pytest.mark.parametrize("failure", [500, 404, hang_up, wait_for(1)])
def test_what_fails_is_sent_again_under_the_same_id(hook, happens, failure):
    with receiver(failure, 200) as there:
        hook(there.url)
        happens()
        services.deliver_due()
        waiting = Delivery.objects.get()
        assert (waiting.state, waiting.attempts, bool(waiting.last_problem)) == ("waiting", 1, True)
        assert waiting.due_at > now()

        services.deliver_due()
        assert len(there.got) == 1, "not before its time"
        let_time_pass()
        services.deliver_due()

    assert there.ids == [str(waiting.pk)] * 2
    assert Delivery.objects.get().state == "delivered"
    assert Webhook.objects.get().failures == 0


def test_the_pauses_grow_and_then_it_is_given_up_and_can_be_sent_again(people, api_for, hook, happens):
    pauses = []
    with receiver(500) as there:
        webhook = hook(there.url)
        happens()
        while Delivery.objects.get().state == "waiting":
            services.deliver_due()
            pauses.append((Delivery.objects.get().due_at - now()).total_seconds())
            let_time_pass()

        assert len(there.got) == len(services.PAUSES) + 1
        wanted = [*services.PAUSES]
        assert all(pause - 5 < real < pause * 1.2 for pause, real in zip(wanted, pauses, strict=False))
        dead = Delivery.objects.get()
        assert (dead.state, dead.last_status, dead.last_problem) == ("dead", 500, "It answered with 500.")

        there.answers[:] = [200]
        emil, url = api_for(people.emil), f"/api/v1/webhooks/{webhook.pk}/"
        assert [row["state"] for row in emil.get(f"{url}deliveries/?state=dead").json()["results"]] == [
            "dead"
        ]
        assert emil.post(f"{url}replay/").json() == {"count": 1}
        services.deliver_due()

    assert set(there.ids) == {str(dead.pk)}
    assert Delivery.objects.get().state == "delivered"
    assert Event.objects.filter(action="webhook.replay").exists()


def test_chosen_ones_are_sent_again_and_those_of_others_are_not(people, api_for, hook, happens):
    ours, theirs = hook("https://a.example/"), hook("https://b.example/")
    happens()
    Delivery.objects.update(state="delivered", settled_at=now())
    foreign = Delivery.objects.get(webhook=theirs)

    emil, url = api_for(people.emil), f"/api/v1/webhooks/{ours.pk}/"
    assert emil.post(f"{url}replay/", {"deliveries": [str(foreign.pk)]}).json() == {"count": 0}
    assert emil.post(f"{url}replay/", {"deliveries": [str(ours.deliveries.get().pk)]}).json() == {"count": 1}
    assert Delivery.objects.get(pk=foreign.pk).state == "delivered"


def test_a_wish_to_wait_is_granted(hook, happens):
    with receiver(wait_for(1800)) as there:
        hook(there.url)
        happens()
        services.deliver_due()

    assert Delivery.objects.get().due_at > now() + timedelta(minutes=29)


def test_one_that_is_down_is_left_alone_and_the_others_are_served(hook, happens):
    with receiver(500) as down, receiver(200) as up:
        hook(down.url)
        hook(up.url)
        for number in range(5):
            happens(subject=f"REQ-{number}")
        services.deliver_due()
        first_round = len(down.got)
        Delivery.objects.filter(state="waiting").update(due_at=now())
        services.deliver_due()
        assert (len(up.got), len(down.got)) == (5, first_round), "it rests"

        Webhook.objects.update(quiet_until=now())
        services.deliver_due()
        assert len(down.got) == first_round + 1, "one, to see whether it is back"


def test_what_a_killed_process_had_taken_is_sent_a_minute_later(hook, happens):
    with receiver() as there:
        hook(there.url)
        happens()
        assert len(services._claim()) == 1  # and dies
        services.deliver_due()
        assert there.got == []
        assert now() < Delivery.objects.get().due_at <= now() + timedelta(minutes=1)
        let_time_pass()
        services.deliver_due()

    assert Delivery.objects.get().state == "delivered"


def test_a_late_word_about_an_earlier_attempt_changes_nothing(hook, happens):
    with receiver(500, 200) as there:
        hook(there.url)
        happens()
        (slow,) = services._claim()
        let_time_pass()
        services.deliver_due()
        let_time_pass()
        services.deliver_due()
        services._settle(slow, services.sending.Outcome(500, "late"))

    assert Delivery.objects.get().state == "delivered"


@pytest.mark.django_db(transaction=True)
def test_many_processes_at_once_send_each_once(hook, happens):
    with receiver() as there:
        hook(there.url)
        for number in range(30):
            happens(subject=f"REQ-{number}")

        def work(_: int) -> None:
            try:
                services.deliver_due()
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(work, range(4)))

    assert (
        sorted(Delivery.objects.values_list("state", "attempts", "last_problem"))
        == [("delivered", 1, "")] * 30
    )
    assert len(there.ids) == len(set(there.ids)) == 30


def test_what_is_too_old_is_given_up_and_what_is_settled_is_forgotten(hook, happens):
    hook("https://hooks.example/")
    happens()
    Delivery.objects.update(created_at=now() - services.GIVEN_UP_AFTER - timedelta(minutes=1))
    services.tidy_up()
    assert (Delivery.objects.get().state, Delivery.objects.get().last_problem) == ("dead", services.TOO_OLD)

    Delivery.objects.update(settled_at=now() - services.KEPT_FOR - timedelta(minutes=1))
    services.tidy_up()
    assert not Delivery.objects.exists()


def test_an_address_that_became_private_is_not_called(hook, happens, settings):
    with receiver() as there:
        hook(there.url)
        happens()
        settings.WEBHOOKS_PRIVATE = False
        services.deliver_due()

    assert there.got == []
    assert "private network" in Delivery.objects.get().last_problem


def test_a_trial_arrives(people, api_for, hook):
    with receiver() as there:
        webhook = hook(there.url)
        answer = api_for(people.emil).post(f"/api/v1/webhooks/{webhook.pk}/ping/")
        services.deliver_due()

    assert answer.status_code == 202
    assert json.loads(there.got[0][1])["type"] == "ping"
    assert there.ids == [answer.json()["id"]]
