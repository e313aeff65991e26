"""Accounts with a password of the portal's own."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from portal.errors import NotAllowed
from portal.identity.models import User


class LocalAccountBackend(AuthenticationBackend):
    """Passwords work only for local accounts, whatever the password column says."""

    def user_can_authenticate(self, user: User) -> bool:
        return super().user_can_authenticate(user) and user.is_local


class LocalAccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        if not user.is_local:
            raise NotAllowed("This account signs in with Entra ID.")
        return super().pre_login(request, user, **kwargs)

    def set_password(self, user: User, password: str) -> None:
        if not user.is_local:
            raise PermissionDenied
        super().set_password(user, password)
