"""Nobody decides on their own request: by no way in, and in the rule, the transition and the database alike."""

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from portal.errors import NotAllowed, WrongState
from portal.identity import tokens
from portal.identity.models import Membership, User
from portal.identity.roles import Role
from requests_app import approval, services
from requests_app.models import ServiceRequest
from requests_app.states import State
from tests.permissions.world import OWN

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(world):
    """Who asked for what waits, and has every role and the platform besides."""
    side = world.sides[OWN]
    for role in Role:
        Membership.objects.get_or_create(user=side.asker, business_unit=side.unit, role=role)
    User.objects.filter(pk=side.asker.pk).update(is_staff=True, is_superuser=True)
    return User.objects.get(pk=side.asker.pk)


@pytest.fixture
def waiting(world):
    return ServiceRequest.objects.get(pk=world.sides[OWN].waiting.pk)


@pytest.mark.parametrize("role", [Role.APPROVER, Role.BU_ADMIN])
def test_by_no_way_in(role, boss, waiting, world):
    ServiceRequest.objects.filter(pk=waiting.pk).update(approver_role=role)
    page = world.signed_in("requester")
    _, plain = tokens.issue(boss, "boss")
    bearer = {"Authorization": f"Bearer {plain}"}

    for step, said in (("approve", {}), ("reject", {"note": "no", "reason": "no"})):
        api = f"/api/v1/requests/{waiting.pk}/{step}/"
        body = {name: said[name] for name in said if name == "reason"}
        assert page.post(f"/requests/{waiting.pk}/{step}/", said).status_code == 403
        for client, headers in ((page, {}), (Client(), bearer)):
            refused = client.post(api, body, content_type="application/json", headers=headers)
            assert refused.status_code == 403
            assert "yourself" in refused.json()["message"]
    chosen = {"action": "approve", "_selected_action": [waiting.pk]}
    page.post("/admin/requests_app/servicerequest/", chosen)
    waiting.refresh_from_db()
    assert waiting.state == State.SUBMITTED


def test_in_the_rule(boss, waiting):
    assert not approval.may("approve", boss, waiting)
    with pytest.raises(NotAllowed, match="yourself"):
        services.approve(waiting, actor=boss)


def test_in_the_transition(boss, waiting, world):
    """Whatever the rule has seen: the row that is changed must be of somebody else."""
    waiting.requester_id = world.users["viewer"].pk

    with pytest.raises(WrongState):
        services.approve(waiting, actor=boss)

    assert ServiceRequest.objects.get(pk=waiting.pk).state == State.SUBMITTED


def test_in_the_database(boss, waiting):
    with pytest.raises(IntegrityError), transaction.atomic():
        ServiceRequest.objects.filter(pk=waiting.pk).update(state=State.APPROVED, decided_by=boss)


def test_it_is_nobodys_work_to_do(boss, world):
    assert world.sides[OWN].waiting not in ServiceRequest.objects.decidable_by(boss)
    proposal = services.preview(
        requester=boss, item="postgresql", business_unit=OWN, environment="staging", region="northeurope",
        name="more", parameters=world.sides[OWN].waiting.parameters,
    )  # fmt: skip
    assert boss not in proposal.approvers


# ── why ─────────────────────────────────────────────────────────────────────────────────────────────────────


def answers(user, service_request):
    return {each.step: (each.allowed, each.because) for each in approval.explain(user, service_request)}


def test_the_page_of_a_request_says_why_one_may_or_may_not(waiting, world):
    page = world.signed_in("approver").get(f"/requests/{waiting.pk}/permissions/").content.decode()

    assert "As Approver (given by the platform team)." in page
    assert f"Only the requester and operators may cancel {waiting.ref}." in page


def test_the_api_says_the_same(waiting, world):
    said = Client().get(
        f"/api/v1/requests/{waiting.pk}/permissions/",
        headers={"Authorization": f"Bearer {world.tokens['requester']}"},
    )

    steps = {each["step"]: (each["allowed"], each["because"]) for each in said.json()}
    assert steps["approve"][0] is False
    assert steps["approve"][1].startswith(f"You asked for {waiting.ref} yourself.")
    assert steps["cancel"] == (True, "You asked for it. As Requester (given by the platform team).")
    assert steps["stop"] == (False, f"Not now: {waiting.ref} is waiting for approval.")


def test_what_is_said_is_what_happens(world):
    side = world.sides[OWN]
    for service_request in (side.waiting, side.approved, side.running, side.failed):
        for name in ("viewer", "requester", "approver", "auditor", "bu_admin", "operator", "machine"):
            user = User.objects.get(pk=world.users[name].pk)
            allowed = {step for step, (yes, _) in answers(user, service_request).items() if yes}
            assert allowed == services.steps_for(service_request, user), f"{name} {service_request.name}"


def test_a_role_that_has_ended_is_named(waiting, world):
    side, bert = world.sides[OWN], User.objects.get(pk=world.users["approver"].pk)
    bert.memberships.update(expires_at=waiting.submitted_at)

    allowed, because = answers(User.objects.get(pk=bert.pk), waiting)["approve"]

    assert not allowed
    assert f"You are no approver of {side.unit}." in because
    assert "The role Approver ended on" in because


def test_an_asker_without_a_role_is_told_so(waiting, world):
    world.users["requester"].memberships.all().delete()
    asker = User.objects.get(pk=world.users["requester"].pk)

    assert answers(asker, waiting)["cancel"][1].startswith(
        f"You asked for {waiting.ref}, and do not have the role"
    )
