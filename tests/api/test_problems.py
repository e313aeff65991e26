"""Whatever is refused, and whoever refuses it: one body."""

import logging
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest, PermissionDenied
from django.test import Client
from django.urls import include, path
from rest_framework.test import APIClient

from portal.errors import InProgress, Unavailable, WrongState
from portal.identity import tokens

ME = "/api/v1/me/"


def refusal_of(response: Any, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status
    assert response["Content-Type"] == "application/json"
    body = response.json()
    assert set(body) >= {"code", "message", "problems"}
    assert body["code"] == code
    assert body["message"]
    return body


@pytest.fixture
def dora(people, api_for):
    return api_for(people.dora)


def test_an_address_that_is_not_there(dora):
    for url in ("/api/v1/nothing/", "/api/v2/me/", "/api/v1/requests/12345678901234567890/"):
        assert "schema" in refusal_of(dora.get(url), 404, "NotFound")["message"]


def test_a_thing_that_is_not_there(dora):
    for url in ("/api/v1/requests/REQ-9/", "/api/v1/items/mainframe/", f"/api/v1/webhooks/{uuid4()}/"):
        refusal_of(dora.get(url), 404, "NotFound")


def test_a_method_that_is_not_there(dora):
    refused = dora.delete(ME)

    refusal_of(refused, 405, "MethodNotAllowed")
    assert "GET" in refused["Allow"]


def test_a_body_that_is_no_json(dora):
    refusal_of(dora.post("/api/v1/requests/", "a=1", content_type="text/plain"), 415, "UnsupportedMediaType")
    refusal_of(dora.post("/api/v1/requests/", "{", content_type="application/json"), 400, "ParseError")
    nothing = dora.post("/api/v1/requests/", "null", content_type="application/json")
    assert refusal_of(nothing, 400, "InvalidInput")["problems"] == {"body": "Send a JSON object."}


def test_another_format_than_json(dora):
    refusal_of(dora.get(ME, headers={"Accept": "text/csv"}), 406, "NotAcceptable")


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "NotAuthenticated"),
        ("Bearer gwk_short", "AuthenticationFailed"),
        ("Basic YTpi", "NotAuthenticated"),
    ],
)
def test_nobody_that_is_known(db, header, code):
    refused = Client().get(ME, headers={"Authorization": header})

    refusal_of(refused, 401, code)
    assert refused["WWW-Authenticate"].startswith("Bearer")


def test_a_token_without_the_scope(people):
    _, plain = tokens.issue(people.anna, "reads", scopes=[tokens.READ])

    refused = APIClient().post("/api/v1/requests/", {}, headers={"Authorization": f"Bearer {plain}"})

    assert "requests:write" in refusal_of(refused, 403, "NotAllowed")["message"]


def test_a_session_without_its_csrf_token(people):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(people.anna, backend="portal.identity.local.LocalAccountBackend")

    refused = browser.post("/api/v1/requests/", {}, "application/json")

    assert "X-CSRFToken" in refusal_of(refused, 403, "CsrfFailed")["message"]


def test_a_body_that_is_too_large(dora, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    refusal_of(dora.post("/api/v1/requests/", {"name": "x" * 200}), 400, "BadRequest")


def test_a_run_that_is_asked_for_in_the_wrong_way(db):
    refused = Client().get("/api/v1/runs/1-a1/claim")

    refusal_of(refused, 405, "MethodNotAllowed")
    assert refused["Allow"] == "POST"


# ── what no view was written for ────────────────────────────────────────────────────────────────────────────

RAISED = {
    "bad": BadRequest("what"),
    "denied": PermissionDenied("what"),
    "late": WrongState("REQ-1 is approved now"),
    "away": Unavailable("the queue does not answer"),
    "busy": InProgress("the first call is being answered"),
    "bug": RuntimeError("secret-of-the-house"),
}


@login_not_required
def broken(request, what):
    raise RAISED[what]


urlpatterns = [path("api/v1/broken/<slug:what>/", broken), path("", include("portal.urls"))]
handler400 = "portal.views.bad_request"
handler403 = "portal.views.permission_denied"
handler404 = "portal.views.page_not_found"
handler500 = "portal.views.server_error"


@pytest.mark.parametrize(
    ("what", "status", "code"),
    [
        ("bad", 400, "BadRequest"),
        ("denied", 403, "NotAllowed"),
        ("late", 409, "WrongState"),
        ("away", 503, "Unavailable"),
        ("busy", 409, "InProgress"),
        ("bug", 500, "ServerError"),
    ],
)
def test_what_is_raised_below_the_api_has_the_same_body(db, settings, what, status, code):
    settings.ROOT_URLCONF = __name__
    answer = Client(raise_request_exception=False).get(f"/api/v1/broken/{what}/")

    refusal_of(answer, status, code)
    assert answer.get("Retry-After") == ("1" if what == "busy" else None)


def test_a_bug_is_told_without_its_words_and_with_the_id_of_the_call(db, settings, caplog):
    settings.ROOT_URLCONF = __name__
    client = Client(raise_request_exception=False)

    with caplog.at_level(logging.ERROR):
        refused = client.get("/api/v1/broken/bug/", headers={"X-Request-ID": "call-4711-x"})

    assert "secret-of-the-house" not in refused.content.decode()
    assert refused["X-Request-ID"] == "call-4711-x"
    assert "secret-of-the-house" in caplog.text
