"""Every state of every page: axe, the policy, and no sideways scrolling, light and dark, wide and narrow."""

import pytest
from playwright.sync_api import Page, expect

NEW = "/catalog/postgresql/request/"


def palette(page: Page) -> None:
    page.keyboard.press("Control+k")
    page.locator("#palette-list [data-href]").first.wait_for()


def shortcuts(page: Page) -> None:
    page.keyboard.press("?")


def account_menu(page: Page) -> None:
    page.locator(".avatar").click()


def mistakes(page: Page) -> None:
    page.get_by_label("Name").fill("Bad Name")
    page.get_by_role("button", name="Submit request").click()
    page.get_by_role("alert").wait_for()


def with_private_endpoint(page: Page) -> None:
    with page.expect_response("**/check/"):
        page.get_by_text("Private endpoint", exact=True).click()
    expect(page.locator(".htmx-request")).to_have_count(0)
    expect(page.get_by_label("Subnet id")).to_be_visible()


def reject(page: Page) -> None:
    page.get_by_role("link", name="Reject").first.click()
    page.locator("#decide [data-decide-submit]").click()


def approve(page: Page) -> None:
    page.get_by_role("link", name="Approve").first.click()


FOR_ANNA = [
    ("catalog", "/", None), ("nothing found", "/?q=zzz", None), ("palette", "/", palette),
    ("shortcuts", "/", shortcuts), ("account menu", "/", account_menu),
    ("item", "/catalog/postgresql/", None), ("new", NEW, None), ("new, mistakes", NEW, mistakes),
    ("new, private endpoint", NEW, with_private_endpoint), ("new, storage", "/catalog/storage-account/request/", None),
    ("requests", "/requests/", None), ("no requests", "/requests/?q=zzz", None),
    ("waiting", "{waiting}", None), ("running", "{running}", None), ("failed", "{failed}", None),
    ("resources", "/resources/", None), ("resource", "{ready}", None), ("change", "{ready}change/", None),
    ("remove", "{ready}destroy/", None), ("budgets", "/budgets/", None),
    ("not found", "/nowhere/", None), ("not allowed", "/audit/", None),
    ("permissions", "/account/permissions/", None), ("tokens", "/account/tokens/", None),
    ("what one may do", "{waiting}permissions/", None), ("no units", "/units/", None),
]  # fmt: skip
FOR_BERT = [
    ("approvals", "/approvals/", None), ("approve", "/approvals/", approve), ("reject", "/approvals/", reject),
    ("decided", "/approvals/?tab=decided", None), ("no approvals", "/approvals/?q=zzz", None),
    ("decision", "{waiting}", None),
]  # fmt: skip
FOR_EMIL = [("people", "/units/payments/people/", None)]
FOR_DORA = [("audit", "/audit/", None), ("no events", "/audit/?q=zzz", None)]
FOR_OLGA = [
    ("admin", "/admin/", None), ("admin list", "/admin/requests_app/servicerequest/", None),
    ("admin deployments", "/admin/requests_app/deployment/", None), ("units", "/units/", None),
]  # fmt: skip


def shown(visitor, states, paths) -> list:
    found = []
    for name, path, act in states:
        page = visitor.goto(path.format(**paths))
        if act:
            act(page)
        found += visitor.findings(name)
    return found


@pytest.mark.parametrize(("scheme", "width"), [("dark", 1440), ("light", 390)])
def test_no_page_shuts_anybody_out(everything, people, visit, scheme, width):
    found = []
    for user, states in (
        (people.anna, FOR_ANNA), (people.bert, FOR_BERT), (people.dora, FOR_DORA), (people.olga, FOR_OLGA),
        (people.emil, FOR_EMIL),
    ):  # fmt: skip
        found += shown(visit(user, width=width, scheme=scheme), states, everything)
    found += shown(
        visit(None, width=width, scheme=scheme), [("sign in", "/accounts/login/", None)], everything
    )

    assert found == []


def test_pages_without_anything_on_them_shut_nobody_out(transactional_db, people, catalog, visit):
    found = shown(
        visit(people.bert, width=390),
        [(path, path, None) for path in ("/", "/requests/", "/resources/", "/approvals/", NEW)],
        {},
    )

    assert found == []


def test_the_pages_of_the_admin_keep_the_policy(everything, people, visit, waiting, ready):
    visitor = visit(people.olga)
    paths = [
        f"/admin/requests_app/servicerequest/{waiting.pk}/change/", "/admin/requests_app/",
        f"/admin/requests_app/deployment/{ready.pk}/change/", "/admin/identity/user/",
        f"/admin/identity/user/{people.anna.pk}/change/", "/admin/identity/businessunit/add/",
        "/admin/catalog_app/item/", "/admin/billing_app/price/",
    ]  # fmt: skip

    found = []
    for path in paths:
        visitor.goto(path)
        found += [(path, violation) for violation in visitor.violations()]

    assert found == []
