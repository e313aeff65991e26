"""Keys for what is secret at rest. Rotating one: put the new one first, and keep the old one until nothing needs it."""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings


def keyring(keys: Sequence[str], purpose: str) -> MultiFernet:
    """These Fernet keys, newest first. Without any, one for this purpose is derived from SECRET_KEY."""
    return _ring(tuple(keys) or (_derived(purpose, settings.SECRET_KEY),))


@cache
def _ring(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def _derived(purpose: str, secret: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(f"{purpose} {secret}".encode()).digest()).decode()
