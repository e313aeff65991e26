"""How long something stays: asked for, agreed, extended, and over."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from portal import audit
from portal.errors import InvalidInput, NotAllowed, PolicyRefused, WrongState
from portal.identity.models import Membership, User
from portal.models import Event
from requests_app import lifetime, services, tasks
from requests_app.models import Deployment, ServiceRequest
from requests_app.states import DeploymentState, Kind, State
from tests.requests.support import make_ready, start

DAY = timedelta(days=1)
NO_MORE_THAN_WEEKS = """
rules:
  - id: weeks
    version: 1
    title: Nothing stays for more than two weeks
    stage: request
    effect: {effect}
    assert: "!has(request.ttl_days) || request.ttl_days == null || request.ttl_days <= 14.0"
    field: ttl_days
    message: Nothing stays for more than two weeks.
    tests:
      - {{name: short, request: {{ttl_days: 14}}, expect: pass}}
      - {{name: long, request: {{ttl_days: 15}}, expect: fail}}
"""


def wanted(**changes):
    where = {"business_unit": "payments", "environment": "dev", "region": "northeurope"}
    return {"item": "space", "name": "atlas", "parameters": {}, **where, **changes}


@pytest.fixture
def space(shelf):
    """In development 30 days unless somebody says otherwise, and 90 at most."""
    return shelf.put()


@pytest.fixture
def atlas(space, people):
    return make_ready(services.submit(requester=people.anna, **wanted()))


def time_passes(deployment, days):
    """As if it had been made so many days earlier."""
    deployment.expires_at -= days * DAY
    deployment.save(update_fields=["expires_at"])


def days_of(deployment):
    deployment.refresh_from_db()
    return round((deployment.expires_at - now()) / DAY, 2)


# ── agreed ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("asked", "agreed"), [(None, 30), (1, 1), (90, 90)])
def test_the_days_count_from_the_end_of_the_run(space, people, asked, agreed):
    service_request = services.submit(requester=people.anna, **wanted(ttl_days=asked))
    assert service_request.ttl_days == agreed
    assert service_request.deployment.expires_at is None

    assert days_of(make_ready(service_request)) == agreed


@pytest.mark.parametrize("asked", [0, -1, 91, 10**9, 1.5, "7", True])
def test_more_than_the_item_allows_is_refused_with_the_limits(space, people, asked):
    with pytest.raises(InvalidInput) as refused:
        services.submit(requester=people.anna, **wanted(ttl_days=asked))

    assert refused.value.problems == {
        "ttl_days": "Choose 1 to 90 days: Space stays no longer in Development."
    }


def test_where_the_item_says_nothing_there_is_no_end_unless_somebody_wants_one(space, people):
    forever = services.submit(requester=people.anna, **wanted(environment="staging"))
    a_year = services.submit(requester=people.anna, **wanted(environment="prod", ttl_days=365))

    assert make_ready(forever, people.bert).expires_at is None
    assert days_of(make_ready(a_year, people.bert)) == 365
    with pytest.raises(InvalidInput, match="Choose 1 to 3650 days"):
        services.submit(requester=people.anna, **wanted(environment="prod", name="other", ttl_days=4000))


def test_a_change_keeps_the_end_or_names_another(atlas, people):
    time_passes(atlas, 10)
    make_ready(services.submit_update(requester=people.anna, deployment=atlas, parameters={"purpose": "a"}))
    assert days_of(atlas) == 20

    longer = services.submit_update(
        requester=people.anna, deployment=atlas, parameters={"purpose": "b"}, ttl_days=60
    )
    assert days_of(atlas) == 20  # until it has happened
    make_ready(longer)
    assert days_of(atlas) == 60


def test_what_a_create_left_behind_has_an_end_too(space, people):
    service_request = start(services.submit(requester=people.anna, **wanted()))
    services.fail(service_request, "it broke", changed=True, resources=[{"address": "a"}])

    deployment = service_request.deployment
    assert days_of(deployment) == 30
    assert deployment.state == DeploymentState.INCOMPLETE


def test_a_failed_change_leaves_the_end_as_it_is(atlas, people):
    asked = services.submit_update(
        requester=people.anna, deployment=atlas, parameters={"purpose": "a"}, ttl_days=90
    )
    services.fail(start(asked), "it broke", changed=True, resources=[{"address": "a"}])

    assert days_of(atlas) == 30


def test_rules_see_the_days(space, settings, people):
    (settings.POLICY_FOLDER / "rules.yaml").write_text(NO_MORE_THAN_WEEKS.format(effect="deny"))

    with pytest.raises(PolicyRefused) as refused:
        services.submit(requester=people.anna, **wanted())

    assert "ttl_days" in refused.value.problems
    assert services.submit(requester=people.anna, **wanted(ttl_days=14))


# ── extended ────────────────────────────────────────────────────────────────────────────────────────────────


def test_it_is_extended_from_today_and_that_is_written_down(atlas, people):
    time_passes(atlas, 25)

    lifetime.extend(atlas, actor=people.anna)
    assert days_of(atlas) == 30
    lifetime.extend(atlas, actor=people.emil, ttl_days=90)
    assert days_of(atlas) == 90

    first, second = Event.objects.filter(action="deployment.extend").order_by("sequence")
    assert (first.actor, second.actor) == (people.anna, people.emil)
    assert first.subject == "atlas (space)"
    assert first.business_unit == people.payments
    assert first.note == f"Until {now() + 30 * DAY:%-d %b %Y}"
    assert audit.verify().problem == ""


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (91, "Choose 1 to 90 days"),
        (0, "Choose 1 to 90 days"),
        (5, "already: choose more days"),
    ],
)
def test_an_extension_stays_within_the_limits_and_is_one(atlas, people, days, said):
    with pytest.raises(InvalidInput) as refused:
        lifetime.extend(atlas, actor=people.anna, ttl_days=days)

    assert said in refused.value.problems["ttl_days"]
    assert days_of(atlas) == 30


def test_it_is_extended_by_requesters_of_its_business_unit(atlas, people):
    for stranger in (people.bert, people.carol, people.dora, people.olga):
        with pytest.raises(NotAllowed, match="Only requesters of Payments may change atlas"):
            lifetime.extend(atlas, actor=stranger, ttl_days=60)


def test_what_has_no_end_cannot_be_extended(space, people):
    deployment = make_ready(
        services.submit(requester=people.anna, **wanted(environment="staging")), people.bert
    )

    with pytest.raises(WrongState, match="atlas has no end, so there is nothing to extend"):
        lifetime.extend(deployment, actor=people.anna, ttl_days=5)


def test_what_is_being_removed_cannot_be_extended_until_that_is_cancelled(atlas, people):
    removal = services.submit_destroy(requester=people.anna, deployment=atlas)

    with pytest.raises(WrongState, match=f"{removal.ref} removes atlas: cancel that first"):
        lifetime.extend(atlas, actor=people.anna, ttl_days=60)

    services.cancel(removal, actor=people.anna)
    lifetime.extend(atlas, actor=people.anna, ttl_days=60)
    assert days_of(atlas) == 60


def test_a_change_that_is_open_does_not_stand_against_more_time(space, people):
    asked = services.submit(requester=people.anna, **wanted(environment="prod", ttl_days=20))
    deployment = make_ready(asked, people.bert)
    services.submit_update(requester=people.anna, deployment=deployment, parameters={"purpose": "x"})

    lifetime.extend(deployment, actor=people.anna, ttl_days=60)

    assert days_of(deployment) == 60


@pytest.mark.parametrize(
    ("effect", "error"), [("deny", PolicyRefused), ("require_approval", InvalidInput), ("warn", None)]
)
def test_rules_about_the_days_hold_for_an_extension(atlas, settings, people, effect, error):
    time_passes(atlas, 25)
    (settings.POLICY_FOLDER / "rules.yaml").unlink()
    settings.POLICY_FOLDER = settings.POLICY_FOLDER.parent / effect
    settings.POLICY_FOLDER.mkdir()
    (settings.POLICY_FOLDER / "rules.yaml").write_text(NO_MORE_THAN_WEEKS.format(effect=effect))

    if error:
        with pytest.raises(error) as refused:
            lifetime.extend(atlas, actor=people.anna, ttl_days=60)
        assert "Nothing stays for more than two weeks." in refused.value.problems["ttl_days"]
        lifetime.extend(atlas, actor=people.anna, ttl_days=14)
        assert days_of(atlas) == 14
    else:
        lifetime.extend(atlas, actor=people.anna, ttl_days=60)
        assert days_of(atlas) == 60


# ── over ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def expired(atlas):
    time_passes(atlas, 31)
    return atlas


def removals():
    return ServiceRequest.objects.filter(kind=Kind.DESTROY).order_by("pk")


def test_what_has_expired_is_removed_without_anybody_deciding(expired, people):
    tasks.remove_expired()

    (removal,) = removals()
    assert (removal.state, removal.requester, removal.on_expiry) == (State.APPROVED, people.anna, True)
    assert (removal.decided_automatically, removal.decided_by) == (True, None)
    make_ready(removal)
    expired.refresh_from_db()
    assert expired.state == DeploymentState.DESTROYED


def test_the_audit_trail_says_that_the_portal_asked_and_why(expired):
    tasks.remove_expired()

    asked, approved = Event.objects.about(removals().get().ref).order_by("sequence")
    assert (asked.action, asked.actor, asked.actor_label) == ("request.submit", None, "Groundwork")
    assert asked.note == ("In the name of Anna Example: Its time is over, as agreed when it was asked for.")
    assert (approved.action, approved.actor) == ("request.approve", None)
    assert approved.note == "Its time is over, as agreed when it was asked for."


def test_a_removal_is_asked_for_once(expired):
    for _ in range(3):
        tasks.remove_expired()

    assert removals().count() == 1


def test_nothing_is_removed_before_its_time(atlas):
    time_passes(atlas, 29.99)

    tasks.remove_expired()

    assert not removals().exists()


def test_it_is_removed_though_its_owner_has_left(expired, people):
    Membership.objects.all().delete()
    User.objects.filter(pk=people.anna.pk).update(is_active=False)

    tasks.remove_expired()

    assert removals().get().state == State.APPROVED


def test_in_production_too_nobody_has_to_decide_again(space, people):
    asked = services.submit(requester=people.anna, **wanted(environment="prod", ttl_days=20))
    time_passes(make_ready(asked, people.bert), 21)

    tasks.remove_expired()

    assert removals().get().state == State.APPROVED


def test_an_open_request_delays_the_removal(expired, people):
    change = services.submit_update(requester=people.anna, deployment=expired, parameters={"purpose": "x"})
    tasks.remove_expired()
    assert not removals().exists()

    make_ready(change)
    tasks.remove_expired()
    assert removals().count() == 1


def test_a_removal_that_failed_is_left_to_people(expired, people):
    tasks.remove_expired()
    services.fail(start(removals().get()), "it broke", changed=False)

    tasks.remove_expired()
    assert removals().count() == 1

    services.retry(removals().get(), actor=people.anna)
    make_ready(removals().get())
    expired.refresh_from_db()
    assert expired.state == DeploymentState.DESTROYED


def test_after_an_extension_it_is_asked_for_again(expired, people):
    tasks.remove_expired()
    services.fail(start(removals().get()), "it broke", changed=False)
    lifetime.extend(expired, actor=people.anna, ttl_days=10)
    time_passes(expired, 11)
    ServiceRequest.objects.filter(kind=Kind.DESTROY).update(submitted_at=now() - 11.5 * DAY)

    tasks.remove_expired()

    assert removals().count() == 2


def test_who_cancels_the_removal_does_not_get_more_time(expired, people):
    tasks.remove_expired()
    services.cancel(removals().get(), actor=people.anna)

    tasks.remove_expired()

    assert [removal.state for removal in removals()] == [State.CANCELLED, State.APPROVED]


def test_a_rule_that_forbids_removals_delays_it(expired, settings):
    settings.POLICY_FOLDER = settings.POLICY_FOLDER.parent / "frozen"
    settings.POLICY_FOLDER.mkdir()
    text = NO_MORE_THAN_WEEKS.format(effect="deny").replace("ttl_days", "kind")
    text = text.partition("    assert:")[0] + (
        "    assert: request.kind != 'destroy'\n    message: Not now.\n    tests:\n"
        "      - {name: a, request: {kind: create}, expect: pass}\n"
        "      - {name: b, request: {kind: destroy}, expect: fail}\n"
    )
    (settings.POLICY_FOLDER / "rules.yaml").write_text(text)

    tasks.remove_expired()

    assert not removals().exists()


def test_one_that_cannot_be_removed_does_not_hold_up_the_others(expired, people, shelf):
    second = make_ready(services.submit(requester=people.anna, **wanted(name="second")))
    time_passes(second, 31)
    services.submit_update(requester=people.anna, deployment=expired, parameters={"purpose": "x"})

    tasks.remove_expired()

    assert [removal.deployment for removal in removals()] == [second]


def test_the_sweep_needs_as_many_queries_for_none_as_for_many_that_live(
    atlas, people, django_assert_num_queries
):
    for number in range(5):
        make_ready(services.submit(requester=people.anna, **wanted(name=f"atlas-{number}")))

    with django_assert_num_queries(1):
        tasks.remove_expired()


# ── pages and API ───────────────────────────────────────────────────────────────────────────────────────────


def test_the_form_names_the_limits_and_the_panel_the_end(space, people, client_for):
    anna = client_for(people.anna)

    page = anna.get("/catalog/space/request/").content.decode()
    panel = anna.post(
        "/catalog/space/request/check/",
        {**wanted(), "ttl_days": "45"},
        headers={"HX-Request": "true"},
    ).content.decode()

    assert "Development: 30 days if you leave it empty, at most 90. Elsewhere it stays until" in page
    assert "45 days later it is removed" in panel


def test_a_wrong_number_of_days_comes_back_as_it_was_typed(space, people, client_for):
    response = client_for(people.anna).post("/catalog/space/request/", {**wanted(), "ttl_days": "soon"})

    assert response.status_code == 400
    assert "Choose 1 to 90 days" in response.content.decode()
    assert 'value="soon"' in response.content.decode()


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        (0, None), (22.5, None), (23.5, "removed in 7 days"), (28.5, "removed in 2 days"),
        (29.5, "removed within a day"), (30.5, "Its time is over"),
    ],
)  # fmt: skip
def test_the_end_is_announced_seven_days_and_one_day_before(atlas, people, client_for, gone, said):
    anna = client_for(people.anna)
    time_passes(atlas, gone)

    page = anna.get(atlas.get_absolute_url()).content.decode()
    rows = anna.get("/resources/").content.decode()

    assert f"{atlas.expires_at:%-d %b %Y}" in page
    if said:
        assert said in page
        assert said.capitalize() in rows or said in rows
    else:
        assert "emoved in" not in page + rows


def test_it_is_extended_with_a_button(atlas, people, client_for):
    time_passes(atlas, 25)
    anna, path = client_for(people.anna), f"{atlas.get_absolute_url()}extend/"

    refused = anna.post(path, {"ttl_days": "91"})
    assert refused.status_code == 400
    assert "Choose 1 to 90 days" in refused.content.decode()
    assert 'value="91"' in refused.content.decode()

    assert anna.post(path, {"ttl_days": "60"})["Location"] == atlas.get_absolute_url()
    assert days_of(atlas) == 60


def test_who_cannot_extend_it_has_no_button(atlas, people, client_for):
    bert, carol, path = (
        client_for(people.bert),
        client_for(people.carol),
        f"{atlas.get_absolute_url()}extend/",
    )

    assert path not in bert.get(atlas.get_absolute_url()).content.decode()
    assert bert.post(path, {"ttl_days": "60"}).status_code == 403
    assert carol.post(path, {"ttl_days": "60"}).status_code == 404
    assert bert.get(path).status_code == 405
    assert days_of(atlas) == 30


def test_the_page_names_the_removal_that_failed(expired, people, client_for):
    tasks.remove_expired()
    services.fail(start(removals().get()), "it broke", changed=False)

    page = client_for(people.anna).get(expired.get_absolute_url()).content.decode()

    assert f"{removals().get().ref}</a> should have removed it and failed." in page


def test_the_page_of_such_a_removal_says_why_it_is(expired, people, client_for):
    tasks.remove_expired()

    page = client_for(people.anna).get(removals().get().get_absolute_url()).content.decode()

    assert "in the name of Anna Example" in page
    assert "Its time is over, as agreed when it was asked for" in page


def test_the_api_takes_the_days_and_extends(atlas, people, api_for):
    anna = api_for(people.anna)
    path = f"/api/v1/deployments/{atlas.pk}/"

    made = anna.post("/api/v1/requests/", wanted(name="other", ttl_days=7)).json()
    assert (made["ttl_days"], made["on_expiry"]) == (7, False)
    assert anna.post("/api/v1/requests/check/", wanted(name="third")).json()["ttl_days"] == 30
    assert anna.get(path).json()["changes"] == ["destroy", "extend", "update"]

    refused = anna.post(f"{path}extend/", {"ttl_days": 91})
    assert (refused.status_code, list(refused.json()["problems"])) == (400, ["ttl_days"])
    extended = anna.post(f"{path}extend/", {"ttl_days": 60})
    assert extended.status_code == 200
    assert extended.json()["expires_at"] == Deployment.objects.get(
        pk=atlas.pk
    ).expires_at.isoformat().replace("+00:00", "Z")
    assert days_of(atlas) == 60
    assert api_for(people.carol).post(f"{path}extend/", {}).status_code == 404
    assert api_for(people.bert).post(f"{path}extend/", {}).status_code == 403
