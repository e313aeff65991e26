"""Sign-in with Entra ID: mozilla-django-oidc with its holes closed (docs/identity.md). Loaded only with a tenant."""

import logging
import time
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_GET
from mozilla_django_oidc.auth import OIDCAuthenticationBackend
from mozilla_django_oidc.views import OIDCAuthenticationCallbackView, OIDCAuthenticationRequestView

from portal.errors import OutsideError, SignInAgain, Unavailable
from portal.http import error_page, is_api
from portal.identity import entra, sessions
from portal.identity.local import sign_in_page
from portal.identity.models import Session, User
from portal.identity.provision import NoRole, provision

logger = logging.getLogger(__name__)

DUE = "oidc_id_token_expiration"  # in the session: when mozilla-django-oidc wants a new ID token
RENEW = "renew"  # in the address of the sign-in: nobody is to be asked anything


class EntraBackend(OIDCAuthenticationBackend):
    """The code of a callback becomes a person. Every refusal ends the search: no other backend is asked."""

    def authenticate(self, request: HttpRequest | None, **kwargs: Any) -> User | None:
        if request is None or "nonce" not in kwargs:  # somebody tries a password
            return None
        try:
            user: User | None = super().authenticate(request, **kwargs)
        except (entra.TokenRefused, OutsideError, SuspiciousOperation) as error:
            logger.warning("Entra ID sign-in refused: %s", error)
            request.entra_refusal = error  # type: ignore[attr-defined]
            raise PermissionDenied("Entra ID sign-in refused") from error
        return user

    def get_token(self, payload: dict[str, str]) -> dict[str, Any]:
        payload.pop("client_secret", None)  # the proof of who we are is added there
        return entra.ask_for_tokens(payload)

    def verify_token(self, token: object, **kwargs: Any) -> entra.Claims:
        return entra.verify_id_token(token, kwargs.get("nonce") or "")

    def store_tokens(self, access_token: object, id_token: object) -> None:
        """Nowhere: the session holds none."""

    def get_or_create_user(self, access_token: object, id_token: object, payload: entra.Claims) -> User:
        self.request.entra_claims = payload
        return provision(payload)

    def get_user(self, user_id: Any) -> User | None:
        return User.objects.filter(pk=user_id, is_active=True, auth_source=User.Source.ENTRA).first()


@method_decorator(login_not_required, name="dispatch")
class SignIn(OIDCAuthenticationRequestView):
    """To Entra ID, with state, nonce and PKCE."""

    def get(self, request: HttpRequest) -> HttpResponse:
        response = super().get(request)
        # Several tabs can be on their way at once, so each state remembers where it goes on.
        states = request.session["oidc_states"]
        states[list(states)[-1]]["next"] = request.session.pop("oidc_login_next", None)
        return response

    def get_extra_params(self, request: HttpRequest) -> dict[str, str]:
        if RENEW not in request.GET or not request.user.is_authenticated:
            return {"prompt": "select_account"} if "choose" in request.GET else {}
        # Without the hint, a browser with two Microsoft accounts cannot be renewed in silence.
        hint = request.session.get("entra", {}).get("login_hint")
        return {"prompt": "none", **({"login_hint": hint} if hint else {})}


@method_decorator(login_not_required, name="dispatch")
class Callback(OIDCAuthenticationCallbackView):
    """Back from Entra ID, at a first sign-in or at a renewal."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        # A stale tab, the back button or a forged address: nothing happens, and nobody is signed out.
        state = request.session.get("oidc_states", {}).get(request.GET.get("state", ""))
        if state is None:
            return redirect(settings.LOGIN_REDIRECT_URL if request.user.is_authenticated else sign_in_page())
        self.back, self.was_signed_in = state.get("next") or "", request.user.is_authenticated
        return super().get(request)

    @property
    def success_url(self) -> str:
        return self.back or settings.LOGIN_REDIRECT_URL

    def login_success(self) -> HttpResponse:
        response = super().login_success()
        claims: entra.Claims = self.request.entra_claims
        self.request.session["entra"] = {"login_hint": str(claims.get("login_hint", ""))}
        sessions.begin(self.request, entra_sid=str(claims.get("sid", "")))
        return response

    def login_failure(self) -> HttpResponse:
        refusal = getattr(self.request, "entra_refusal", None)
        if isinstance(refusal, Unavailable):  # nobody was refused, so a session goes on
            return error_page(self.request, refusal)
        if self.request.user.is_authenticated:
            logout(self.request)  # or a refused renewal would leave the old session open
        if isinstance(refusal, NoRole):
            return redirect(sign_in_page("no-role"))
        return redirect(
            sign_in_page("ended" if self.was_signed_in and refusal is None else "failed", self.back)
        )


class Renewal:
    """
    Asks Entra ID again after ENTRA_RENEW_AFTER seconds, so that what has changed there counts here.

    Only a page can be sent there and back. What cannot (a post, a part of a page, a call of the API) goes on working
    for ENTRA_RENEW_GRACE seconds more, so that nobody loses what they type, and then has to wait for a page.
    """

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        due = request.session.get(DUE)
        if due is None or not request.user.is_authenticated or _works_without(request):
            return None
        late = time.time() - due
        if late < 0:
            return None
        if _is_page(request):
            query = urlencode({RENEW: 1, "next": request.get_full_path()})
            return HttpResponseRedirect(f"{reverse('oidc_authentication_init')}?{query}")
        return None if late < settings.ENTRA_RENEW_GRACE else _must_be_renewed(request)


def _works_without(request: HttpRequest) -> bool:
    return request.path.startswith(("/accounts/", "/oidc/", "/healthz/", "/theme/", settings.STATIC_URL))


def _is_page(request: HttpRequest) -> bool:
    navigates = request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
    return (
        request.method == "GET" and navigates and "HX-Request" not in request.headers and not is_api(request)
    )


def _must_be_renewed(request: HttpRequest) -> HttpResponse:
    if "HX-Request" in request.headers and request.method == "GET":
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    if request.method == "POST" and not is_api(request) and "HX-Request" not in request.headers:
        # CSRF was checked before this: it is the person's own form, and it is given back.
        fields = [(name, value) for name, values in request.POST.lists() for value in values]
        return render(request, "account/renew.html", {"fields": fields}, status=401)
    return error_page(request, SignInAgain("Your sign-in must be confirmed: load the page again."))


@require_GET
@login_not_required
@xframe_options_exempt
def frontchannel_logout(request: HttpRequest) -> HttpResponse:
    """Entra ID loads this in a hidden frame when somebody signs out elsewhere. No cookie comes along, only `sid`."""
    sid = request.GET.get("sid", "")
    if sid and request.GET.get("iss") == settings.ENTRA_ISSUER:
        Session.objects.filter(entra_sid=sid).delete()
    policy = f"default-src 'none'; frame-ancestors {settings.ENTRA_AUTHORITY}"
    return HttpResponse(headers={"Content-Security-Policy": policy})
