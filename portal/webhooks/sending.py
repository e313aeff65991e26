"""
One call of a webhook: signed, to an address that was looked at, and over within seconds whatever the other side does.

The signature is that of https://www.standardwebhooks.com, for which there are libraries.
"""

import base64
import hashlib
import hmac
import secrets
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Final
from urllib.parse import SplitResult, urlsplit

from portal.webhooks import addresses

PREFIX: Final = "whsec_"
SECONDS_TO_CONNECT: Final = 5
MOST_ADDRESSES: Final = 3
LONGEST_PAUSE: Final = 3600  # seconds that a Retry-After can ask for


@dataclass(frozen=True)
class Call:
    """All that is needed without the database."""

    delivery_id: str
    url: str
    secret: str
    body: bytes
    timestamp: int
    seconds: float = 15  # in all


@dataclass(frozen=True)
class Outcome:
    status: int | None = None  # of HTTP; None without an answer
    problem: str = ""  # empty: delivered
    retry_after: int = 0  # seconds


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def signature(call: Call) -> str:
    """v1 and the HMAC-SHA256 of `id.timestamp.body`, so that neither can be exchanged."""
    key = base64.b64decode(call.secret.removeprefix(PREFIX))
    signed = f"{call.delivery_id}.{call.timestamp}.".encode() + call.body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def send(call: Call) -> Outcome:
    """Never raises for what the other side does."""
    parts = urlsplit(call.url)
    try:
        return _send(call, parts)
    except addresses.Refused as error:
        return Outcome(problem=str(error))
    except ssl.SSLCertVerificationError as error:
        return Outcome(problem=f"Its certificate is not valid: {error.verify_message}.")
    except TimeoutError:
        return Outcome(problem=f"It did not answer within {call.seconds:g} seconds.")
    except ConnectionRefusedError:
        return Outcome(problem="Nobody listens there.")
    except (OSError, HTTPException, ValueError) as error:
        return Outcome(problem=f"The connection broke ({type(error).__name__}).")


def _send(call: Call, parts: SplitResult) -> Outcome:
    port = parts.port or (443 if parts.scheme == "https" else 80)
    found = addresses.resolve(parts.hostname or "", port)
    with _connected(parts, found, port, call.seconds) as connection:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, call.body, _headers(call))
        answer = connection.getresponse()  # its body is not read
        if 200 <= answer.status < 300:
            return Outcome(answer.status)
        if 300 <= answer.status < 400:
            return Outcome(answer.status, "It sends on to another address, which is not followed.")
        pause = answer.headers.get("Retry-After", "")
        wait = int(pause) if pause.isascii() and pause.isdecimal() and len(pause) < 9 else 0
        return Outcome(answer.status, f"It answered with {answer.status}.", min(wait, LONGEST_PAUSE))


def _headers(call: Call) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "User-Agent": "Groundwork-Webhooks/1",
        "Webhook-Id": call.delivery_id,
        "Webhook-Timestamp": str(call.timestamp),
        "Webhook-Signature": signature(call),
        "Connection": "close",
    }


@contextmanager
def _connected(parts: SplitResult, found: list[str], port: int, seconds: float) -> Iterator[HTTPConnection]:
    """A connection that is cut off when its time is over: a timeout of the socket begins anew with every byte."""
    line = _line(found, port)
    over = threading.Event()

    def cut_off() -> None:
        over.set()
        with suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)

    clock = threading.Timer(seconds, cut_off)
    clock.daemon = True
    host, is_tls = parts.hostname or "", parts.scheme == "https"
    connection = HTTPConnection(host, port)
    connection.default_port = 443 if is_tls else 80
    clock.start()
    try:
        # A copy of the handle: the line can then be cut off under TLS as well.
        with line.dup() as plain:
            plain.settimeout(seconds)
            connection.sock = _encrypted(plain, host) if is_tls else plain
            yield connection
    except (OSError, HTTPException, ValueError) as error:
        if over.is_set():
            raise TimeoutError from error
        raise
    finally:
        clock.cancel()
        connection.close()
        line.close()


def _line(found: list[str], port: int) -> socket.socket:
    """To the first address that answers, of the first few."""
    *others, last = found[:MOST_ADDRESSES]
    for address in others:
        with suppress(OSError):
            return socket.create_connection((address, port), SECONDS_TO_CONNECT)
    return socket.create_connection((last, port), SECONDS_TO_CONNECT)


def _encrypted(plain: socket.socket, host: str) -> ssl.SSLSocket:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context.wrap_socket(plain, server_hostname=host)
