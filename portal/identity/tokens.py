"""
API tokens: gwk_, 43 base62 characters (256 bits), 6 base62 characters of CRC-32.

The prefix lets secret scanners find them; the checksum refuses typing errors before the database is asked. A fast hash
is right for 256 random bits. A token can do what its owner can now, in its scopes and its business unit if it has one.
"""

import hashlib
import secrets
import string
import zlib
from collections.abc import Collection, Iterable
from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils.timezone import now
from django.views.decorators.debug import sensitive_variables

from portal import audit
from portal.errors import InvalidInput, NotAllowed
from portal.identity.models import ApiToken, BusinessUnit, User
from portal.identity.roles import Scope

PREFIX = "gwk_"
ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
SECRET_LENGTH, CHECK_LENGTH = 43, 6
READ, WRITE = str(Scope.READ), str(Scope.WRITE)
LONGEST_NAME = 80
SERVICE_MAX_DAYS = 365  # nobody is there to renew them every quarter
MOST = 20  # tokens that work, for one account
USED_STEP = timedelta(minutes=1)  # so that not every call writes
GET_ONE = "make a new one on the page API tokens"


def max_days(owner: User) -> int:
    return SERVICE_MAX_DAYS if owner.auth_source == User.Source.SERVICE else settings.API_TOKEN_MAX_DAYS


def issue(
    user: User,
    name: str,
    *,
    scopes: Iterable[str] = (READ, WRITE),
    business_unit: BusinessUnit | None = None,
    lifetime: timedelta | None = None,
) -> tuple[ApiToken, str]:
    """The row and the token itself: show it once, store it nowhere. It lives at most `max_days`."""
    limit = timedelta(days=max_days(user))
    plain = _mint()
    row = ApiToken.objects.create(
        user=user,
        name=name,
        scopes=sorted(scopes),
        business_unit=business_unit,
        digest=digest(plain),
        hint=plain[:8],
        expires_at=now() + min(lifetime or limit, limit),
    )
    return row, plain


def create(
    *,
    actor: User | None,
    owner: User,
    name: str,
    scopes: Collection[str],
    days: int,
    business_unit: BusinessUnit | None = None,
) -> tuple[ApiToken, str]:
    """A token, and an event that tells of it. NotAllowed for tokens of others, InvalidInput. actor None: a command."""
    if actor and not _may_hold(actor, owner):
        raise NotAllowed("You make tokens for yourself only; operators make those of service accounts.")
    if problems := _problems(owner, name.strip(), scopes, days, business_unit):
        raise InvalidInput(problems)
    row, plain = issue(
        owner, name.strip(), scopes=scopes, business_unit=business_unit, lifetime=timedelta(days=days)
    )
    _record("identity.token_create", row, actor)
    return row, plain


def revoke(token: ApiToken, *, actor: User) -> None:
    """It opens nothing from now on. Safe to repeat. NotAllowed for tokens of others, except for operators."""
    if actor.pk != token.user_id and not actor.is_operator:
        raise NotAllowed("You revoke your own tokens only; operators revoke every token.")
    if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now(), revoked_by=actor):
        token.refresh_from_db()
        _record("identity.token_revoke", token, actor)


def _may_hold(actor: User, owner: User) -> bool:
    """Whether this person may know a token of that account: their own, or that of a machine they run."""
    if actor.only_in is not None:
        return False
    return actor.pk == owner.pk or (actor.is_operator and owner.auth_source == User.Source.SERVICE)


def _problems(
    owner: User, name: str, scopes: Collection[str], days: int, business_unit: BusinessUnit | None
) -> dict[str, str]:
    problems, longest = {}, max_days(owner)
    if not 1 <= len(name) <= LONGEST_NAME:
        problems["name"] = f"Say what the token is for, in at most {LONGEST_NAME} characters."
    if not scopes or set(scopes) - set(Scope.values):
        problems["scopes"] = f"Choose at least one of: {', '.join(Scope.values)}."
    if not 1 <= days <= longest:
        problems["days"] = f"A token lives 1 to {longest} days."
    if business_unit and business_unit.pk not in owner.roles:
        problems["business_unit"] = f"{owner} has no role in {business_unit}: choose another business unit."
    working = owner.api_tokens.filter(revoked_at=None, expires_at__gt=now())
    if working.count() >= MOST:
        problems["name"] = f"{owner} has {MOST} tokens that work, which is the most: revoke one first."
    return problems


def _record(action: str, token: ApiToken, actor: User | None) -> None:
    audit.record(
        action,
        f"token {token.hint}",
        actor=actor,
        business_unit=token.business_unit,
        note=token.name,
        data={
            "expires": token.expires_at.isoformat(),
            "scopes": token.scopes,
            "token": str(token.pk),
            "user": token.user.username,
        },
    )


class NotAccepted(Exception):
    """This token opens nothing. The text says why, and what helps."""


@sensitive_variables("plain")
def find(plain: str) -> ApiToken:
    """The token with its user, who is limited to its business unit; NotAccepted."""
    if not is_well_formed(plain):
        raise NotAccepted("This is not a token of Groundwork: copy it again, whole.")
    found = ApiToken.objects.select_related("user").filter(digest=digest(plain)).first()
    if found is None or not found.user.is_active:
        raise NotAccepted(f"This token is not known: {GET_ONE}.")
    if found.revoked_at:
        raise NotAccepted(f"This token was revoked: {GET_ONE}.")
    if found.expires_at <= now():
        raise NotAccepted(f"This token has expired: {GET_ONE}.")
    if _is_out_of_sight(found.user):
        raise NotAccepted("Sign in to the portal once, then this token works again.")
    found.user.only_in = found.business_unit_id
    return found


def _is_out_of_sight(user: User) -> bool:
    """Entra ID does not tell who has left; who does not sign in any more may have."""
    limit = timedelta(days=settings.API_TOKEN_UNSEEN_DAYS)
    return user.auth_source == User.Source.ENTRA and (
        user.claims_synced_at is None or user.claims_synced_at < now() - limit
    )


def touch(token: ApiToken, address: str | None) -> None:
    """Note that it was used; at most once a minute, whoever asks at the same time."""
    before = now() - USED_STEP
    if token.last_used_at and token.last_used_at >= before:
        return
    stale = Q(last_used_at__isnull=True) | Q(last_used_at__lt=before)
    ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now(), last_address=address)


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def is_well_formed(token: str) -> bool:
    secret, check = token[len(PREFIX) : -CHECK_LENGTH], token[-CHECK_LENGTH:]
    if not (token.startswith(PREFIX) and token.isascii() and len(secret) == SECRET_LENGTH):
        return False
    return secrets.compare_digest(_checksum(secret), check)


def _mint() -> str:
    secret = "".join(secrets.choice(ALPHABET) for _ in range(SECRET_LENGTH))
    return PREFIX + secret + _checksum(secret)


def _checksum(secret: str) -> str:
    number, text = zlib.crc32(secret.encode()), ""
    while number:
        number, digit = divmod(number, len(ALPHABET))
        text = ALPHABET[digit] + text
    return text.rjust(CHECK_LENGTH, "0")
