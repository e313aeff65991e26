"""Which pages an account may open at all, before any question of roles."""

from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from portal.errors import NotAllowed
from portal.http import error_page, is_api
from portal.identity.models import User

PASSWORD_PAGE = "account_change_password"
# Passwords and second factors: allauth would let an account without a password make itself some.
LOCAL_ONLY = {PASSWORD_PAGE, "account_reauthenticate"}
ALWAYS = {"account_logout", "theme"}


class AccountGate:
    """
    Local and Entra accounts keep to their own paths, a one-time password opens only the page that replaces it, and
    operators with a local account set up a second factor before anything else.
    """

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        user, page = request.user, _page(request)
        if not isinstance(user, User) or page in ALWAYS:
            return None
        if not user.is_local:
            return error_page(request, NotAllowed(MANAGED_ELSEWHERE)) if _is_local_only(page) else None
        if user.one_time_until:
            return None if page == PASSWORD_PAGE else _first(request, PASSWORD_PAGE, FIRST_THE_PASSWORD)
        if needs_second_factor(user):
            return None if _is_local_only(page) else _first(request, "mfa_index", FIRST_THE_SECOND_FACTOR)
        return None


MANAGED_ELSEWHERE = "Your account is managed in Entra ID: change its password and its second factor there."
FIRST_THE_PASSWORD = "Change your one-time password first."
FIRST_THE_SECOND_FACTOR = "Set up a second factor first: operators need one."


def needs_second_factor(user: User) -> bool:
    """allauth has no switch for this."""
    return settings.SECOND_FACTOR and (user.is_staff or user.is_superuser) and not is_mfa_enabled(user)


def _page(request: HttpRequest) -> str:
    return request.resolver_match.view_name if request.resolver_match else ""


def _is_local_only(page: str) -> bool:
    return page in LOCAL_ONLY or page.startswith("mfa_")


def _first(request: HttpRequest, page: str, why: str) -> HttpResponseBase:
    return error_page(request, NotAllowed(why)) if is_api(request) else redirect(page)
