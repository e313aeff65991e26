"""Break a token in one precise way."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

SOMEBODY_ELSE = "99999999-9999-4999-8999-999999999999"
Claims = dict[str, Any]

# Other claims, properly signed.
IN_THE_CLAIMS: dict[str, Callable[[Claims, int], object]] = {
    "wrong_nonce": lambda claims, now: claims.update(nonce="x" * 32),
    "no_nonce": lambda claims, now: claims.pop("nonce", None),
    "wrong_aud": lambda claims, now: claims.update(aud=SOMEBODY_ELSE),
    "several_aud": lambda claims, now: claims.update(aud=[claims["aud"], SOMEBODY_ELSE]),
    "wrong_iss": lambda claims, now: claims.update(iss=claims["iss"].replace("/v2.0", "0/v2.0")),
    "wrong_tid": lambda claims, now: claims.update(tid=SOMEBODY_ELSE),
    "expired": lambda claims, now: claims.update(exp=now - 3600, iat=now - 7200),
    "no_exp": lambda claims, now: claims.pop("exp", None),
    "future_nbf": lambda claims, now: claims.update(nbf=now + 3600),
    "future_iat": lambda claims, now: claims.update(iat=now + 3600),
    "version_1": lambda claims, now: claims.update(ver="1.0"),
    "other_azp": lambda claims, now: claims.update(azp=SOMEBODY_ELSE),
    "no_oid": lambda claims, now: claims.pop("oid", None),
    "strange_oid": lambda claims, now: claims.update(oid="' or 1=1"),
}


def broken(token: str, fault: str, pem: str) -> str:
    """The token, broken in that way; `pem` is the tenant's own key."""
    header = {"kid": jwt.get_unverified_header(token)["kid"]}
    claims = jwt.decode(token, options={"verify_signature": False})
    if fault in IN_THE_CLAIMS:
        IN_THE_CLAIMS[fault](claims, int(time.time()))
        return jwt.encode(claims, pem, algorithm="RS256", headers=header)
    return IN_THE_FORM[fault](token, claims, header, pem)


def _tampered(token: str, claims: Claims) -> str:
    head, _, signature = token.split(".")
    return f"{head}.{_base64({**claims, 'roles': ['Platform.Admin']}).decode()}.{signature}"


def _signed_with_the_public_key(claims: Claims, header: Claims, pem: str) -> str:
    """By hand: PyJWT refuses to take a public key for a shared secret."""
    key = serialization.load_pem_private_key(pem.encode(), None).public_key()
    public = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    message = _base64({"alg": "HS256", "typ": "JWT", **header}) + b"." + _base64(claims)
    return (message + b"." + _base64(hmac.new(public, message, hashlib.sha256).digest())).decode()


def _base64(data: Claims | bytes) -> bytes:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


@cache
def _foreign_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


# Another form or signature.
IN_THE_FORM: dict[str, Callable[[str, Claims, Claims, str], str]] = {
    "bad_signature": lambda token, claims, header, pem: jwt.encode(claims, _foreign_key(), "RS256", header),
    "tampered_payload": lambda token, claims, header, pem: _tampered(token, claims),
    "unknown_kid": lambda token, claims, header, pem: jwt.encode(
        claims, _foreign_key(), "RS256", {"kid": "unknown"}
    ),
    "no_kid": lambda token, claims, header, pem: jwt.encode(claims, pem, "RS256"),
    "alg_none": lambda token, claims, header, pem: jwt.encode(claims, None, "none", header),
    "hs256_public_key": lambda token, claims, header, pem: _signed_with_the_public_key(claims, header, pem),
    "garbage": lambda token, claims, header, pem: "not.a.jwt",
}
ALL = [*IN_THE_FORM, *IN_THE_CLAIMS]
