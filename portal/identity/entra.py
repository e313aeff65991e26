"""
The only place that looks into a token of Entra ID, and that asks Entra ID and Graph something.

Endpoints and claims: https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc
"""

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import jwt
import requests
from django.conf import settings
from django.core.cache import cache
from django.utils.crypto import constant_time_compare
from django.views.decorators.debug import sensitive_variables

from portal.errors import OutsideError, Unavailable
from portal.keys import keyring
from portal.signing_keys import SigningKeys

Claims = Mapping[str, Any]

SECONDS_TO_ANSWER = 5
LEEWAY = 60  # seconds that clocks may differ
REQUIRED = ["iss", "aud", "exp", "iat", "sub", "tid", "oid"]
ONLY_IN_ID_TOKENS = {"nonce", "c_hash", "at_hash"}
GRAPH_TOKEN = "entra:graph"
GROUPS_PER_CALL = 20  # as many as checkMemberGroups takes
CALLS_AT_ONCE = 8
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class TokenRefused(Exception):
    """This token proves nothing here. The text says why; it holds nothing of the token."""


@dataclass(frozen=True)
class Access:
    """An access token: of an application that acts for a person, or for itself."""

    claims: Claims
    scopes: frozenset[str]  # what the person lets the application do, or the application's own app roles
    is_application: bool


# ── tokens ──────────────────────────────────────────────────────────────────────────────────────────────────


@sensitive_variables()
def verify_id_token(token: object, nonce: str) -> Claims:
    """The claims of the person who has just signed in. TokenRefused, or Unavailable without keys."""
    claims = _verify(token, {settings.ENTRA_CLIENT_ID})
    if not nonce or not constant_time_compare(str(claims.get("nonce", "")), nonce):
        raise TokenRefused("the nonce is not that of this sign-in")
    if claims.get("azp", settings.ENTRA_CLIENT_ID) != settings.ENTRA_CLIENT_ID:
        raise TokenRefused("it was issued to another application")
    return claims


@sensitive_variables()
def verify_access_token(token: str) -> Access:
    """What a bearer may do at the API. TokenRefused, or Unavailable without keys."""
    claims = _verify(token, settings.ENTRA_API_AUDIENCES)
    if ONLY_IN_ID_TOKENS & claims.keys():
        raise TokenRefused("it is an ID token, which tells who signed in and opens nothing")
    if claims.get("azp") not in settings.ENTRA_CLIENTS:
        raise TokenRefused("its application is not on the list of this portal")
    if claims.get("idtyp") == "app" or "scp" not in claims:
        return Access(claims, frozenset(claims.get("roles") or ()), is_application=True)
    scopes = frozenset(str(claims["scp"]).split())
    if settings.ENTRA_API_SCOPE not in scopes:
        raise TokenRefused(f"it has no scope {settings.ENTRA_API_SCOPE}")
    return Access(claims, scopes, is_application=False)


def _verify(token: object, audiences: Collection[str]) -> dict[str, Any]:
    if not isinstance(token, str):
        raise TokenRefused("there is none")
    try:
        header = jwt.get_unverified_header(token)
        if header.get("alg") != "RS256" or not isinstance(header.get("kid"), str):
            raise TokenRefused("its header has no key id, or another algorithm than RS256")
        claims = jwt.decode(
            token,
            _signing_key(header["kid"]),
            algorithms=["RS256"],
            audience=audiences,
            issuer=settings.ENTRA_ISSUER,
            leeway=LEEWAY,
            options={"require": REQUIRED},
        )
    except jwt.PyJWTError as error:
        raise TokenRefused(str(error).rstrip(".")) from error
    _check_whose(claims)
    return claims


def _check_whose(claims: Claims) -> None:
    """Beyond the standard: one audience, our tenant, no guest, the shape of version 2.0, and an object id."""
    if not isinstance(claims["aud"], str):
        raise TokenRefused("it is for several audiences")
    if not constant_time_compare(str(claims["tid"]), settings.ENTRA_TENANT_ID):
        raise TokenRefused("it is of another tenant")
    if claims.get("ver") != "2.0":
        raise TokenRefused("it is no token of version 2.0")
    if str(claims.get("acct")) == "1" and not settings.ENTRA_GUESTS:
        raise TokenRefused("guests of the tenant are not let in")
    try:
        UUID(claims["oid"])
    except (ValueError, TypeError, AttributeError) as error:
        raise TokenRefused("its object id is none") from error


def _signing_key(kid: str) -> Any:
    keys = SigningKeys(settings.OIDC_OP_JWKS_ENDPOINT, every=settings.ENTRA_KEYS_EVERY)
    key = keys.get(kid)
    if key is None:
        raise TokenRefused("it is signed with an unknown key")
    return key


# ── groups ──────────────────────────────────────────────────────────────────────────────────────────────────


def groups_among(claims: Claims, mapped: Collection[str]) -> set[str]:
    """
    Which of the mapped groups, by object id, the person is in.

    Entra ID leaves the groups out of a token when there are more than 200. Then Graph is asked about the mapped ones;
    the address that the token gives is never followed.
    """
    left_out = "groups" in (claims.get("_claim_names") or {}) or claims.get("hasgroups") in (True, "true")
    if not left_out:
        return set(claims.get("groups") or ()) & set(mapped)
    url = f"{settings.ENTRA_GRAPH_URL}/v1.0/users/{UUID(claims['oid'])}/checkMemberGroups"
    asked, headers = sorted(mapped), {"Authorization": f"Bearer {_graph_token()}"}

    def ask(start: int) -> list[str]:
        some = {"groupIds": asked[start : start + GROUPS_PER_CALL]}
        return _ask("POST", url, "value", json=some, headers=headers)["value"]

    try:
        with ThreadPoolExecutor(CALLS_AT_ONCE) as pool:
            answers = pool.map(ask, range(0, len(asked), GROUPS_PER_CALL))
            return {group for answer in answers for group in answer} & set(mapped)
    except OutsideError:
        cache.delete(GRAPH_TOKEN)  # if that was the reason, the next try has a new one
        raise


@sensitive_variables()
def _graph_token() -> str:
    kept, keys = cache.get(GRAPH_TOKEN), keyring(settings.ACCOUNT_KEYS, "accounts")
    if kept:
        return keys.decrypt(kept).decode()
    wanted = {"grant_type": "client_credentials", "scope": f"{settings.ENTRA_GRAPH_URL}/.default"}
    answer = ask_for_tokens(wanted)
    token: str = answer["access_token"]
    cache.set(GRAPH_TOKEN, keys.encrypt(token.encode()), max(60, int(answer.get("expires_in", 0)) - 300))
    return token


# ── asking ──────────────────────────────────────────────────────────────────────────────────────────────────


@sensitive_variables()
def ask_for_tokens(wanted: Mapping[str, str]) -> dict[str, Any]:
    """What the token endpoint gives for a code, or to the portal itself. Unavailable; OutsideError if it refuses."""
    form = {**wanted, **_proof_of_the_portal()}
    return _ask("POST", settings.OIDC_OP_TOKEN_ENDPOINT, "access_token", data=form)


def _proof_of_the_portal() -> dict[str, str]:
    proof = {"client_id": settings.ENTRA_CLIENT_ID}
    if settings.ENTRA_FEDERATED_TOKEN_FILE:
        try:
            assertion = Path(settings.ENTRA_FEDERATED_TOKEN_FILE).read_text().strip()  # replaced every hour
        except OSError as error:
            raise OutsideError(f"The token for Entra ID cannot be read: {error.strerror}.") from error
        return {**proof, "client_assertion_type": ASSERTION, "client_assertion": assertion}
    return {**proof, "client_secret": settings.ENTRA_CLIENT_SECRET}


@sensitive_variables()
def _ask(method: str, url: str, needed: str, **call: Any) -> dict[str, Any]:
    """
    The JSON of an answer, with the field that is needed.

    What went wrong is said without the address and the answer: both can hold secrets.
    """
    try:
        answer = requests.request(method, url, timeout=SECONDS_TO_ANSWER, allow_redirects=False, **call)
        if answer.status_code >= 500 or answer.status_code == 429:
            raise Unavailable(f"Entra ID answered with {answer.status_code}. Try again in a minute.")
        if answer.status_code != 200:
            raise OutsideError(
                f"Entra ID refused to answer: {answer.status_code} {_error_code(answer)}".strip()
            )
        body = answer.json()
    except requests.exceptions.JSONDecodeError:
        raise OutsideError("Entra ID answered with something that is no JSON.") from None
    except requests.RequestException as error:
        raise Unavailable(
            f"Entra ID did not answer ({type(error).__name__}). Try again in a minute."
        ) from None
    if not isinstance(body, dict) or needed not in body:
        raise OutsideError(f"Entra ID answered without {needed}.")
    return body


def _error_code(answer: requests.Response) -> str:
    """`invalid_client` and the like; the description next to it can name people."""
    try:
        code = answer.json()["error"]
    except (ValueError, KeyError, TypeError):
        return ""
    return (
        code[:60]
        if isinstance(code, str)
        else str(code.get("code", ""))[:60]
        if isinstance(code, dict)
        else ""
    )
