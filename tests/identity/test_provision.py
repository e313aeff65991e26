"""From claims to a person: found by tenant and object id, with the roles that the mappings give and no others."""

import io
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from portal.identity.models import EntraMapping, Membership, User
from portal.identity.provision import AccountClosed, NoRole, provision
from portal.models import Event

TENANT = "11111111-1111-4111-8111-111111111111"
ASKERS, APPROVERS, NOBODY = (str(UUID(int=number)) for number in (1, 2, 3))


@pytest.fixture
def claims():
    """What Entra ID would say of somebody in two groups, at this moment."""

    def said(*groups: str, roles: tuple[str, ...] = (), oid: str = ASKERS, ago: int = 0, **more: object):
        return {
            "tid": TENANT, "oid": oid, "iat": int(time.time()) - ago, "name": "Ida Sand", "groups": list(groups),
            "roles": list(roles), **more,
        }  # fmt: skip

    return said


@pytest.fixture
def mapped(people) -> None:
    EntraMapping.objects.create(group_oid=ASKERS, business_unit=people.payments, role="requester")
    EntraMapping.objects.create(group_oid=APPROVERS, business_unit=people.retail, role="approver")
    EntraMapping.objects.create(app_role="Platform.Admin", grants_staff=True)


def roles(user: User) -> set[tuple[str, str, str]]:
    return set(user.memberships.values_list("business_unit__slug", "role", "origin"))


def test_somebody_new_has_what_the_mappings_give(mapped, claims):
    user = provision(claims(ASKERS, APPROVERS, NOBODY))

    assert roles(user) == {("payments", "requester", "entra"), ("retail", "approver", "entra")}
    assert (user.username, str(user), user.auth_source) == (f"entra:{ASKERS}", "Ida Sand", "entra")
    assert not user.has_usable_password()
    assert not user.is_staff


def test_what_has_changed_is_applied_and_told(mapped, claims):
    user = provision(claims(ASKERS))

    provision(claims(APPROVERS, roles=("Platform.Admin",)))

    user.refresh_from_db()
    assert roles(user) == {("retail", "approver", "entra")}
    assert (user.is_staff, user.is_superuser) == (True, False)
    told = Event.objects.filter(subject="Ida Sand").order_by("sequence")
    assert [(event.action, event.data["role"]) for event in told] == [
        ("identity.grant", "requester"),
        ("identity.grant", "operator"),
        ("identity.grant", "approver"),
        ("identity.withdraw", "requester"),
    ]


def test_the_same_again_changes_and_tells_nothing(mapped, claims):
    provision(claims(ASKERS))
    provision(claims(ASKERS))

    assert Event.objects.count() == 1


def test_roles_that_were_granted_by_hand_stay(mapped, people, claims):
    user = provision(claims(ASKERS))
    Membership.objects.create(user=user, business_unit=people.data, role="viewer", granted_by=people.olga)

    provision(claims(APPROVERS))

    assert roles(user) == {("data", "viewer", "manual"), ("retail", "approver", "entra")}


def test_no_claim_makes_a_superuser(mapped, claims):
    user = provision(claims(ASKERS))
    User.objects.update(is_superuser=True, is_staff=True)

    provision(claims(ASKERS, roles=("admin", "superuser"), is_superuser=True))

    user.refresh_from_db()
    assert (user.is_staff, user.is_superuser) == (False, False)


def test_an_older_token_says_nothing_about_today(mapped, claims):
    provision(claims(APPROVERS))

    user = provision(claims(ASKERS, ago=60))

    assert roles(user) == {("retail", "approver", "entra")}


def test_who_has_no_mapping_gets_no_account(mapped, claims):
    with pytest.raises(NoRole):
        provision(claims(NOBODY))

    assert not User.objects.filter(auth_source="entra").exists()


def test_a_closed_account_is_not_opened_by_a_sign_in(mapped, claims):
    provision(claims(ASKERS))
    User.objects.filter(auth_source="entra").update(is_active=False)

    with pytest.raises(AccountClosed):
        provision(claims(ASKERS))


def test_the_object_id_of_a_machine_signs_in_nobody(mapped, claims):
    User.objects.create(username="pipeline", auth_source="service", entra_tid=TENANT, entra_oid=ASKERS)

    with pytest.raises(AccountClosed):
        provision(claims(ASKERS))


def test_an_address_or_a_name_of_somebody_else_means_nothing(mapped, people, claims):
    User.objects.filter(username="olga").update(email="olga@portal.example")

    user = provision(
        claims(ASKERS, email="olga@portal.example", preferred_username="olga", name="Olga Example")
    )

    assert user.pk != people.olga.pk
    assert not user.is_staff


def test_names_longer_than_the_trail_has_room_for_are_cut(mapped, claims):
    user = provision(claims(ASKERS, given_name="x" * 300, family_name="y" * 300, email="z" * 400))

    assert len(str(user)) <= 160


@pytest.mark.django_db(transaction=True)
def test_two_first_sign_ins_at_once_make_one_account(mapped, claims):
    both = Barrier(2)

    def sign_in() -> int:
        both.wait()
        try:
            return provision(claims(ASKERS, APPROVERS)).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        first, second = (pool.submit(sign_in) for _ in range(2))

    assert first.result() == second.result()
    assert Membership.objects.filter(origin="entra").count() == 2


# ── mappings from a file ────────────────────────────────────────────────────────────────────────────────────


def map_entra(monkeypatch, *rows: str, head: str = "source,role,business_unit") -> str:
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join([head, *rows])))
    out = io.StringIO()
    call_command("map_entra", "-", stdout=out)
    return out.getvalue()


def test_mappings_become_equal_to_the_file(people, monkeypatch):
    rows = [f"{ASKERS},requester,payments", "Platform.Admin,operator,", "Portal.User,,"]
    map_entra(monkeypatch, *rows)
    assert map_entra(monkeypatch, *rows) == ""

    told = map_entra(monkeypatch, rows[1], f"{ASKERS},viewer,payments")

    assert told.splitlines() == [
        f"add {ASKERS}: Viewer of Payments",
        f"remove {ASKERS}: Requester of Payments",
        "remove Portal.User: may sign in",
    ]
    assert {str(each) for each in EntraMapping.objects.all()} == {
        "Platform.Admin: Operator", f"{ASKERS}: Viewer of Payments",
    }  # fmt: skip
    assert Event.objects.filter(action="identity.mapping_remove").count() == 2


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (f"{ASKERS},requester,nowhere", "no business unit nowhere"),
        (f"{ASKERS},emperor,payments", "the role is one of operator, viewer"),
        (f"{ASKERS},requester,", "belong together"),
        (f"{ASKERS},operator,payments", "belong together"),
        (",requester,payments", "Give the object id of a group"),
    ],
)
def test_a_row_that_makes_no_sense_is_named_and_nothing_is_changed(people, monkeypatch, row, why):
    with pytest.raises(CommandError, match=f"Line 3: .*{why}"):
        map_entra(monkeypatch, "Portal.User,,", row)

    assert not EntraMapping.objects.exists()


def test_a_file_with_other_columns_is_refused(people, monkeypatch):
    with pytest.raises(CommandError, match="The first line is"):
        map_entra(monkeypatch, head="group,role")
