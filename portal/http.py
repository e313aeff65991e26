"""How a PortalError reaches the person: as a page, or as JSON from the API. And the headers of every answer."""

import logging
import re
import uuid
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import exception_handler

from portal.errors import InvalidInput, PortalError
from portal.identity.models import User

logger = logging.getLogger(__name__)

DENIED_FEATURES = (
    "accelerometer", "autoplay", "camera", "display-capture", "geolocation", "gyroscope",
    "magnetometer", "microphone", "midi", "payment", "usb",
)  # fmt: skip
PERMISSIONS_POLICY = ", ".join(f"{name}=()" for name in DENIED_FEATURES)
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
        response = self.get_response(request)
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
        if not isinstance(error, PortalError):
            return None
        return render(request, "error.html", {"error": error}, status=error.status)


def error_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """Every refusal of the API has the same body: code, message and problems by field."""
    if isinstance(error, exceptions.ValidationError):
        error = InvalidInput(_flat(error.detail))
    if isinstance(error, PortalError):
        return Response(error.body(), status=error.status)
    response = exception_handler(error, context)
    if response is not None:
        detail = response.data.get("detail", error) if isinstance(response.data, dict) else error
        code = getattr(detail, "code", type(error).__name__)
        response.data = {
            "code": CODES.get(code, type(error).__name__),
            "message": str(detail),
            "problems": {},
        }
    return response


CODES = {"not_found": "NotFound", "not_authenticated": "NotAuthenticated", "parse_error": "ParseError"}


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
