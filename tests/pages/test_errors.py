import pytest
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest, PermissionDenied
from django.test import Client
from django.urls import include, path

from portal.errors import NotAllowed, Unavailable, WrongState

RAISED = {
    "bad": BadRequest("what"),
    "denied": PermissionDenied(),
    "not-allowed": NotAllowed("you may not do that"),
    "late": WrongState("REQ-1 is approved now"),
    "away": Unavailable("the queue does not answer"),
    "bug": RuntimeError("a secret detail"),
}


@login_not_required
def broken(request, what):
    raise RAISED[what]


urlpatterns = [path("broken/<slug:what>/", broken), path("", include("portal.urls"))]
handler400 = "portal.views.bad_request"
handler403 = "portal.views.permission_denied"
handler404 = "portal.views.page_not_found"
handler500 = "portal.views.server_error"


@pytest.fixture
def anna(people, client_for, settings):
    settings.ROOT_URLCONF = __name__
    client = client_for(people.anna)
    client.raise_request_exception = False
    return client


@pytest.mark.parametrize(
    ("what", "status", "words"),
    [
        ("bad", 400, "That could not be read"),
        ("denied", 403, "You do not have access to do that"),
        ("not-allowed", 403, "You may not do that."),
        ("late", 409, "REQ-1 is approved now."),
        ("away", 503, "The queue does not answer."),
        ("bug", 500, "Something went wrong on our side"),
    ],
)
def test_every_failure_has_a_page(what, status, words, anna):
    response = anna.get(f"/broken/{what}/")

    assert response.status_code == status
    assert words in response.content.decode()
    assert "Traceback" not in response.content.decode()
    assert "a secret detail" not in response.content.decode()


def test_a_page_that_is_not_there_keeps_the_navigation(anna):
    response = anna.get("/nowhere/")

    assert response.status_code == 404
    assert "There is no such page" in response.content.decode()
    assert "My requests" in response.content.decode()


def test_a_stranger_sees_the_plain_page(settings, db):
    settings.ROOT_URLCONF = __name__
    client = Client(raise_request_exception=False)

    response = client.get("/broken/denied/")

    assert response.status_code == 403
    assert "My requests" not in response.content.decode()


def test_a_form_without_its_token_is_refused_in_words(people, client_for, waiting):
    client = Client(enforce_csrf_checks=True)
    client.force_login(people.bert, backend="portal.identity.local.LocalAccountBackend")

    response = client.post(f"/requests/{waiting.pk}/approve/")

    assert response.status_code == 403
    assert b"This form has expired" in response.content
