"""What Entra ID writes into its tokens, and its signing keys."""

import hashlib
from typing import Any

from allauth.idp.oidc.adapter import DefaultOIDCAdapter
from allauth.idp.oidc.models import PrivateKey
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings

from tests.peers.entra import tenant
from tests.peers.entra.models import Person

GRAPH = "00000003-0000-0000-c000-000000000000"
SCOPES_OF_EVERYBODY = {"openid", "profile", "email", "offline_access"}
GROUPS_IN_A_TOKEN = 200  # of more, Entra ID writes only where to ask


def new_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain).decode()


KEYS = [new_key()]  # the last one signs; the others are still published


class EntraAdapter(DefaultOIDCAdapter):
    def get_issuer(self) -> str:
        return f"{settings.TENANT_URL}/v2.0"

    def list_private_keys(self, **kwargs: Any) -> list[PrivateKey]:
        return [PrivateKey(pem=pem) for pem in KEYS]

    def get_signing_key(self) -> PrivateKey:
        return PrivateKey(pem=KEYS[-1])

    def get_claims(self, purpose: str, user: Person, *args: Any, **kwargs: Any) -> dict[str, Any]:
        claims = super().get_claims(purpose, user, *args, **kwargs)
        if purpose == "id_token":  # userinfo is Graph's, and tells none of these
            claims |= about(user)
            claims |= {"sid": session_of(user), "login_hint": f"O.hint-of-{user.username}"}
        return claims

    def populate_access_token(
        self, claims: dict[str, Any], *, client: Any, scopes: Any, user: Any, **kwargs: Any
    ) -> None:
        for name in ("client_id", "token_use", "scope"):
            claims.pop(name, None)
        claims |= {"azp": client.id, "tid": tenant.TENANT, "ver": "2.0", "nbf": claims["iat"]}
        if user is None:  # an application for itself
            own = client.data or {}
            claims |= {"aud": tenant.PORTAL, "oid": own.get("oid"), "sub": own.get("oid"), "idtyp": "app"}
            claims["roles"] = own.get("roles", [])
            return
        claims |= about(user)
        asked = [scope for scope in scopes if scope not in SCOPES_OF_EVERYBODY]
        claims["aud"] = asked[0].split("/")[2] if asked else GRAPH  # api://<client id>/<scope>
        if asked:
            claims["scp"] = " ".join(scope.rpartition("/")[2] for scope in asked)


def about(person: Person) -> dict[str, Any]:
    claims: dict[str, Any] = {
        "oid": str(person.oid),
        "tid": tenant.TENANT,
        "ver": "2.0",
        "acct": 1 if person.is_guest else 0,
        "preferred_username": person.email,
        "email": person.email,
        "name": person.get_full_name(),
    }
    if person.app_roles:
        claims["roles"] = person.app_roles
    if len(person.groups) > GROUPS_IN_A_TOKEN:
        source = f"{settings.BASE_URL}/v1.0/users/{person.oid}/getMemberObjects"
        claims |= {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": source}}}
    elif person.groups:
        claims["groups"] = person.groups
    return claims


def session_of(person: Person) -> str:
    return hashlib.sha256(f"session of {person.pk}".encode()).hexdigest()[:32]
