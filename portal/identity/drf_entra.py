"""Access tokens of Entra ID as bearers at the API. Loaded only with a tenant."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import authentication, exceptions
from rest_framework.request import Request

from portal.identity import entra, tokens
from portal.identity.models import User
from portal.identity.provision import AccountClosed, NoRole, provision

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Bearer:
    """What request.auth is: what the token may do, whatever its person may."""

    scopes: frozenset[str]


class EntraBearerAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer eyJ…` of Entra ID for this API; checked here, without asking anybody."""

    def authenticate(self, request: Request) -> tuple[User, Bearer] | None:
        parts = authentication.get_authorization_header(request).split()
        if len(parts) != 2 or parts[0].lower() != b"bearer" or parts[1].startswith(tokens.PREFIX.encode()):
            return None
        try:
            access = entra.verify_access_token(parts[1].decode("latin-1"))
            return _application(access) if access.is_application else _person(access)
        except entra.TokenRefused as error:
            logger.warning("Bearer of Entra ID refused: %s", error)
            raise exceptions.AuthenticationFailed(f"This token is not accepted: {error}.") from error

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="groundwork"'


def _person(access: entra.Access) -> tuple[User, Bearer]:
    claims = access.claims
    user = User.objects.filter(entra_tid=claims["tid"], entra_oid=claims["oid"]).first()
    if user is None or user.auth_source != User.Source.ENTRA or _is_news(claims, user):
        user = provision(claims)
    if not user.is_active:
        raise AccountClosed("the account is closed in the portal")
    return user, Bearer(frozenset({tokens.READ, tokens.WRITE}))


def _is_news(claims: entra.Claims, user: User) -> bool:
    """A token lives for more than an hour: what it says counts only if nothing newer was heard."""
    return user.claims_synced_at is None or datetime.fromtimestamp(claims["iat"], UTC) > user.claims_synced_at


def _application(access: entra.Access) -> tuple[User, Bearer]:
    """A service account, registered before by its object id. Its app roles are its scopes."""
    claims = access.claims
    user = User.objects.filter(
        auth_source=User.Source.SERVICE, is_active=True, entra_tid=claims["tid"], entra_oid=claims["oid"]
    ).first()
    if user is None:
        raise NoRole("no service account here has its object id")
    return user, Bearer(access.scopes)


class EntraBearerScheme(OpenApiAuthenticationExtension):
    """Tells drf-spectacular how they are sent."""

    target_class = EntraBearerAuthentication
    name = "entraBearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
