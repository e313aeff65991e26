"""Accounts with a password of the portal's own: people of a portal without Entra ID, and break-glass accounts."""

import logging
from typing import Any
from urllib.parse import urlencode

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.timezone import now

from portal import audit
from portal.errors import NotAllowed
from portal.identity import sessions
from portal.identity.models import User
from portal.keys import keyring

logger = logging.getLogger(__name__)


def sign_in_page(reason: str = "", following: str = "") -> str:
    """Its address; it has words for the reason, and goes on to `following`, a path of the portal."""
    query = {name: value for name, value in (("sso", reason), ("next", following)) if value}
    return reverse("account_login") + (f"?{urlencode(query)}" if query else "")


def has_spent_password(user: User) -> bool:
    return user.one_time_until is not None and user.one_time_until <= now()


class LocalAccountBackend(AuthenticationBackend):
    """Passwords work only for local accounts, whatever the password column says."""

    def user_can_authenticate(self, user: User) -> bool:
        return super().user_can_authenticate(user) and user.is_local and not has_spent_password(user)


class LocalAccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        """Every way in comes by here: password, passkey, and whatever a later release adds."""
        if not user.is_local:
            raise NotAllowed("This account signs in with Entra ID.")
        if has_spent_password(user):
            raise NotAllowed("This one-time password has ended: ask the platform team for a new one.")
        return super().pre_login(request, user, **kwargs)

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        sessions.begin(request)
        if user.is_staff:  # break-glass accounts are operators: somebody should look at every use
            address = sessions.address_of(request)
            logger.warning("The operator %s signed in with a local account, from %s.", user.username, address)
            audit.record("identity.sign_in", f"account {user.username}"[:80], actor=user, note=address)
        return super().post_login(request, user, **kwargs)

    def get_logout_redirect_url(self, request: HttpRequest) -> str:
        if request.user.is_authenticated and not request.user.is_local:
            return sessions.sign_out_address(request)
        return super().get_logout_redirect_url(request)

    def set_password(self, user: User, password: str) -> None:
        if not user.is_local:
            raise PermissionDenied
        user.one_time_until = None
        super().set_password(user, password)

    def send_password_reset_mail(self, user: User, email: str, context: dict[str, Any]) -> None:
        """Never: there is no such page, and a link in a mailbox is no second factor. See `create_admin --reset`."""


class EncryptingMFAAdapter(DefaultMFAAdapter):
    """Authenticator secrets and recovery codes are stored encrypted; the stock adapter stores them in clear."""

    def encrypt(self, text: str) -> str:
        return keyring(settings.ACCOUNT_KEYS, "accounts").encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return keyring(settings.ACCOUNT_KEYS, "accounts").decrypt(encrypted_text).decode()

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        return f"Passkey {Authenticator.objects.filter(user=user, type=type).count() + 1}"
