"""The main road in browsers, with real processes behind it: anna asks, bert approves, she watches it being built."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Visitor
from tests.journey.support import SUBNET, RunningPortal, running_portal

__all__ = ["running_portal"]

A_MINUTE = 60_000  # milliseconds; Terraform really runs


@pytest.fixture
def portal(browser: Browser, running_portal: RunningPortal) -> Iterator["Portal"]:
    opened = Portal(browser, running_portal)
    yield opened
    opened.close()


class Portal:
    def __init__(self, browser: Browser, running: RunningPortal) -> None:
        self.browser, self.running = browser, running
        self.visitors: list[Visitor] = []

    def sign_in(self, username: str) -> Page:
        context = self.browser.new_context(viewport={"width": 1440, "height": 900})
        visitor = Visitor(context, self.running.url)
        self.visitors.append(visitor)
        page = visitor.goto("/")
        page.get_by_label("Username").fill(username)
        page.get_by_label("Password").fill(self.running.password)
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.get_by_role("heading", name="Catalog")).to_be_visible()
        return page

    def violations(self) -> list[str]:
        return [each for visitor in self.visitors for each in visitor.violations()]

    def close(self) -> None:
        for visitor in self.visitors:
            visitor.page.context.close()


def ask_for_a_server(page: Page, name: str) -> str:
    """Returns its REQ-number."""
    page.get_by_role("link", name="PostgreSQL database").click()
    page.get_by_role("link", name="Request", exact=True).click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("radio", name="Staging").check()
    page.get_by_label("Size").select_option(label="Small (2 vCPU, 4 GB, burstable)")
    page.get_by_text("Private endpoint", exact=True).click()
    page.get_by_label("Subnet id").fill(SUBNET)
    page.get_by_label("Justification").fill("Tests of the new order flow.")
    expect(page.get_by_role("complementary", name="Estimate and rules")).to_contain_text("$63.91")
    page.get_by_role("button", name="Submit request").click()
    expect(page.get_by_role("heading", name="Waiting for an approver")).to_be_visible()
    return page.locator(".crumbs [aria-current]").inner_text()


def test_a_server_is_asked_for_approved_and_watched_until_it_is_ready(portal):
    anna = portal.sign_in("anna")
    bert = portal.sign_in("bert")
    ref = ask_for_a_server(anna, "browsed")

    bert.get_by_role("link", name=re.compile("Approvals")).click()
    bert.get_by_role("link", name=f"Approve {ref}").click()
    bert.get_by_label("Note for the requester").fill("For the tests.")
    bert.get_by_role("dialog").get_by_role("button", name="Approve").click()
    expect(bert.get_by_text(f"{ref} was approved.")).to_be_visible()

    # Her page has been open all the time, and nobody loads it again.
    expect(anna.get_by_text("“For the tests.”")).to_be_visible(timeout=A_MINUTE)
    expect(anna.locator("#log")).to_contain_text("Creating...", timeout=A_MINUTE)
    expect(anna.get_by_text("browsed is ready")).to_be_visible(timeout=A_MINUTE)
    expect(anna.locator("#poll[hx-get]")).to_have_count(0)
    anna.get_by_role("link", name="See its outputs and what you can change").click()
    expect(anna.get_by_text("postgres.database.azure.com")).to_be_visible()
    assert portal.violations() == []
