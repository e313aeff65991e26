"""Who makes webhooks, and what is kept of them."""

import json
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection
from django_q.models import Schedule

from portal.models import Event
from portal.webhooks import outbox, services
from portal.webhooks.models import Delivery, Webhook
from requests_app.states import TRANSITIONS

URL = "/api/v1/webhooks/"
HOOK = "https://hooks.example/room/secret-path"


@pytest.fixture
def emil(people, api_for):
    return api_for(people.emil)


@pytest.fixture
def made(emil):
    return emil.post(URL, {"business_unit": "payments", "url": HOOK}).json()


def test_an_administrator_of_the_unit_makes_one_and_sees_its_secret_once(emil):
    made = emil.post(URL, {"business_unit": "payments", "url": HOOK, "events": ["request.fail"]})
    body = made.json()

    assert made.status_code == 201
    assert body["secret"].startswith("whsec_")
    assert (body["events"], body["is_active"], body["created_by"]) == (["request.fail"], True, "emil")
    assert "secret" not in emil.get(f"{URL}{body['id']}/").json()
    assert "secret" not in emil.get(URL).json()["results"][0]


def test_an_operator_does_it_for_any_unit(people, api_for):
    made = api_for(people.olga).post(URL, {"business_unit": "retail", "url": HOOK})

    assert made.status_code == 201
    assert made.json()["events"] == list(outbox.EVENTS)


@pytest.mark.parametrize("name", ["anna", "bert", "dora"])
def test_others_of_the_unit_may_not_and_do_not_see_any(people, api_for, made, name):
    client = api_for(getattr(people, name))
    refused = client.post(URL, {"business_unit": "payments", "url": HOOK})

    assert (refused.status_code, refused.json()["code"]) == (403, "NotAllowed")
    assert client.get(URL).json()["results"] == []
    assert client.get(f"{URL}{made['id']}/").status_code == 404


def test_a_stranger_hears_of_nothing(people, api_for, made):
    carol = api_for(people.carol)
    unknown = {"url": HOOK, "business_unit": "nothing-there"}
    refused = [carol.post(URL, {**unknown, "business_unit": name}) for name in ("payments", "nothing-there")]

    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(400, "InvalidInput")] * 2
    assert refused[0].json()["message"] == refused[1].json()["message"].replace("nothing-there", "payments")
    for method, path in [
        ("get", ""), ("patch", ""), ("delete", ""), ("post", "rotate/"), ("post", "ping/"), ("post", "replay/"),
        ("get", "deliveries/"),
    ]:  # fmt: skip
        assert getattr(carol, method)(f"{URL}{made['id']}/{path}", {}).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "ftp://x.example"}, "url"),
        ({"url": "https://user:pw@x.example/"}, "url"),
        ({"url": "https://169.254.169.254/"}, "url"),
        ({"url": "x" * 501}, "url"),
        ({"url": None}, "url"),
        ({"events": ["request.explode"]}, "events.0"),
        ({"events": "request.fail"}, "events"),
        ({"business_unit": ""}, "business_unit"),
        ({"secret": "whsec_mine"}, "secret"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(emil, body, field):
    refused = emil.post(URL, {"business_unit": "payments", "url": HOOK, **body})

    assert refused.status_code == 400
    assert [name for name in refused.json()["problems"] if name.startswith(field)]


def test_the_secret_is_encrypted_and_written_nowhere_else(made, people):
    secret = made["secret"]
    assert secret.encode() not in bytes(Webhook.objects.get().secret)
    assert secret.removeprefix("whsec_") not in json.dumps(
        list(Event.objects.values("data", "note", "subject"))
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM webhooks_webhook")
        assert secret.removeprefix("whsec_")[:16] not in str(cursor.fetchall())


def test_what_is_done_is_in_the_trail_without_the_path_of_the_address(emil, made):
    url = f"{URL}{made['id']}/"
    emil.patch(url, {"events": ["request.succeed"], "is_active": False})
    emil.post(f"{url}rotate/")
    emil.delete(url)

    events = Event.objects.filter(action__startswith="webhook.").order_by("sequence")
    assert [event.action.partition(".")[2] for event in events] == ["create", "change", "rotate", "remove"]
    assert {event.data["host"] for event in events} == {"hooks.example"}
    assert "secret-path" not in json.dumps([[event.data, event.subject, event.note] for event in events])
    assert not Webhook.objects.exists()


def test_a_change_is_checked_like_the_making(emil, made):
    url = f"{URL}{made['id']}/"

    assert "url" in emil.patch(url, {"url": "https://127.0.0.1.example/#x"}).json()["problems"]
    assert "colour" in emil.patch(url, {"colour": "red"}).json()["problems"]
    changed = emil.patch(url, {"url": "https://new.example/"}).json()
    assert (changed["url"], changed["events"]) == ("https://new.example/", made["events"])


def test_a_new_secret_is_another_one(emil, made):
    rotated = emil.post(f"{URL}{made['id']}/rotate/").json()

    assert rotated["secret"].startswith("whsec_")
    assert rotated["secret"] != made["secret"]


def test_a_unit_has_ten_at_most(emil, people):
    for number in range(services.MOST):
        emil.post(URL, {"business_unit": "payments", "url": f"https://hooks.example/{number}"})

    refused = emil.post(URL, {"business_unit": "payments", "url": HOOK})

    assert refused.status_code == 400
    assert "10 webhooks already" in refused.json()["problems"]["business_unit"]


def test_one_that_is_switched_off_sends_no_trial(emil, made):
    url = f"{URL}{made['id']}/"
    emil.patch(url, {"is_active": False})

    assert emil.post(f"{url}ping/").status_code == 409
    assert emil.post(f"{url}replay/", {"deliveries": [str(uuid4())]}).status_code == 409


def test_what_can_be_asked_for_is_what_happens_to_requests():
    assert set(outbox.EVENTS) == {"request.submit", *(f"request.{step}" for step in TRANSITIONS)}


def test_the_sweep_is_scheduled(db):
    call_command("ensure_schedules")

    functions = dict(Schedule.objects.values_list("func", "minutes"))
    assert functions["portal.webhooks.tasks.deliver"] == 1
    assert functions["portal.webhooks.tasks.tidy_up"] == 60
    assert functions["portal.idempotency.forget_old"] == 60


def test_operators_look_at_them_in_the_admin_and_send_again(people, client_for, hook, happens):
    hook(HOOK)
    happens()
    Delivery.objects.update(state="dead", settled_at="2026-01-01T00:00:00Z")
    olga = client_for(people.olga)

    page = olga.get("/admin/webhooks/webhook/").content.decode()
    assert "hooks.example" in page
    assert "secret-path" not in page
    action = {"action": "send_again", "_selected_action": [str(Delivery.objects.get().pk)]}
    assert (
        "1 on their way again."
        in olga.post("/admin/webhooks/delivery/", action, follow=True).content.decode()
    )
    assert Delivery.objects.get().state == "waiting"
