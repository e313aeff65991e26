"""The public keys with which an issuer of tokens signs."""

import logging
import time
from typing import Any

import jwt
import requests
from django.core.cache import cache

from portal.errors import OutsideError, Unavailable

logger = logging.getLogger(__name__)

SECONDS_TO_ANSWER = 5
FRESH = 3600  # seconds after which they are fetched again, so that a withdrawn key is forgotten
GOOD = 24 * 3600  # seconds for which they are used when the issuer does not answer


class SigningKeys:
    """
    Of one JWKS. Keys roll over without notice, so an unknown one is looked for; but not more often than every so many
    seconds, or forged tokens would cause a flood. Shared by all processes through the cache.
    """

    def __init__(self, url: str, every: float) -> None:
        self.url, self.every = url, every
        self._name = f"keys:{url}"

    def get(self, kid: str) -> Any | None:
        """The key of this id, None when there is none. Unavailable while there are no keys at all."""
        known = cache.get(self._name) or {"at": 0.0, "keys": {}}
        if kid in known["keys"] and time.time() < known["at"] + FRESH:
            return _usable(known["keys"][kid])
        if cache.add(f"{self._name}:asked", 1, self.every if known["keys"] else min(self.every, 1)):
            known = self._newest(known)
        elif not known["keys"]:
            raise Unavailable(f"The keys of {self.url} are being asked for: try again.")
        return _usable(known["keys"].get(kid))

    def _newest(self, known: dict[str, Any]) -> dict[str, Any]:
        try:
            newest = {"at": time.time(), "keys": _fetch(self.url)}
        except OutsideError as error:
            if not known["keys"]:
                raise
            logger.warning("The known keys are used on: %s", error)
            return known
        cache.set(self._name, newest, GOOD)
        return newest


def _usable(key: dict[str, Any] | None) -> Any | None:
    return jwt.PyJWK(key, algorithm="RS256").key if key else None


def _fetch(url: str) -> dict[str, Any]:
    """By id; those that sign with RS256."""
    try:
        answer = requests.get(url, timeout=SECONDS_TO_ANSWER, allow_redirects=False)
        found = answer.json()["keys"] if answer.status_code == 200 else None
    except (requests.RequestException, ValueError, KeyError, TypeError) as error:
        raise Unavailable(f"{url} did not give its keys ({type(error).__name__}). Try again.") from error
    if not isinstance(found, list):
        raise Unavailable(f"{url} did not give its keys (status {answer.status_code}). Try again.")
    return {key["kid"]: key for key in found if _signs(key)}


def _signs(key: Any) -> bool:
    is_rsa = isinstance(key, dict) and key.get("kty") == "RSA" and key.get("use", "sig") == "sig"
    return is_rsa and key.get("alg", "RS256") == "RS256" and isinstance(key.get("kid"), str)
