"""Tokens: kept as digests, shown once, and never worth more than their owner, their scopes and their business unit."""

import logging
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils.timezone import now

from portal.errors import InvalidInput, NotAllowed
from portal.identity import tokens
from portal.identity.models import ApiToken, BusinessUnit, Membership, ServiceAccount, User
from portal.identity.roles import Permission, Role
from portal.models import Event

PAGE, ADMIN = "/account/tokens/", "/admin/identity/apitoken/"
FORM = {"name": "nightly", "scopes": "write", "business_unit": "", "days": "30"}


def call(plain, path="/api/v1/me/", method="get", **kwargs):
    return getattr(Client(), method)(path, headers={"Authorization": f"Bearer {plain}"}, **kwargs)


@pytest.fixture
def robot(people):
    account = ServiceAccount.objects.create(username="pipeline", auth_source=User.Source.SERVICE)
    Membership.objects.create(user=account, business_unit=people.payments, role=Role.REQUESTER)
    return account


# ── the token itself ────────────────────────────────────────────────────────────────────────────────────────


def test_a_token_is_kept_as_a_digest_only(people):
    row, plain = tokens.issue(people.anna, "laptop")

    assert plain.startswith("gwk_")
    assert tokens.is_well_formed(plain)
    assert plain not in str(ApiToken.objects.filter(pk=row.pk).values().get())


@pytest.mark.parametrize(
    "spoil", [lambda t: t[:-1], lambda t: t[:-1] + "é", lambda t: "gwk_" + t[5:] + "0", str.upper]
)
def test_a_mistyped_token_is_seen_without_the_database(people, spoil, django_assert_num_queries):
    _, plain = tokens.issue(people.anna, "laptop")

    with django_assert_num_queries(0):
        assert not tokens.is_well_formed(spoil(plain))


def test_a_token_lives_no_longer_than_the_portal_allows(people, robot, settings):
    settings.API_TOKEN_MAX_DAYS = 7

    of_anna, _ = tokens.issue(people.anna, "laptop", lifetime=timedelta(days=1000))
    of_machine, _ = tokens.issue(robot, "runs", lifetime=timedelta(days=1000))

    assert of_anna.expires_at <= now() + timedelta(days=7)
    assert timedelta(days=364) < of_machine.expires_at - now() <= timedelta(days=365)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda row: {"revoked_at": now()}, "was revoked"),
        (lambda row: {"expires_at": now()}, "has expired"),
        (lambda row: {"digest": "0" * 64}, "is not known"),
    ],
)
def test_a_token_that_does_not_work_says_why(people, spoil, words):
    row, plain = tokens.issue(people.anna, "old")
    ApiToken.objects.filter(pk=row.pk).update(**spoil(row))

    answer = call(plain)

    assert answer.status_code == 401
    assert words in answer.json()["message"]


def test_a_person_who_left_has_no_token_any_more(people, api_for):
    anna = api_for(people.anna)
    assert anna.get("/api/v1/me/").status_code == 200

    people.anna.is_active = False
    people.anna.save()

    assert anna.get("/api/v1/me/").status_code == 401


def test_a_person_whom_entra_has_not_named_for_long_has_no_token_any_more(people, settings):
    _, plain = tokens.issue(people.anna, "laptop")
    ids = {
        "entra_tid": "11111111-1111-4111-8111-111111111111",
        "entra_oid": "22222222-2222-4222-8222-222222222222",
    }
    anna = User.objects.filter(pk=people.anna.pk)
    anna.update(auth_source=User.Source.ENTRA, claims_synced_at=now() - timedelta(days=6), **ids)
    assert call(plain).status_code == 200

    anna.update(claims_synced_at=now() - timedelta(days=settings.API_TOKEN_UNSEEN_DAYS, minutes=1))
    assert call(plain).status_code == 401


def test_its_use_is_written_down_once_a_minute(people, django_assert_num_queries):
    row, plain = tokens.issue(people.anna, "laptop")
    call(plain)
    row.refresh_from_db()
    first = row.last_used_at
    assert (first is not None, row.last_address) == (True, "127.0.0.1")

    call(plain)
    row.refresh_from_db()
    assert row.last_used_at == first

    ApiToken.objects.filter(pk=row.pk).update(last_used_at=now() - timedelta(seconds=61))
    call(plain)
    row.refresh_from_db()
    assert row.last_used_at > first


# ── rights: the owner's, now, within the scopes and the business unit ────────────────────────────────────────


def test_a_token_opens_no_page(people):
    _, plain = tokens.issue(people.olga, "laptop")

    for path in ("/", "/requests/", "/audit/", "/account/tokens/", "/admin/"):
        assert call(plain, path).status_code == 302


def test_a_token_that_reads_does_not_write(people):
    _, plain = tokens.issue(people.anna, "reader", scopes=[tokens.READ])

    assert call(plain, "/api/v1/requests/").status_code == 200
    refused = call(plain, "/api/v1/requests/", "post", data={}, content_type="application/json")
    assert refused.status_code == 403
    assert "requests:write" in refused.json()["message"]


def test_a_role_that_is_withdrawn_is_withdrawn_from_the_token(people):
    _, plain = tokens.issue(people.anna, "laptop")
    assert call(plain).json()["business_units"]

    Membership.objects.filter(user=people.anna).update(expires_at=now())

    assert call(plain).json()["business_units"] == []


def test_a_token_of_one_business_unit_has_no_rights_in_another(people):
    Membership.objects.create(user=people.anna, business_unit=people.retail, role=Role.APPROVER)
    _, everywhere = tokens.issue(people.anna, "all")
    row, plain = tokens.issue(people.anna, "payments only", business_unit=people.payments)

    units = [unit["slug"] for unit in call(plain).json()["business_units"]]
    assert [unit["slug"] for unit in call(everywhere).json()["business_units"]] == ["payments", "retail"]
    assert units == ["payments"]
    assert call(plain, "/api/v1/me/permissions/").json()["only_in"] == "payments"

    owner = tokens.find(plain).user
    for permission in Permission:
        assert not owner.can(permission, people.retail)
        assert set(BusinessUnit.objects.for_user(owner, permission)) <= {people.payments}


def test_a_token_of_one_business_unit_has_no_right_that_its_owner_has_not(people):
    """Not more than the memberships of now: the unit only narrows."""
    _, plain = tokens.issue(people.anna, "retail", business_unit=people.retail)

    owner = tokens.find(plain).user
    assert not owner.roles
    assert not any(owner.can_somewhere(permission) for permission in Permission)


def test_an_operators_token_of_one_business_unit_is_worth_the_role_there(people):
    Membership.objects.create(user=people.olga, business_unit=people.payments, role=Role.VIEWER)
    _, plain = tokens.issue(people.olga, "payments only", business_unit=people.payments)

    assert call(plain).json()["is_operator"] is False
    owner = tokens.find(plain).user
    assert {permission for permission in Permission if owner.can(permission, people.payments)} == {
        Permission.REQUEST_VIEW
    }
    assert not any(owner.can(permission, people.retail) for permission in Permission)


def test_requests_of_other_business_units_are_not_there_for_it(people, catalog, postgres_for_staging):
    Membership.objects.create(user=people.anna, business_unit=people.retail, role=Role.REQUESTER)
    _, plain = tokens.issue(people.anna, "payments only", business_unit=people.payments)
    _, everywhere = tokens.issue(people.anna, "all")
    send = {"content_type": "application/json"}
    there = call(
        everywhere,
        "/api/v1/requests/",
        "post",
        data={**postgres_for_staging, "business_unit": "retail"},
        **send,
    ).json()
    here = call(everywhere, "/api/v1/requests/", "post", data=postgres_for_staging, **send).json()

    listed = call(plain, "/api/v1/requests/").json()["results"]
    assert [row["ref"] for row in listed] == [here["ref"]]
    assert call(plain, f"/api/v1/requests/{there['id']}/").status_code == 404
    assert call(plain, f"/api/v1/requests/{there['id']}/cancel/", "post").status_code == 404
    assert call(plain, f"/api/v1/deployments/{there['deployment']}/").status_code == 404
    refused = call(
        plain, "/api/v1/requests/", "post", data={**postgres_for_staging, "business_unit": "retail"}, **send
    )
    assert refused.status_code == 400
    assert "business_unit" in refused.json()["problems"]


def test_a_call_costs_one_query_for_its_token(people, django_assert_num_queries):
    for number in range(10):
        tokens.issue(people.anna, f"token {number}")
    _, plain = tokens.issue(people.anna, "laptop")
    tokens.touch(tokens.find(plain), None)

    with django_assert_num_queries(1):
        tokens.touch(tokens.find(plain), None)


# ── the page ────────────────────────────────────────────────────────────────────────────────────────────────


def test_somebody_makes_a_token_uses_it_and_revokes_it(people, client_for):
    anna = client_for(people.anna)
    made = anna.post(PAGE, {**FORM, "business_unit": "payments"})
    plain = made.context["plain"]

    assert made.status_code == 200
    assert made.content.decode().count(plain) == 1
    assert call(plain).json()["username"] == "anna"
    page = anna.get(PAGE).content.decode()
    assert plain not in page
    assert "nightly" in page

    row = ApiToken.objects.get()
    assert (row.business_unit, row.scopes) == (people.payments, [tokens.READ, tokens.WRITE])
    anna.post(f"{PAGE}{row.pk}/revoke/")
    assert call(plain).status_code == 401
    row.refresh_from_db()
    assert row.revoked_by == people.anna
    made, revoked = Event.objects.order_by("sequence")
    assert (made.action, revoked.action) == ("identity.token_create", "identity.token_revoke")
    assert (made.actor, made.business_unit) == (people.anna, people.payments)


def test_the_secret_is_in_no_table_no_session_and_no_log(people, client_for, caplog):
    caplog.set_level(logging.DEBUG)
    plain = client_for(people.anna).post(PAGE, FORM).context["plain"]
    call(plain)
    call(plain, "/api/v1/requests/0/")
    Client().get(f"/api/v1/me/?token={plain}")

    assert plain not in str([list(model.objects.values()) for model in (ApiToken, Event)])
    assert plain not in caplog.text


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"name": " "}, "name", "This field is required"),
        ({"name": "x" * 81}, "name", "at most 80"),
        ({"days": "0"}, "days", "1 to 90 days"),
        ({"days": "91"}, "days", "1 to 90 days"),
        ({"days": ""}, "days", "This field is required"),
        ({"scopes": "all"}, "scopes", "Select a valid choice"),
        ({"business_unit": "retail"}, "business_unit", "Select a valid choice"),
    ],
)
def test_the_page_says_what_is_wrong(people, client_for, given, field, words):
    answer = client_for(people.anna).post(PAGE, {**FORM, **given})

    assert answer.status_code == 400
    assert words in str(answer.context["form"].errors[field])
    assert not ApiToken.objects.exists()


def test_there_is_a_most_of_tokens_that_work(people):
    for number in range(tokens.MOST):
        tokens.issue(people.anna, f"token {number}")
    wanted = {
        "actor": people.anna,
        "owner": people.anna,
        "name": "one more",
        "scopes": [tokens.READ],
        "days": 1,
    }

    with pytest.raises(InvalidInput, match="revoke one first"):
        tokens.create(**wanted)

    tokens.revoke(ApiToken.objects.first(), actor=people.anna)
    assert tokens.create(**wanted)


def test_tokens_of_others_are_not_there(people, client_for):
    row, plain = tokens.issue(people.anna, "laptop of Anna")
    bert = client_for(people.bert)

    assert "laptop of Anna" not in bert.get(PAGE).content.decode()
    assert bert.post(f"{PAGE}{row.pk}/revoke/").status_code == 404
    assert call(plain).status_code == 200
    with pytest.raises(NotAllowed):
        tokens.revoke(row, actor=people.bert)
    with pytest.raises(NotAllowed):
        tokens.create(actor=people.olga, owner=people.anna, name="x", scopes=[tokens.READ], days=1)


def test_a_token_makes_no_tokens(people):
    _, plain = tokens.issue(people.anna, "laptop", business_unit=people.payments)
    owner = tokens.find(plain).user

    assert call(plain, PAGE, "post", data=FORM).status_code == 302
    with pytest.raises(NotAllowed):
        tokens.create(actor=owner, owner=owner, name="x", scopes=[tokens.READ], days=1)


# ── machines ────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_operator_makes_a_service_account_and_its_token(people, client_for):
    omar = client_for(User.objects.create(username="omar", is_staff=True))
    made = omar.post("/admin/identity/serviceaccount/add/", MACHINE)
    account = ServiceAccount.objects.get()
    assert (made.status_code, account.has_usable_password(), account.is_staff) == (302, False, False)
    Membership.objects.create(user=account, business_unit=people.payments, role=Role.REQUESTER)

    answer = omar.post(
        f"{ADMIN}add/", {**FORM, "owner": account.pk, "business_unit": "payments", "days": "365"}
    )

    plain = answer.context["plain"]
    assert answer.content.decode().count(plain) == 1
    assert call(plain).json()["username"] == "nightly"
    assert Event.objects.filter(action="identity.token_create").get().data["user"] == "nightly"
    assert "nightly" in omar.get(ADMIN).content.decode()


MACHINE = {
    "username": "nightly", "is_active": "on", "memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0",
}  # fmt: skip


def test_the_admin_makes_tokens_for_machines_only(people, robot, client_for):
    olga = client_for(people.olga)

    refused = olga.post(f"{ADMIN}add/", {**FORM, "owner": people.anna.pk})
    elsewhere = olga.post(f"{ADMIN}add/", {**FORM, "owner": robot.pk, "business_unit": "retail"})
    too_long = olga.post(f"{ADMIN}add/", {**FORM, "owner": robot.pk, "days": "366"})

    assert "Select a valid choice" in refused.content.decode()
    assert "pipeline has no role in Retail" in elsewhere.content.decode()
    assert "1 to 365 days" in too_long.content.decode()
    assert not ApiToken.objects.exists()


def test_the_admin_revokes_every_token_and_shows_no_digest(people, client_for):
    row, plain = tokens.issue(people.anna, "lost laptop")
    olga = client_for(people.olga)

    assert row.digest not in olga.get(f"{ADMIN}{row.pk}/change/").content.decode()
    olga.post(ADMIN, {"action": "revoke", "_selected_action": [row.pk]})

    assert call(plain).status_code == 401
    assert Event.objects.get().actor == people.olga


def test_nobody_else_makes_service_accounts(people, client_for):
    emil = client_for(people.emil)

    for path in ("/admin/identity/serviceaccount/add/", f"{ADMIN}add/"):
        assert emil.get(path).status_code == 302
        assert emil.post(path, {"username": "x"}).status_code == 302
    assert not ServiceAccount.objects.exists()


def test_a_machine_asks_and_does_not_decide(people, robot, catalog, postgres_for_staging):
    Membership.objects.create(user=robot, business_unit=people.payments, role=Role.APPROVER)
    _, of_machine = tokens.issue(robot, "runs")
    _, of_anna = tokens.issue(people.anna, "laptop")
    send = {"content_type": "application/json"}

    asked = call(of_machine, "/api/v1/requests/", "post", data=postgres_for_staging, **send)
    assert asked.status_code == 201
    by_anna = call(
        of_anna, "/api/v1/requests/", "post", data={**postgres_for_staging, "name": "ledger"}, **send
    ).json()
    assert "pipeline" not in str(by_anna)

    refused = call(of_machine, f"/api/v1/requests/{by_anna['id']}/approve/", "post", data={}, **send)
    assert refused.status_code == 403


def test_a_service_account_signs_in_nowhere(people, robot):
    robot.set_password(people.password)
    robot.save()

    answer = Client().post("/accounts/login/", {"login": "pipeline", "password": people.password})

    assert not answer.wsgi_request.user.is_authenticated


# ── the command ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_command_prints_a_token_once_and_says_so_in_the_trail(people, capsys):
    call_command("create_token", "anna", name="pipeline", days=3, business_unit="payments")

    plain = capsys.readouterr().out.strip()
    assert tokens.find(plain).business_unit == people.payments
    assert Event.objects.get().action == "identity.token_create"


@pytest.mark.parametrize(
    ("username", "options", "words"),
    [
        ("nobody", {}, "no active account nobody"),
        ("anna", {"days": 0}, "1 to 90 days"),
        ("anna", {"business_unit": "nowhere"}, "no business unit nowhere"),
        ("anna", {"business_unit": "retail"}, "no role in Retail"),
    ],
)
def test_the_command_refuses_what_makes_no_sense(people, username, options, words):
    with pytest.raises(CommandError, match=words):
        call_command("create_token", username, name="x", **{"days": 3, **options})
