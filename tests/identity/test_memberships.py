"""Who gives roles, to whom, and what nobody can do for themselves."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils.timezone import now

from portal.errors import InvalidInput, NotAllowed, WrongState
from portal.identity import people as roles
from portal.identity.models import BusinessUnit, EntraMapping, Membership, ServiceAccount, User
from portal.identity.roles import CAN, PEOPLE_ONLY, Permission, Role
from portal.models import Event

PEOPLE = "/units/payments/people/"
GROUP = "33333333-3333-4333-8333-333333333333"


@pytest.fixture
def robot(db):
    return ServiceAccount.objects.create(username="pipeline", auth_source=User.Source.SERVICE)


def held(user, unit):
    return {
        role for pk, found in User.objects.get(pk=user.pk).roles.items() if pk == unit.pk for role in found
    }


def test_an_administrator_gives_a_role_changes_it_and_withdraws_it(people, client_for):
    emil = client_for(people.emil)
    given = emil.post(PEOPLE, {"username": "carol", "role": "viewer", "expires": ""})
    assert (given.status_code, held(people.carol, people.payments)) == (302, {Role.VIEWER})

    row = Membership.objects.get(user=people.carol, business_unit=people.payments)
    day = now().date() + timedelta(days=30)
    emil.post(f"{PEOPLE}{row.pk}/", {"role": "approver", "expires": day.isoformat()})
    assert held(people.carol, people.payments) == {Role.APPROVER}
    row.refresh_from_db()
    assert (row.granted_by, row.last_day) == (people.emil, day)

    emil.post(f"{PEOPLE}{row.pk}/remove/")
    assert not held(people.carol, people.payments)
    events = Event.objects.filter(action__startswith="identity.").order_by("sequence")
    assert [(event.action, event.actor, event.business_unit) for event in events] == [
        (f"identity.{step}", people.emil, people.payments) for step in ("grant", "change", "withdraw")
    ]
    assert events[1].note == f"Approver, until {day}, was Viewer"
    assert events[0].data["user"] == "carol"


def test_an_operator_gives_the_first_administrator(people, client_for):
    page = client_for(people.olga).post("/units/data/people/", {"username": "carol", "role": "bu_admin"})

    assert page.status_code == 302
    assert held(people.carol, people.data) == {Role.BU_ADMIN}


@pytest.mark.parametrize("name", ["anna", "bert", "dora", "carol"])
def test_nobody_else_manages_people(people, client_for, name):
    client, row = client_for(getattr(people, name)), Membership.objects.get(user=people.anna)

    assert client.get(PEOPLE).status_code == 404
    assert client.post(PEOPLE, {"username": "carol", "role": "viewer"}).status_code == 404
    assert client.post(f"{PEOPLE}{row.pk}/", {"role": "approver"}).status_code == 404
    assert client.post(f"{PEOPLE}{row.pk}/remove/").status_code == 404
    with pytest.raises(NotAllowed):
        roles.grant(
            actor=getattr(people, name), user=people.carol, business_unit=people.payments, role="viewer"
        )


def test_an_administrator_has_no_say_in_another_business_unit(people, client_for):
    row = Membership.objects.get(user=people.carol)

    assert client_for(people.emil).get("/units/retail/people/").status_code == 404
    assert client_for(people.emil).post(f"{PEOPLE}{row.pk}/remove/").status_code == 404
    with pytest.raises(NotAllowed):
        roles.withdraw(row, actor=people.emil)


@pytest.mark.parametrize("name", ["emil", "olga"])
def test_nobody_changes_their_own_roles(people, client_for, name):
    user = getattr(people, name)
    Membership.objects.get_or_create(user=user, business_unit=people.payments, role=Role.VIEWER)
    before = set(Membership.objects.filter(user=user).values_list("role", "expires_at"))
    own, client = Membership.objects.filter(user=user).earliest("pk"), client_for(user)

    assert client.post(PEOPLE, {"username": name, "role": "approver"}).status_code == 403
    assert client.post(f"{PEOPLE}{own.pk}/", {"role": "approver"}).status_code == 403
    assert client.post(f"{PEOPLE}{own.pk}/remove/").status_code == 403
    assert set(Membership.objects.filter(user=user).values_list("role", "expires_at")) == before


def test_the_database_refuses_a_role_that_somebody_gave_themselves(people):
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.create(
            user=people.emil, business_unit=people.payments, role="approver", granted_by=people.emil
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.filter(user=people.emil).update(role="approver", granted_by=people.emil)


def test_roles_from_entra_are_shown_and_not_changed(people, client_for):
    EntraMapping.objects.create(group_oid=GROUP, business_unit=people.payments, role="viewer")
    row = Membership.objects.create(
        user=people.carol, business_unit=people.payments, role="viewer", origin=Membership.Origin.ENTRA
    )
    emil = client_for(people.emil)

    page = emil.get(PEOPLE).content.decode()
    assert "Carol Example" in page
    assert f"{PEOPLE}{row.pk}/" not in page
    assert emil.post(f"{PEOPLE}{row.pk}/", {"role": "approver"}).status_code == 403
    assert emil.post(f"{PEOPLE}{row.pk}/remove/").status_code == 403
    assert held(people.carol, people.payments) == {Role.VIEWER}


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"username": "nobody", "role": "viewer"}, "username", "There is no account nobody"),
        ({"username": "", "role": "viewer"}, "username", "This field is required"),
        ({"username": "carol", "role": "emperor"}, "role", "Select a valid choice"),
        (
            {"username": "carol", "role": "viewer", "expires": "2020-01-01"},
            "expires",
            "a day that is not over",
        ),
        ({"username": "bert", "role": "approver"}, "role", "Bert Example is approver already"),
        ({"username": "pipeline", "role": "approver"}, "role", "A service account does not decide"),
        ({"username": "pipeline", "role": "bu_admin"}, "role", "A service account does not decide"),
    ],
)
def test_a_refusal_names_the_field(people, robot, client_for, given, field, words):
    answer = client_for(people.emil).post(PEOPLE, given)

    assert answer.status_code == 400
    assert words in str(answer.context["form"].errors[field])
    assert words.replace("'", "&#x27;") in answer.content.decode()


def test_a_closed_account_gets_no_role(people):
    people.carol.is_active = False
    people.carol.save()

    with pytest.raises(InvalidInput, match="closed"):
        roles.grant(actor=people.emil, user=people.carol, business_unit=people.payments, role="viewer")


def test_what_somebody_else_has_removed_is_not_changed(people):
    row = Membership.objects.get(user=people.anna)
    roles.withdraw(Membership.objects.get(pk=row.pk), actor=people.emil)

    with pytest.raises(WrongState):
        roles.change(row, actor=people.olga, role="viewer", expires_at=None)


def test_a_role_ends_by_itself(people):
    row = roles.grant(
        actor=people.emil, user=people.carol, business_unit=people.payments, role="approver",
        expires_at=now() + timedelta(hours=1),
    )  # fmt: skip
    assert held(people.carol, people.payments) == {Role.APPROVER}

    Membership.objects.filter(pk=row.pk).update(expires_at=now())

    assert not held(people.carol, people.payments)
    for permission in Permission:
        assert people.payments not in BusinessUnit.objects.for_user(people.carol, permission)


def test_the_last_day_belongs_to_it(people, client_for):
    day = now().date()
    client_for(people.emil).post(PEOPLE, {"username": "carol", "role": "viewer", "expires": day.isoformat()})

    row = Membership.objects.get(user=people.carol, business_unit=people.payments)
    assert row.expires_at == datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    assert (row.last_day, row.has_ended) == (day, False)


def test_no_role_lets_a_machine_decide_or_manage(people, robot):
    for role in Role:
        Membership.objects.create(user=robot, business_unit=people.payments, role=role)

    for permission in Permission:
        may = permission not in PEOPLE_ONLY and bool(CAN[permission])
        assert robot.can(permission, people.payments) == may
        assert (people.payments in BusinessUnit.objects.for_user(robot, permission)) == may


def test_the_database_knows_that_a_machine_is_no_operator(robot):
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=robot.pk).update(is_staff=True)


def test_an_administrator_of_one_business_unit_comes_straight_to_its_people(people, client_for):
    assert client_for(people.emil).get("/units/").headers["Location"] == PEOPLE
    assert "Payments" in client_for(people.olga).get("/units/").content.decode()
    assert "You manage no business unit" in client_for(people.anna).get("/units/").content.decode()


def test_a_longer_list_of_people_needs_no_more_queries(people, client_for, django_assert_max_num_queries):
    for number in range(30):
        user = User.objects.create(username=f"user{number:02}", last_name="Zz")
        Membership.objects.create(
            user=user, business_unit=people.payments, role="viewer", granted_by=people.emil
        )
    emil = client_for(people.emil)

    with django_assert_max_num_queries(10):
        assert "user29" not in emil.get(PEOPLE).content.decode()

    second = f"{PEOPLE}?page=2"
    assert "user29" in emil.get(second).content.decode()
    last = Membership.objects.get(user__username="user29")
    changed = emil.post(f"{PEOPLE}{last.pk}/?page=2", {"role": "approver"})
    assert changed.headers["Location"] == second
    refused = emil.post(f"{PEOPLE}{last.pk}/?page=2", {"role": "emperor"})
    assert "Select a valid choice" in refused.content.decode()


# ── why ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_page_says_what_one_may_do_and_why(people, client_for):
    EntraMapping.objects.create(group_oid=GROUP, business_unit=people.payments, role="viewer")
    Membership.objects.create(
        user=people.anna, business_unit=people.payments, role="viewer", origin=Membership.Origin.ENTRA
    )
    Membership.objects.create(
        user=people.anna, business_unit=people.payments, role="approver", granted_by=people.emil,
        expires_at=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip

    page = client_for(people.anna).get("/account/permissions/").content.decode()

    assert f"Viewer, Entra ID, group {GROUP}" in page
    assert "The role Approver ended on 31 Dec 2025." in page
    assert "This takes the role Auditor or Business unit admin." in page
    assert "are given by Emil Example" in page
    assert "Retail" not in page


def test_the_api_says_the_same(people, api_for):
    answer = api_for(people.bert).get("/api/v1/me/permissions/").json()

    (unit,) = answer["business_units"]
    said = {each["permission"]: (each["allowed"], each["because"]) for each in unit["permissions"]}
    assert unit["business_unit"] == "payments"
    assert said["request.decide"] == (True, "As Approver (given by the platform team).")
    assert said["request.create"] == (False, "This takes the role Requester or Business unit admin.")
    assert said["membership.manage"][0] is False


def test_what_the_page_says_is_what_the_rules_say(people, api_for):
    for name in ("anna", "bert", "carol", "dora", "emil"):
        user = getattr(people, name)
        for unit in api_for(user).get("/api/v1/me/permissions/").json()["business_units"]:
            row = BusinessUnit.objects.get(slug=unit["business_unit"])
            for answer in unit["permissions"]:
                assert answer["allowed"] == user.can(Permission(answer["permission"]), row)


def test_an_operator_is_told_so(people, client_for):
    page = client_for(people.olga).get("/account/permissions/").content.decode()

    assert "You are an operator" in page


def test_somebody_without_any_role_is_told_what_to_do(people, client_for):
    page = client_for(User.objects.create(username="newcomer")).get("/account/permissions/").content.decode()

    assert "You have no role in any business unit" in page
    assert "newcomer" in page
