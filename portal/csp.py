"""
One strict Content Security Policy for every answer, the admin included.

The setting and the context variable are named as in Django 6, so that the upgrade deletes this file.
"""

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject


class ContentSecurityPolicyMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        made: list[str] = []

        def nonce() -> str:
            if not made:
                made.append(secrets.token_urlsafe(16))
            return made[0]

        request.csp_nonce = SimpleLazyObject(nonce)  # type: ignore[attr-defined]
        response = self.get_response(request)
        policy = _policy(settings.SECURE_CSP, made[0] if made else "")
        response.headers.setdefault("Content-Security-Policy", policy)
        return response


def _policy(directives: Mapping[str, list[str]], nonce: str) -> str:
    """The header's text. The nonce appears only when a template asked for it."""
    parts = []
    for name, sources in directives.items():
        shown = [f"'nonce-{nonce}'" if source == "<nonce>" else source for source in sources]
        parts.append(f"{name} {' '.join(s for s in shown if nonce or not s.startswith(chr(39) + 'nonce-'))}")
    return "; ".join(parts)


def csp(request: HttpRequest) -> dict[str, Any]:
    return {"csp_nonce": getattr(request, "csp_nonce", "")}
