from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils.timezone import now

from portal.identity.models import BusinessUnit, Membership, User
from portal.identity.roles import Permission

MATRIX = {
    "anna": {Permission.REQUEST_VIEW, Permission.REQUEST_CREATE},
    "bert": {Permission.REQUEST_VIEW, Permission.REQUEST_DECIDE},
    "carol": set(),
    "dora": {Permission.REQUEST_VIEW, Permission.AUDIT_VIEW},
    "emil": {
        Permission.REQUEST_VIEW,
        Permission.REQUEST_CREATE,
        Permission.REQUEST_DECIDE_RESERVED,
        Permission.AUDIT_VIEW,
        Permission.MEMBERSHIP_MANAGE,
        Permission.WEBHOOK_MANAGE,
    },
    "olga": {
        Permission.REQUEST_VIEW,
        Permission.AUDIT_VIEW,
        Permission.MEMBERSHIP_MANAGE,
        Permission.WEBHOOK_MANAGE,
    },
}


@pytest.mark.parametrize("name", MATRIX)
def test_what_a_role_allows_in_its_business_unit(people, name):
    user = getattr(people, name)

    assert {permission for permission in Permission if user.can(permission, people.payments)} == MATRIX[name]
    for permission in Permission:
        units = BusinessUnit.objects.for_user(user, permission)
        assert (people.payments in units) == (permission in MATRIX[name])


def test_a_membership_that_has_ended_allows_nothing(people):
    Membership.objects.update(expires_at=now() - timedelta(seconds=1))

    assert not any(people.anna.can(permission, people.payments) for permission in Permission)
    assert not BusinessUnit.objects.for_user(people.anna, Permission.REQUEST_VIEW).exists()


def test_an_account_that_is_closed_is_allowed_nothing(people):
    people.anna.is_active = False

    assert not people.anna.can(Permission.REQUEST_VIEW, people.payments)
    assert not BusinessUnit.objects.for_user(people.anna, Permission.REQUEST_VIEW).exists()


def test_the_database_knows_the_roles(people):
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.create(user=people.anna, business_unit=people.payments, role="emperor")


def test_an_entra_account_needs_its_ids(people):
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(username="eve", auth_source=User.Source.ENTRA)


def test_people_sign_in_and_out(people):
    client = Client()
    assert client.get("/requests/").status_code == 302

    client.post("/accounts/login/", {"login": "anna", "password": people.password})
    assert client.get("/requests/").status_code == 200

    client.post("/accounts/logout/")
    assert client.get("/requests/").status_code == 302


@pytest.mark.parametrize(("login", "password"), [("anna", "wrong"), ("nobody", "wrong"), ("", "")])
def test_a_wrong_password_is_refused_and_says_nothing_of_accounts(people, login, password):
    answer = Client().post("/accounts/login/", {"login": login, "password": password})

    assert answer.status_code == 200
    assert not answer.wsgi_request.user.is_authenticated


def test_a_password_does_not_open_an_entra_account(people):
    User.objects.filter(username="anna").update(
        auth_source=User.Source.ENTRA,
        entra_tid="11111111-1111-4111-8111-111111111111",
        entra_oid="22222222-2222-4222-8222-222222222222",
    )

    answer = Client().post("/accounts/login/", {"login": "anna", "password": people.password})

    assert not answer.wsgi_request.user.is_authenticated


def test_nobody_makes_an_account_for_themselves(people):
    Client().post("/accounts/signup/", {"username": "mallory", "password1": "x" * 20, "password2": "x" * 20})

    assert not User.objects.filter(username="mallory").exists()


def test_the_portal_says_that_it_is_alive(db):
    assert Client().get("/healthz/").json() == {"status": "ok"}
    assert Client().get("/healthz/ready/").json() == {"status": "ok"}
