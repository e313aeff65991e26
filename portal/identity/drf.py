"""Who calls the API. No views in here: DRF imports it while its own views module is still loading."""

from typing import Any

from rest_framework import authentication, exceptions, permissions
from rest_framework.request import Request

from portal.identity import sessions, tokens
from portal.identity.models import ApiToken, User


class ApiTokenAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer gwk_…`; None for bearers that are not ours."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        parts = authentication.get_authorization_header(request).split()
        if len(parts) != 2 or parts[0].lower() != b"bearer":
            return None
        plain = parts[1].decode("latin-1")
        if not plain.startswith(tokens.PREFIX):
            return None
        try:
            token = tokens.find(plain)
        except tokens.NotAccepted as error:
            raise exceptions.AuthenticationFailed(str(error)) from None
        tokens.touch(token, sessions.address_of(request))
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="groundwork"'


class TokenScopePermission(permissions.BasePermission):
    """Reading needs requests:read, everything else requests:write. A browser session has no scopes."""

    def has_permission(self, request: Request, view: Any) -> bool:
        token: Any = request.auth
        if token is None:
            return True
        needed = tokens.READ if request.method in permissions.SAFE_METHODS else tokens.WRITE
        self.message = f"This token has no scope {needed}."
        return needed in token.scopes
