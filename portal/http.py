"""How a PortalError reaches the person: as a page, or as JSON from the API. And the headers of every answer."""

import logging
import re
import uuid
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import exception_handler

from portal import logs
from portal.errors import InvalidInput, PortalError
from portal.identity.models import User

logger = logging.getLogger(__name__)

DENIED_FEATURES = (
    "accelerometer", "autoplay", "camera", "display-capture", "geolocation", "gyroscope",
    "magnetometer", "microphone", "midi", "payment", "usb",
)  # fmt: skip
# Passkeys are for our own pages only.
OWN_FEATURES = ("publickey-credentials-create", "publickey-credentials-get")
PERMISSIONS_POLICY = ", ".join(
    [*(f"{name}=()" for name in DENIED_FEATURES), *(f"{name}=(self)" for name in OWN_FEATURES)]
)
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


class SignedIn(HttpRequest):
    """What a view gets: LoginRequiredMiddleware lets nobody else in."""

    user: User
    htmx: Any


class ApiCall(Request):
    """The same, for a view of the API."""

    user: User


class Headers:
    """Request id, Permissions-Policy, and no caching of what a signed-in person sees."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-Id", "")
        request_id = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]
        token = logs.request_id.set(request_id)
        try:
            response = self.get_response(request)
        finally:
            logs.request_id.reset(token)
        response.headers["X-Request-Id"] = request_id
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        if not request.path.startswith(settings.STATIC_URL):
            response.headers.setdefault("Cache-Control", "no-store")
        return response


class ErrorPages:
    """A page for every PortalError, so that no view has to catch one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return error_page(request, error) if isinstance(error, PortalError) else None


def is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def error_page(request: HttpRequest, error: PortalError) -> HttpResponse:
    """A refusal for whoever asked: a page for people, the one JSON body for machines."""
    if is_api(request):
        return JsonResponse(error.body(), status=error.status, headers=error.headers())
    return render(request, "error.html", {"error": error}, status=error.status)


def problem(status: int, code: str, message: str) -> JsonResponse:
    """The same body for what Django itself refuses."""
    return JsonResponse(_body(code, message), status=status)


def error_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """Every refusal of the API has the same body: code, message and problems by field."""
    if isinstance(error, exceptions.ValidationError):
        error = InvalidInput(_flat(error.detail))
    if isinstance(error, PortalError):
        return Response(error.body(), status=error.status, headers=error.headers())
    response = exception_handler(error, context)
    if response is not None:
        name = type(error).__name__
        code, message = CODES.get(name, name), MESSAGES.get(name) or _detail(response.data, error)
        if isinstance(error, exceptions.Throttled):
            message = f"Too many calls with this token: wait {response['Retry-After']} seconds."
        elif message.startswith("CSRF Failed"):
            code, message = "CsrfFailed", CSRF_FAILED
        response.data = _body(code, message)
    return response


# By the class of the exception: Django's and the framework's own words are not for those who call us.
CODES = {"Http404": "NotFound", "PermissionDenied": "NotAllowed", "Throttled": "TooManyCalls"}
NOT_THERE = "It is not there, or you may not see it."
CSRF_FAILED = (
    "A call with a session cookie needs its CSRF token in the header X-CSRFToken. Better use an API token."
)
MESSAGES = {
    "Http404": NOT_THERE,
    "NotFound": NOT_THERE,
    "NotAuthenticated": "Send a token: Authorization: Bearer gwk_…",
    "UnsupportedMediaType": "Send JSON, with Content-Type: application/json.",
    "NotAcceptable": "The API answers with application/json only.",
}


def _body(code: str, message: str) -> dict[str, Any]:
    return {"code": code, "message": message, "problems": {}}


def _detail(data: Any, error: Exception) -> str:
    return str(data.get("detail", error) if isinstance(data, dict) else error)


def _flat(detail: Any, path: str = "") -> dict[str, str]:
    """DRF's nested lists and dicts of messages as {dotted field: message}."""
    if isinstance(detail, dict):
        problems: dict[str, str] = {}
        for name, inner in detail.items():
            problems |= _flat(inner, f"{path}.{name}" if path else str(name))
        return problems
    if isinstance(detail, list):
        if any(isinstance(inner, dict) for inner in detail):
            return {k: v for i, inner in enumerate(detail) for k, v in _flat(inner, f"{path}.{i}").items()}
        return {path or "body": " ".join(str(message) for message in detail)}
    return {path or "body": str(detail)}
