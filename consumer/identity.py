"""
Who speaks for a run.

A worker of the local runner has the one-time token of its run. A job of GitHub Actions has a token that GitHub signs
for this very job: see https://docs.github.com/actions/reference/security/oidc. It lives for minutes and is good for one
call, so the claim is answered with a token of the run, for all that follows.
"""

import hmac
import logging
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

import jwt
from django.conf import settings
from django.core.cache import cache as shared
from django.core.signals import setting_changed
from django.utils.timezone import now
from django.views.decorators.debug import sensitive_variables

from consumer import runs
from portal import audit, ports
from portal.errors import NotAllowed, Unavailable, VersionConflict
from portal.ports import Phase, RunDocument
from portal.signing_keys import SigningKeys
from requests_app.models import ServiceRequest

logger = logging.getLogger(__name__)

REQUIRED = ["iss", "aud", "exp", "iat", "jti", "repository_id", "job_workflow_ref", "run_id", "run_attempt"]
LEEWAY = 30  # seconds that clocks may differ
EVENT = "workflow_dispatch"
SAID_ONCE_IN = 600  # seconds: who tries again and again does not fill the audit trail
ATTEMPTS = 5


class Reason(StrEnum):
    """Why a token was refused: in the answer and in the audit trail."""

    MISSING = (
        "missing",
        "Send the token of the run: as a bearer token, or for a state with the run key as the user.",
    )
    WRONG = "wrong", "This token is not for this run."
    MALFORMED = "malformed", "This is no complete token of GitHub Actions."
    KEY = "key", "It is signed with a key that GitHub does not know."
    SIGNATURE = "signature", "Its signature is not right."
    ISSUER = "issuer", "It is from another issuer."
    AUDIENCE = "audience", "It is for somebody else than this portal."
    EXPIRED = "expired", "It has expired."
    EARLY = "early", "It is not valid yet."
    REPOSITORY = "repository", "It is from another repository."
    WORKFLOW = "workflow", "It is from another workflow, or another version of it."
    EVENT = "event", "Its run was not dispatched."
    RUN = "run", "It is from another run than the one that was dispatched."
    ATTEMPT = "attempt", "It is from a repetition that the portal did not start."
    REPLAYED = "replayed", "It was used for another call."

    message: str

    def __new__(cls, value: str, message: str) -> "Reason":
        member = str.__new__(cls, value)
        member._value_, member.message = value, message
        return member


class TokenRefused(NotAllowed):
    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.message)
        self.reason = reason

    def body(self) -> dict[str, Any]:
        return {**super().body(), "reason": str(self.reason)}


@dataclass(frozen=True)
class Job:
    """What GitHub says about the one who calls."""

    run_id: str
    run_attempt: int
    token_id: str  # a digest
    until: int  # second in which the token ends


@dataclass(frozen=True)
class Caller:
    run: RunDocument
    is_job: bool  # GitHub vouches for it; else it has the token of the run


@sensitive_variables()
def authenticate(key: str, token: str, call: str) -> Caller:
    """
    TokenRefused, which the audit trail is told of; Unavailable when nobody can say.

    `call` is its name and what tells it from others: a token of GitHub is good for one call, which may be repeated.
    """
    try:
        if settings.GITHUB_REPOSITORY_ID and token.count(".") == 2:
            return Caller(_use(_read(key), verify(token), call), is_job=True)
        return Caller(_by_run_token(key, token), is_job=False)
    except TokenRefused as refusal:
        _tell(key, refusal)
        raise


@sensitive_variables()
def by_run_token(key: str, token: str) -> None:
    """The only way to Terraform's state, which is written long after a token of GitHub has ended."""
    try:
        _by_run_token(key, token)
    except TokenRefused as refusal:
        _tell(key, refusal)
        raise


def _by_run_token(key: str, token: str) -> RunDocument:
    run = ports.tracker().get_run(key)
    known = run.token_digest if run else runs.digest("")
    if not hmac.compare_digest(known, runs.digest(token)) or run is None or not token:
        raise TokenRefused(Reason.WRONG if token else Reason.MISSING)
    return run


# ── the token of GitHub ─────────────────────────────────────────────────────────────────────────────────────


@sensitive_variables()
def verify(token: str) -> Job:
    """Everything that can be checked without knowing the run."""
    claims = _signed_claims(token)
    expected = {
        Reason.REPOSITORY: ("repository_id", settings.GITHUB_REPOSITORY_ID),
        Reason.WORKFLOW: ("job_workflow_ref", settings.GITHUB_WORKFLOW),
        Reason.EVENT: ("event_name", EVENT),
    }
    for reason, (name, value) in expected.items():
        if str(claims.get(name)) != value:
            raise TokenRefused(reason)
    attempt = str(claims["run_attempt"])
    if not (attempt.isascii() and attempt.isdecimal()):
        raise TokenRefused(Reason.MALFORMED)
    return Job(str(claims["run_id"]), int(attempt), runs.digest(str(claims["jti"])), int(claims["exp"]))


# By the exception of PyJWT; in this order, because some are kinds of others.
REASONS = {
    jwt.ExpiredSignatureError: Reason.EXPIRED,
    jwt.ImmatureSignatureError: Reason.EARLY,
    jwt.InvalidAudienceError: Reason.AUDIENCE,
    jwt.InvalidIssuerError: Reason.ISSUER,
    jwt.InvalidSignatureError: Reason.SIGNATURE,
}


def _signed_claims(token: str) -> dict[str, Any]:
    try:
        header = jwt.get_unverified_header(token)
        kid = header.get("kid")
        if header.get("alg") != "RS256" or not isinstance(kid, str):
            raise TokenRefused(Reason.MALFORMED)
        signing_key = _keys().get(kid)
        if signing_key is None:
            raise TokenRefused(Reason.KEY)
        claims = jwt.decode(
            token,
            signing_key,
            algorithms=["RS256"],
            audience=settings.GITHUB_AUDIENCE,
            issuer=settings.GITHUB_ISSUER,
            leeway=LEEWAY,
            options={"require": REQUIRED, "strict_aud": True},
        )
    except jwt.PyJWTError as error:
        reason = next((r for kind, r in REASONS.items() if isinstance(error, kind)), Reason.MALFORMED)
        raise TokenRefused(reason) from error
    return claims


@cache
def _keys() -> SigningKeys:
    return SigningKeys(f"{settings.GITHUB_ISSUER}/.well-known/jwks", every=settings.GITHUB_KEYS_EVERY)


def _forget_keys(*, setting: str, **kwargs: Any) -> None:
    if setting == "GITHUB_ISSUER":
        _keys.cache_clear()


setting_changed.connect(_forget_keys)


# ── the run ─────────────────────────────────────────────────────────────────────────────────────────────────


def _read(key: str) -> RunDocument:
    run = ports.tracker().get_run(key)
    if run is None:
        raise TokenRefused(Reason.RUN)
    return run


def _use(run: RunDocument, job: Job, call: str) -> RunDocument:
    """The document, which knows now that the token was used for this call."""
    for _ in range(ATTEMPTS):
        _check_dispatched(run, job)
        if job.token_id in run.tokens:
            return _repeated(run, job, call)
        alive = {name: used for name, used in run.tokens.items() if used["until"] > now().timestamp()}
        used = {"call": call, "until": job.until + LEEWAY}
        try:
            return ports.tracker().update_run(run, run_id=job.run_id, tokens={**alive, job.token_id: used})
        except VersionConflict:
            run = _read(run.key)
    raise VersionConflict(f"Run {run.key} changes too quickly: try again.")


def _repeated(run: RunDocument, job: Job, call: str) -> RunDocument:
    """The same call again, because its answer was lost; but no claim once the worker has gone on."""
    is_late = call.startswith("claim ") and run.phase not in (Phase.CREATED, Phase.CLAIMED)
    if run.tokens[job.token_id]["call"] != call or is_late:
        raise TokenRefused(Reason.REPLAYED)
    return run


def _check_dispatched(run: RunDocument, job: Job) -> None:
    if job.run_id != (run.run_id or _dispatched_id(run.key)):
        raise TokenRefused(Reason.RUN)
    if job.run_attempt != run.run_attempt:
        raise TokenRefused(Reason.ATTEMPT)


def _dispatched_id(key: str) -> str:
    """As the runner knows it: the answer to the dispatch can have been lost."""
    found = ports.runner().find(key)
    if found is None:
        raise Unavailable(f"The runner does not know run {key} yet: try again.")
    return found.id


# ── telling ─────────────────────────────────────────────────────────────────────────────────────────────────


def _tell(key: str, refusal: TokenRefused) -> None:
    """In the audit trail, for a request that is there, and once in a while for each reason."""
    logger.warning("A token for run %.40s was refused: %s", key, refusal.reason)
    number = key.partition("-a")[0]
    if not (number.isascii() and number.isdecimal() and len(number) < 19):
        return
    found = ServiceRequest.objects.select_related("business_unit").filter(pk=int(number)).first()
    if found and shared.add(f"refused:{found.pk}:{refusal.reason}", 1, SAID_ONCE_IN):
        audit.record(
            "run.refused",
            found.ref,
            actor=None,
            business_unit=found.business_unit,
            note=str(refusal),
            data={"run": key[:40], "reason": str(refusal.reason)},
        )
