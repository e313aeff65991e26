from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils.timezone import now

from portal.identity import tokens
from portal.identity.models import ApiToken
from portal.models import Event


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


def test_a_token_lives_no_longer_than_the_portal_allows(people, settings):
    settings.API_TOKEN_MAX_DAYS = 7

    row, _ = tokens.issue(people.anna, "laptop", lifetime=timedelta(days=1000))

    assert row.expires_at <= now() + timedelta(days=7)


def test_the_command_prints_a_token_once_and_says_so_in_the_trail(people, capsys):
    call_command("create_token", "anna", name="pipeline", days=3)

    assert tokens.is_well_formed(capsys.readouterr().out.strip())
    assert Event.objects.get().action == "token.create"


@pytest.mark.parametrize(("username", "days"), [("nobody", 3), ("anna", 0)])
def test_the_command_refuses_what_makes_no_sense(people, username, days):
    with pytest.raises(CommandError):
        call_command("create_token", username, name="x", days=days)


def test_a_person_who_left_has_no_token_any_more(people, api_for):
    anna = api_for(people.anna)
    assert anna.get("/api/v1/me/").status_code == 200

    people.anna.is_active = False
    people.anna.save()

    assert anna.get("/api/v1/me/").status_code == 401


def test_a_token_for_one_business_unit_can_do_nothing(people):
    row, plain = tokens.issue(people.anna, "scoped")
    ApiToken.objects.filter(pk=row.pk).update(business_unit=people.payments)

    assert Client().get("/api/v1/me/", headers={"Authorization": f"Bearer {plain}"}).status_code == 401
