"""Somebody makes a token, and an administrator gives a role, in a browser."""

import pytest
from playwright.sync_api import expect

from portal.identity.models import ApiToken, Membership
from portal.identity.roles import Role


@pytest.fixture
def pages(transactional_db, people, catalog):
    return people


def test_a_token_is_made_shown_once_and_revoked(pages, visit):
    anna = visit(pages.anna)
    page = anna.goto("/")
    page.locator(".avatar").click()
    page.get_by_role("link", name="API tokens").click()
    page.get_by_label("What it is for").fill("nightly report")
    page.get_by_label("Where").select_option("payments")
    page.get_by_role("button", name="Create token").click()

    expect(page.get_by_text("Copy it now: it is shown this once.")).to_be_visible()
    plain = page.locator("#made").inner_text()
    assert plain.startswith("gwk_")
    assert anna.findings("a new token") == []

    page.goto(page.url)
    expect(page.locator("#made")).to_have_count(0)
    page.get_by_role("button", name="Revoke nightly report").click()
    expect(page.get_by_role("button", name="Revoke nightly report")).to_have_count(0)
    assert ApiToken.objects.get().revoked_at
    assert anna.violations() == []


def test_a_role_is_given_changed_and_taken_back(pages, visit):
    emil = visit(pages.emil)
    page = emil.goto("/")
    page.get_by_role("link", name="People").click()
    page.get_by_label("User name").fill("carol")
    page.get_by_label("Role", exact=True).select_option("viewer")
    page.get_by_role("button", name="Give the role").click()
    expect(page.get_by_role("rowheader", name="Carol Example")).to_be_visible()

    page.get_by_label("Role of Carol Example").select_option("approver")
    page.get_by_role("button", name="Save Carol Example").click()
    row = Membership.objects.get(user=pages.carol, business_unit=pages.payments)
    assert row.role == Role.APPROVER

    page.get_by_role("button", name="Remove Carol Example").click()
    expect(page.get_by_role("rowheader", name="Carol Example")).to_have_count(0)
    assert emil.violations() == []


def test_a_refusal_stands_at_its_field(pages, visit):
    emil = visit(pages.emil)
    page = emil.goto("/units/payments/people/")
    page.get_by_label("User name").fill("nobody")
    page.get_by_role("button", name="Give the role").click()

    expect(page.get_by_text("There is no account nobody.")).to_be_visible()
    assert emil.findings("a refusal") == []
