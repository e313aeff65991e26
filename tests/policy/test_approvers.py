"""A rule can ask for a business unit admin, and then nobody else decides."""

import pytest

from portal.errors import NotAllowed, WrongState
from portal.identity.models import Membership
from portal.identity.roles import Role
from requests_app import services
from requests_app.models import ServiceRequest
from requests_app.states import State


@pytest.fixture
def reserved(rules, ask):
    rules(effect="require_approval", more="from: bu_admin")
    return ask()


def test_the_admin_of_the_business_unit_decides(reserved, people):
    services.approve(reserved, actor=people.emil, note="Agreed.")

    assert reserved.state == State.APPROVED
    assert reserved.decided_by == people.emil


@pytest.mark.parametrize("step", ["approve", "reject"])
def test_an_approver_does_not_and_is_told_who_does(reserved, people, step):
    arguments = {"note": ""} if step == "approve" else {"reason": "No."}

    with pytest.raises(NotAllowed) as refused:
        getattr(services, step)(reserved, actor=people.bert, **arguments)

    assert str(refused.value) == (
        "You are no business unit admin of Payments. A rule asks for a business unit admin to decide, and never the "
        "person who asked."
    )
    assert ServiceRequest.objects.get().state == State.SUBMITTED


def test_an_admin_of_another_business_unit_does_not(reserved, people):
    Membership.objects.create(user=people.carol, business_unit=people.retail, role=Role.BU_ADMIN)

    with pytest.raises(NotAllowed, match="You are no business unit admin of Payments"):
        services.approve(reserved, actor=people.carol)


def test_an_admin_does_not_decide_on_their_own_request(rules, ask, people):
    rules(effect="require_approval", more="from: bu_admin")
    own = ask(requester=people.emil)

    with pytest.raises(NotAllowed, match="You asked for"):
        services.approve(own, actor=people.emil)


def test_an_admin_decides_nothing_that_is_not_reserved(rules, ask, people):
    rules(effect="require_approval")
    ordinary = ask()

    with pytest.raises(NotAllowed, match="You are no approver of Payments"):
        services.approve(ordinary, actor=people.emil)

    services.approve(ordinary, actor=people.bert)
    assert ordinary.decided_by == people.bert


def test_where_rules_ask_for_both_the_admin_decides(rules, ask, people):
    rules("first", effect="require_approval")
    rules("second", effect="require_approval", more="from: bu_admin")
    both = ask()

    assert [finding["approver"] for finding in both.verdict["findings"]] == ["approver", "bu_admin"]
    assert services.steps_for(both, people.bert) == set()
    assert services.steps_for(both, people.emil) == {"approve", "reject"}


def test_it_waits_for_the_admin_and_for_nobody_else(reserved, people, client_for, api_for):
    assert list(ServiceRequest.objects.decidable_by(people.emil)) == [reserved]
    assert list(ServiceRequest.objects.decidable_by(people.bert)) == []

    address = f'href="{reserved.get_absolute_url()}"'
    assert address in client_for(people.emil).get("/approvals/").content.decode()
    assert address not in client_for(people.bert).get("/approvals/").content.decode()
    waiting = api_for(people.emil).get("/api/v1/requests/", {"waiting_for_me": "true"}).json()["results"]
    assert [each["ref"] for each in waiting] == [reserved.ref]
    assert (
        "A rule asks for a business unit admin"
        in client_for(people.anna).get(reserved.get_absolute_url()).content.decode()
    )


def test_the_preview_names_who_would_decide(rules, people, catalog, postgres_for_staging):
    rules(effect="require_approval", more="from: bu_admin")
    wanted = {"requester": people.anna, **postgres_for_staging}

    assert services.preview(**wanted).approvers == [people.emil]

    Membership.objects.filter(user=people.emil).delete()
    assert services.preview(**wanted).approvers == []


def test_what_was_asked_for_stays_with_its_request(reserved, rules, people):
    rules()  # the rules of the next release

    with pytest.raises(NotAllowed):
        services.approve(reserved, actor=people.bert)
    services.approve(reserved, actor=people.emil)
    with pytest.raises(WrongState):
        services.approve(reserved, actor=people.emil)
