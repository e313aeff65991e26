"""A sign-in is renewed at Entra ID, so that what has changed there counts here. After a second, not 15 minutes."""

import re
import time

import pytest

from tests.identity.entra.conftest import Browser, form_token
from tests.peers.entra import tenant

DUE, OVER = 1.1, 3.2  # seconds: the next page renews; all else has to wait for one


@pytest.fixture
def visitor(impatient, entra) -> Browser:
    return Browser(impatient, entra)


@pytest.fixture(scope="module")
def signed_in_long_ago(impatient, tenant_process) -> list[Browser]:
    """Waiting once is enough for all tests."""
    visitors = [Browser(impatient, tenant_process) for _ in range(3)]
    for each in visitors:
        each.sign_in("carol")
        each.form = form_token(each.get("/accounts/sessions/"))
    time.sleep(OVER)
    return visitors


@pytest.fixture
def late(signed_in_long_ago, entra) -> Browser:
    return signed_in_long_ago.pop()


def test_the_next_page_asks_entra_id_without_a_click(visitor, entra):
    visitor.sign_in("carol")
    time.sleep(DUE)

    to_sign_in = visitor.get("/requests/?q=x", follow=False)
    answer = visitor.get("/requests/?q=x")

    assert to_sign_in.headers["Location"] == "/oidc/authenticate/?renew=1&next=%2Frequests%2F%3Fq%3Dx"
    assert visitor.where(answer) == "/requests/?q=x"
    query = entra.control("asked")["queries"]["/oauth2/v2.0/authorize"]
    assert (query["prompt"], query["login_hint"]) == ("none", "O.hint-of-carol")


def test_new_and_lost_groups_count_after_the_renewal(visitor, entra):
    visitor.sign_in("carol")
    assert visitor.roles == {"retail": ["requester"]}

    entra.control("person", name="carol", groups=[tenant.group("payments", "approver")])
    time.sleep(DUE)
    visitor.get("/")

    assert visitor.roles == {"payments": ["approver"]}


def test_a_renewal_keeps_the_session_and_the_forms_of_other_tabs(visitor):
    visitor.sign_in("carol")
    open_form = form_token(visitor.get("/accounts/sessions/"))
    before = visitor.http.cookies["groundwork_sid"]
    time.sleep(DUE)
    visitor.get("/")

    answer = visitor.post("/accounts/sessions/end/", token=open_form)

    assert answer.status_code == 302
    assert visitor.http.cookies["groundwork_sid"] == before


def test_who_has_lost_everything_is_out(visitor, entra):
    visitor.sign_in("carol")
    entra.control("person", name="carol", groups=[])
    time.sleep(DUE)

    answer = visitor.get("/")

    assert visitor.where(answer) == "/accounts/login/?sso=no-role"
    assert visitor.me is None


def test_who_is_disabled_at_entra_id_is_out(visitor, entra):
    visitor.sign_in("carol")
    entra.control("person", name="carol", is_active=False)
    time.sleep(DUE)

    answer = visitor.get("/requests/")

    assert visitor.where(answer) == "/accounts/login/?sso=ended&next=%2Frequests%2F"
    assert visitor.me is None


def test_what_is_no_page_goes_on_for_a_while_and_then_waits_for_one(visitor):
    visitor.sign_in("carol")
    token = form_token(visitor.get("/accounts/sessions/"))
    ask = {
        "part of a page": lambda: visitor.get("/search/", follow=False, HX_Request="true"),
        "fetch": lambda: visitor.get("/search/", follow=False, Sec_Fetch_Mode="cors"),
        "API": lambda: visitor.get("/api/v1/me/", follow=False),
        "post": lambda: visitor.post("/theme/none/", token=token),
    }
    time.sleep(DUE)
    assert [(name, call().status_code) for name, call in ask.items()] == [
        ("part of a page", 200), ("fetch", 200), ("API", 200), ("post", 404),
    ]  # fmt: skip

    time.sleep(OVER - DUE)
    after = {name: call() for name, call in ask.items()}

    assert (after["part of a page"].status_code, after["part of a page"].headers["HX-Refresh"]) == (
        204,
        "true",
    )
    assert after["fetch"].status_code == 401
    assert (after["API"].status_code, after["API"].json()["code"]) == (401, "SignInAgain")
    visitor.get("/")
    assert ask["API"]().status_code == 200


def test_a_post_that_comes_too_late_loses_nothing(late):
    answer = late.post(
        "/catalog/resource-group/request/", token=late.form, reason='a "long" text', tags=["a", "b"]
    )

    assert answer.status_code == 401
    assert "Nothing was changed" in answer.text
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', answer.text)
    assert {("reason", "a &quot;long&quot; text"), ("tags", "a"), ("tags", "b")} <= set(fields)
    late.get("/")  # the new tab
    assert late.post("/accounts/sessions/end/", token=form_token(answer)).status_code == 302


def test_a_forged_post_is_not_given_back(late):
    answer = late.post("/catalog/resource-group/request/", token="x" * 64, reason="forged")

    assert answer.status_code == 403
    assert "forged" not in answer.text


def test_a_tenant_that_does_not_answer_ends_no_session(visitor, entra):
    visitor.sign_in("carol")
    time.sleep(DUE)
    entra.control("outage", down=True, only=f"/{tenant.TENANT}/oauth2/v2.0/token")

    during = visitor.get("/")
    entra.control("outage", down=False)

    assert during.status_code == 503
    assert visitor.get("/").status_code == 200
    assert visitor.me is not None


def test_signing_out_needs_no_renewal(late):
    answer = late.post("/accounts/logout/", token=late.form)

    assert "/oauth2/v2.0/logout" in answer.headers["Location"]
    assert late.me is None
