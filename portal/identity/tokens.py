"""
API tokens: gwk_, 43 base62 characters (256 bits), 6 base62 characters of CRC-32.

The prefix lets secret scanners find them; the checksum refuses typing errors before the database is asked. A fast hash
is right for 256 random bits.
"""

import hashlib
import secrets
import string
import zlib
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.utils.timezone import now

from portal.identity.models import ApiToken, User

PREFIX = "gwk_"
ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
SECRET_LENGTH, CHECK_LENGTH = 43, 6
READ, WRITE = "requests:read", "requests:write"


def issue(
    user: User,
    name: str,
    *,
    scopes: Iterable[str] = (READ, WRITE),
    lifetime: timedelta | None = None,
) -> tuple[ApiToken, str]:
    """The row and the token itself: show it once, store it nowhere. It lives at most API_TOKEN_MAX_DAYS."""
    limit = timedelta(days=settings.API_TOKEN_MAX_DAYS)
    plain = _mint()
    row = ApiToken.objects.create(
        user=user,
        name=name,
        scopes=sorted(scopes),
        digest=digest(plain),
        hint=plain[:8],
        expires_at=now() + min(lifetime or limit, limit),
    )
    return row, plain


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
