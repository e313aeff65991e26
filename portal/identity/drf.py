"""Who calls the API. No views in here: DRF imports it while its own views module is still loading."""

from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.utils.timezone import now
from rest_framework import authentication, exceptions, permissions
from rest_framework.request import Request

from portal.identity import tokens
from portal.identity.models import ApiToken, User

USED_STEP = timedelta(minutes=5)  # so that not every call writes
CREATE_ONE = "create a new one with `manage.py create_token`, or ask the platform team"


class ApiTokenAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer gwk_…`; None for bearers that are not ours."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        parts = authentication.get_authorization_header(request).split()
        if len(parts) != 2 or parts[0].lower() != b"bearer":
            return None
        plain = parts[1].decode("latin-1")
        if not plain.startswith(tokens.PREFIX):
            return None
        token = _find(plain)
        at = now()
        stale = Q(last_used_at__isnull=True) | Q(last_used_at__lt=at - USED_STEP)
        if token.last_used_at is None or token.last_used_at < at - USED_STEP:
            ApiToken.objects.filter(stale, pk=token.pk).update(
                last_used_at=at, last_address=request.META.get("REMOTE_ADDR") or None
            )
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="groundwork"'


def _find(plain: str) -> ApiToken:
    if not tokens.is_well_formed(plain):
        raise exceptions.AuthenticationFailed("This is not a token of Groundwork: copy it again, whole.")
    found = ApiToken.objects.select_related("user").filter(digest=tokens.digest(plain)).first()
    if found is None or not found.user.is_active:
        raise exceptions.AuthenticationFailed(f"This token is not known: {CREATE_ONE}.")
    if found.business_unit_id:
        # Rights are scoped by membership alone so far: better no token than one that can do more than it says.
        raise exceptions.AuthenticationFailed("Tokens for a single business unit are not accepted.")
    if found.revoked_at:
        raise exceptions.AuthenticationFailed(f"This token was revoked: {CREATE_ONE}.")
    if found.expires_at <= now():
        raise exceptions.AuthenticationFailed(f"This token has expired: {CREATE_ONE}.")
    return found


class TokenScopePermission(permissions.BasePermission):
    """Reading needs requests:read, everything else requests:write. A browser session has no scopes."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not isinstance(request.auth, ApiToken):
            return True
        needed = tokens.READ if request.method in permissions.SAFE_METHODS else tokens.WRITE
        self.message = f"This token has no scope {needed}."
        return needed in request.auth.scopes
