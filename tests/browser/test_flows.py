import re

import pytest
from playwright.sync_api import expect

from requests_app import services
from requests_app.models import ServiceRequest
from tests.conftest import SUBNET
from tests.pages.conftest import OUTPUTS, RESOURCES, write_log

NEW = "/catalog/postgresql/request/"


@pytest.fixture
def anna(transactional_db, people, catalog, visit):
    return visit(people.anna)


def test_people_sign_in_by_keyboard_and_sign_out(transactional_db, people, catalog, visit):
    visitor = visit()
    page = visitor.goto("/requests/")

    page.get_by_label("Username").fill("anna")
    page.keyboard.press("Tab")
    page.keyboard.type(people.password)
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="My requests")).to_be_visible()
    page.get_by_role("button", name="Account menu").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in to Groundwork")).to_be_visible()
    assert visitor.violations() == []


def test_the_catalog_is_searched_while_typing(anna):
    page = anna.goto("/")

    page.keyboard.press("/")
    page.keyboard.type("blob")

    expect(page.locator(".card")).to_have_count(1)
    expect(page).to_have_url(re.compile("q=blob"))
    page.reload()
    expect(page.locator(".card")).to_have_count(1)
    assert anna.violations() == []


def test_the_panel_follows_what_is_typed(anna):
    page = anna.goto(NEW)
    panel = page.get_by_role("complementary", name="Estimate and rules")
    expect(panel).to_contain_text("Still needed")
    expect(page.get_by_label("High availability")).to_be_hidden()

    page.get_by_label("Name").fill("orders")
    page.get_by_label("Size").select_option(label="Medium (2 vCPU, 8 GB)")

    expect(panel).to_contain_text("$148.59")
    expect(page.get_by_text("High availability", exact=True)).to_be_visible()
    page.get_by_text("High availability", exact=True).click()
    expect(panel).to_contain_text("$297.18")
    page.get_by_role("radio", name="Production").check()
    expect(panel).to_contain_text("This cannot be submitted")
    page.get_by_text("Private endpoint", exact=True).click()
    page.get_by_label("Subnet id").fill(SUBNET)
    page.get_by_label("Backups kept (days)").fill("14")
    expect(panel).to_contain_text(re.compile("(Bert|Emil) Example decides"))
    assert anna.violations() == []


def test_problems_are_summed_up_and_linked(anna):
    page = anna.goto(NEW)

    page.get_by_label("Name").fill("Bad Name")
    page.get_by_label("Backups kept (days)").fill("99")
    page.get_by_role("button", name="Submit request").click()

    summary = page.get_by_role("alert")
    expect(summary).to_contain_text("check 2 fields")
    expect(summary).to_be_focused()
    summary.get_by_role("link", name="Backups kept (days)").click()
    expect(page.get_by_label("Backups kept (days)")).to_be_focused()
    expect(page.get_by_label("Name")).to_have_value("Bad Name")
    assert anna.violations() == []


def test_a_request_is_rejected_by_keyboard_and_needs_a_reason(transactional_db, waiting, people, visit):
    visitor = visit(people.bert)
    page = visitor.goto("/approvals/")

    page.keyboard.press("j")
    page.keyboard.press("r")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading")).to_have_text(f"Reject orders ({waiting.ref})?")
    dialog.get_by_role("button", name="Reject").click()
    expect(dialog.get_by_text("Say why, so that the requester knows what to change.")).to_be_visible()
    page.keyboard.type("Use the shared server.")
    dialog.get_by_role("button", name="Reject").click()

    expect(page.get_by_role("status").filter(has_text=f"{waiting.ref} was rejected.")).to_be_visible()
    expect(page.get_by_role("heading", name="You are all caught up")).to_be_visible()
    waiting.refresh_from_db()
    assert waiting.decision_note == "Use the shared server."
    assert visitor.violations() == []


def test_a_request_is_approved_from_the_queue_with_a_note(transactional_db, waiting, people, visit):
    visitor = visit(people.bert)
    page = visitor.goto("/approvals/")

    page.get_by_role("link", name=f"Approve {waiting.ref}").click()
    page.get_by_label("Note for the requester").fill("For the pilot.")
    page.get_by_role("dialog").get_by_role("button", name="Approve").click()

    expect(page.get_by_text(f"{waiting.ref} was approved.")).to_be_visible()
    waiting.refresh_from_db()
    assert (waiting.state, waiting.decided_by) == ("approved", people.bert)
    assert visitor.violations() == []


def test_the_page_follows_a_run_to_its_end_and_then_rests(transactional_db, running, people, visit):
    visitor = visit(people.anna)
    page = visitor.goto(f"/requests/{running.pk}/")
    expect(page.locator("#timeline [aria-current=step]")).to_contain_text("Applying")

    write_log(running, "server: Creation complete", start=3)
    expect(page.locator("#log")).to_contain_text("Creation complete")
    services.succeed(running, outputs=OUTPUTS, resources=RESOURCES)

    expect(page.get_by_text("running is ready")).to_be_visible()
    expect(page.locator("#timeline [aria-current=step]")).to_have_count(0)
    expect(page.locator("#log li")).to_have_count(3)
    expect(page.locator("#poll[hx-get]")).to_have_count(0)
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    assert visitor.violations() == []


def test_stopping_a_run_asks_first(transactional_db, running, people, visit):
    visitor = visit(people.anna)
    page = visitor.goto(f"/requests/{running.pk}/")

    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Let it run").click()
    running.refresh_from_db()
    assert running.state == "running"

    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Stop the run").click()
    expect(page.get_by_text("was asked to stop.")).to_be_visible()
    running.refresh_from_db()
    assert running.state == "stopping"
    assert visitor.violations() == []


def test_a_removal_wants_the_name(transactional_db, ready, people, visit):
    visitor = visit(people.anna)
    page = visitor.goto(f"/resources/{ready.pk}/")

    page.get_by_role("link", name="Remove").click()
    page.get_by_role("button", name="Request removal").click()
    expect(page.get_by_text("This is not its name: type ledger.")).to_be_visible()
    page.get_by_label("Type ledger to confirm").fill("ledger")
    page.get_by_role("button", name="Request removal").click()

    expect(page.get_by_text("Removal of PostgreSQL database")).to_be_visible()
    assert ServiceRequest.objects.filter(kind="destroy").count() == 1
    assert visitor.violations() == []


def test_the_palette_finds_a_request_by_its_number(transactional_db, waiting, people, visit):
    visitor = visit(people.anna)
    page = visitor.goto("/")

    page.keyboard.press("Control+k")
    expect(page.get_by_role("option", name="Resources", exact=True)).to_be_visible()
    page.get_by_role("combobox").fill(waiting.ref)
    expect(page.get_by_role("option", name=re.compile("orders"))).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="orders")).to_be_visible()
    assert visitor.violations() == []


def test_one_theme_for_portal_and_admin(transactional_db, people, catalog, visit):
    visitor = visit(people.olga)
    page = visitor.goto("/")

    with page.expect_response("**/theme/"):
        page.get_by_role("button", name="Dark theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    visitor.goto("/admin/")
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
    page.get_by_role("button", name="Light theme").click()
    expect(page.locator("body")).to_have_class(re.compile("theme-light"))
    assert visitor.violations() == []


def test_when_the_session_ends_the_page_asks_to_sign_in(transactional_db, waiting, people, visit):
    visitor = visit(people.anna)
    page = visitor.goto("/")

    page.context.clear_cookies()
    page.get_by_label("Filter the catalog").fill("blob")

    expect(page.get_by_role("heading", name="Sign in to Groundwork")).to_be_visible()
    assert visitor.violations() == []


def test_a_narrow_screen_has_its_navigation_in_a_drawer(transactional_db, people, catalog, visit):
    visitor = visit(people.anna, width=390)
    page = visitor.goto("/")

    page.get_by_role("button", name="Open navigation").click()
    page.get_by_role("navigation", name="Main, small screen").get_by_role("link", name="My requests").click()

    expect(page.get_by_role("heading", name="My requests")).to_be_visible()
    assert visitor.violations() == []
