"""Both ways in, in a browser: Entra ID with a test tenant, and a local account with an app or a passkey."""

import re

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitor
from tests.identity.entra.conftest import PASSWORD, entra, portal, prepared, tenant_process
from tests.identity.test_local_accounts import code_of

__all__ = ["entra", "portal", "prepared", "tenant_process"]

AUTHENTICATOR = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip


def seen(visitor: Visitor, heading: str) -> list:
    """What is wrong with the page of that heading, once it is there."""
    expect(visitor.page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    return visitor.findings(heading)


# ── Entra ID ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def anna(browser, portal, entra):
    """At the portal's sign-in page."""
    context = browser.new_context(reduced_motion="reduce")
    yield Visitor(context, portal.url)
    context.close()


def sign_in(page: Page, name: str = "anna") -> None:
    page.get_by_role("link", name="Sign in with Entra ID").click()
    page.get_by_label("Account").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Next").click()


def test_people_sign_in_with_entra_id_and_sign_out_of_both(anna):
    page = anna.goto("/requests/")
    assert seen(anna, "Sign in to Groundwork") == []

    sign_in(page)
    expect(page.get_by_role("heading", name="My requests")).to_be_visible()
    page.get_by_role("button", name="Account menu").click()
    expect(page.get_by_role("link", name="Password and second factor")).to_have_count(0)
    page.get_by_role("button", name="Sign out").click()

    expect(page.get_by_role("heading", name="You signed out")).to_be_visible()
    page.get_by_role("link", name="Go on").click()
    expect(page.get_by_role("link", name="Sign in with Entra ID")).to_be_visible()
    page.get_by_role("link", name="Sign in with Entra ID").click()
    expect(page.get_by_label("Account")).to_be_visible()  # and not straight back in
    assert anna.violations() == []


def test_who_may_not_come_in_is_told_what_to_do(anna):
    page = anna.goto("/")

    sign_in(page, "nils")

    expect(page.get_by_role("alert")).to_contain_text("no role here yet")
    assert seen(anna, "Sign in to Groundwork") == []


def test_signing_out_at_entra_id_reaches_the_portal_in_a_hidden_frame(anna, entra):
    page = anna.goto("/requests/")
    sign_in(page)
    expect(page.get_by_role("heading", name="My requests")).to_be_visible()

    elsewhere = page.context.new_page()
    with elsewhere.expect_response(re.compile("frontchannel-logout")) as framed:
        elsewhere.goto(entra.endpoint("logout"))

    assert framed.value.status == 200
    page.reload()
    expect(page.get_by_role("link", name="Sign in with Entra ID")).to_be_visible()


# ── local accounts ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def olga(transactional_db, people, catalog, settings, visit):
    """An operator outside of a laptop, who has just entered the password."""
    settings.SECOND_FACTOR = True
    cache.clear()
    visitor = visit()
    enter_password(visitor.goto("/admin/"), people.password)
    return visitor


def enter_password(page: Page, password: str) -> None:
    page.get_by_label("Username").fill("olga")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def confirm(page: Page, password: str) -> None:
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Confirm").click()


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Account menu").click()
    page.get_by_role("button", name="Sign out").click()


def test_an_operator_sets_up_an_app_and_uses_a_recovery_code_later(olga, people):
    page, found = olga.page, seen(olga, "Password and second factor")
    page.get_by_role("link", name="Set up an app").click()
    found += seen(olga, "Confirm that it is you")
    confirm(page, people.password)
    found += seen(olga, "Set up an authenticator app")
    page.get_by_label("Code").fill(code_of(page.get_by_label("Secret").input_value()))
    page.get_by_role("button", name="Set up").click()
    found += seen(olga, "Recovery codes")
    codes = page.locator("#codes li").all_inner_texts()
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_role("heading", name="Catalog")).to_be_visible()
    sign_out(page)

    enter_password(olga.goto("/admin/"), people.password)
    found += seen(olga, "Your second factor")
    page.get_by_label("Code").fill(codes[0])
    page.get_by_role("button", name="Sign in", exact=True).click()

    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    olga.goto("/accounts/sessions/")
    found += seen(olga, "Your sessions")
    assert found == []


def test_an_operator_signs_in_with_a_passkey_and_without_a_password(olga, people):
    page = olga.page
    browser = page.context.new_cdp_session(page)
    browser.send("WebAuthn.enable")
    browser.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    page.get_by_role("link", name="Add a passkey").click()
    confirm(page, people.password)
    found = seen(olga, "Add a passkey")
    page.get_by_role("button", name="Add passkey").click()
    found += seen(olga, "Recovery codes")
    page.get_by_role("link", name="I have kept them").click()
    sign_out(page)

    page.get_by_role("button", name="Sign in with a passkey").click()

    expect(page.get_by_role("heading", name="Catalog")).to_be_visible()
    olga.goto("/admin/")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    olga.goto("/accounts/2fa/")
    found += seen(olga, "Password and second factor")
    page.get_by_role("link", name="Remove Passkey 1").click()
    page.get_by_role("link", name="Use a passkey").click()
    page.get_by_role("button", name="Use a passkey").click()
    found += seen(olga, "Remove Passkey 1?")
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Operators need a second factor")).to_be_visible()
    assert not Authenticator.objects.exists()
    assert found == []


def test_a_passkey_that_does_not_work_is_said(transactional_db, people, visit):
    visitor = visit()
    page = visitor.goto("/accounts/login/")
    browser = page.context.new_cdp_session(page)
    browser.send("WebAuthn.enable")
    browser.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})

    page.get_by_role("button", name="Sign in with a passkey").click()

    expect(page.get_by_role("alert")).to_contain_text("No passkey was used")
    assert visitor.violations() == []
