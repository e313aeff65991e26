"""The portal's API over HTTP."""

import ipaddress
import json
import os
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import requests
from requests.auth import AuthBase
from urllib3.exceptions import NewConnectionError

from cli.errors import CliError, NoAnswer, Refused

DEFAULT_URL: Final = "http://127.0.0.1:8000"
TIMEOUT: Final = (5, 60)  # seconds to connect, and between two bytes of the answer
PAUSES: Final = (0.5, 1.0, 2.0)  # before a GET is tried again
TRY_AGAIN: Final = {429, 502, 503, 504}
PAGE: Final = 100
LONGEST_WAIT: Final = 70.0  # seconds; a portal that counts calls begins anew with every minute
NOT_SENT: Final = "NotSent"
TOO_MANY: Final = "TooManyCalls"
SURELY_NOT_DONE: Final = {NOT_SENT, TOO_MANY}

NEW_TOKEN: Final = "Set GROUNDWORK_TOKEN to one that is valid: `manage.py create_token` makes one."
FIXES: Final = {
    NOT_SENT: "Check that the portal is running and that GROUNDWORK_URL is right.",
    "NotAuthenticated": NEW_TOKEN,
    "AuthenticationFailed": NEW_TOKEN,
    "NotFound": "Check the spelling. `groundwork list` and `groundwork deployments` show what you may see.",
    "HasChanged": "`groundwork show` tells what it is now. Repeat the command if you still mean it.",
    "KeyIsTaken": "Leave out --key, or give another one: this one stands for what was asked before.",
    "WrongState": "`groundwork show` tells what can be done with it now.",
    "NotAllowed": "`groundwork whoami` shows your roles. Ask somebody who has the right one.",
    "InvalidInput": "Correct the values named above; `groundwork catalog ITEM` lists what an item takes.",
    "PolicyRefused": "Change the values named above; `--check` tries without asking.",
}


class Bearer(AuthBase):
    """As an auth object, because else a .netrc file would replace the header."""

    def __init__(self, token: str) -> None:
        self.token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request


class Client:
    def __init__(self, url: str, token: str) -> None:
        self.url = url.rstrip("/")
        self.session = requests.Session()
        self.session.auth = Bearer(token)
        self.session.headers["Accept"] = "application/json"
        if _is_loopback(self.url):
            self.session.trust_env = False  # no proxy between two processes of one machine

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Client":
        """With GROUNDWORK_URL and GROUNDWORK_TOKEN. Raise Refused when they cannot work, or are not safe."""
        url, token = environment.get("GROUNDWORK_URL") or DEFAULT_URL, environment.get("GROUNDWORK_TOKEN", "")
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise _wrong(
                "GROUNDWORK_URL", f"{url} is not an address", "Write it as https://portal.example.com."
            )
        if parts.username or parts.query or parts.fragment:
            raise _wrong("GROUNDWORK_URL", "the address has more than host and path", "Leave out the rest.")
        if parts.scheme == "http" and not _is_loopback(url):
            why = (
                f"{parts.hostname} is another machine, and over http anybody on the way could read the token"
            )
            raise _wrong("GROUNDWORK_URL", why, "Use https://.")
        if not token.strip():
            fix = "`manage.py create_token` makes one: export GROUNDWORK_TOKEN=gwk_…"
            raise _wrong("GROUNDWORK_TOKEN", "it is not set, so the portal cannot know who you are", fix)
        if not token.strip().isascii() or any(character.isspace() for character in token.strip()):
            raise _wrong("GROUNDWORK_TOKEN", "this is not a token", "Copy it again, whole.")
        return cls(url, token.strip())

    def get(self, path: str, **query: Any) -> Any:
        """Reading again is harmless, so it is tried again while the portal may be coming back."""
        return self._patiently("GET", path, params=query)

    def ask(self, path: str, body: Mapping[str, Any], key: str) -> Any:
        """With an Idempotency-Key: it is done once, so it may be tried again."""
        try:
            return self._patiently("POST", path, json=dict(body), headers={"Idempotency-Key": key})
        except NoAnswer as error:
            error.fix = (
                f"Ask again with --key {key}: if it was done, you get its answer, and nothing is done twice."
            )
            raise

    def post(self, path: str, body: Mapping[str, Any] | None = None, *, seen: int | None = None) -> Any:
        """Sent once: who gets no answer cannot know whether it was done. `seen`: the version that it is about."""
        headers = {} if seen is None else {"If-Match": f'"{seen}"'}
        try:
            return self._call("POST", path, json=dict(body or {}), headers=headers)
        except NoAnswer as error:
            if error.code not in SURELY_NOT_DONE:
                error.fix = "It may have been done all the same: look with `groundwork list --mine` first."
            raise

    def _patiently(self, method: str, path: str, **arguments: Any) -> Any:
        for pause in PAUSES:
            try:
                return self._call(method, path, **arguments)
            except NoAnswer as error:
                time.sleep(max(pause, min(error.wait, LONGEST_WAIT)))
        return self._call(method, path, **arguments)

    def pages(self, path: str, limit: int, **query: Any) -> Iterator[dict[str, Any]]:
        """Up to `limit` results of a list."""
        left, cursor = limit, dict[str, str]()
        while left > 0:
            page = self.get(path, limit=min(PAGE, left), **query, **cursor)
            yield from page["results"]
            left -= len(page["results"])
            # Its place alone: the portal may know itself by another address than we do.
            place = parse_qs(urlsplit(page["next"] or "").query).get("cursor")
            if not place:
                return
            cursor = {"cursor": place[0]}

    def _call(self, method: str, path: str, **arguments: Any) -> Any:
        address = f"{self.url}/api/v1/{path}"
        try:
            # A redirect could lead the token elsewhere, and turns a POST into a GET.
            answer = self.session.request(
                method, address, timeout=TIMEOUT, allow_redirects=False, **arguments
            )
        except requests.exceptions.SSLError as error:
            fix = "Trust its authority with REQUESTS_CA_BUNDLE, or correct GROUNDWORK_URL."
            raise Refused(f"The certificate of {self.url} is not valid: {_root(error)}", fix=fix) from error
        except requests.RequestException as error:
            code = NOT_SENT if _not_sent(error) else "NoAnswer"
            message = f"The portal at {self.url} did not answer: {_root(error)}"
            raise NoAnswer(message, code=code, fix=FIXES[NOT_SENT]) from error
        if answer.ok and not answer.is_redirect:
            return _body(answer, self.url)
        raise _refusal(answer, self.url)


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _wrong(name: str, why: str, fix: str) -> Refused:
    return Refused("A setting is missing or wrong.", code="BadSetting", problems={name: why}, fix=fix)


def _not_sent(error: requests.RequestException) -> bool:
    """There was no connection at all."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(error, requests.exceptions.ConnectTimeout) or isinstance(reason, NewConnectionError)


def _root(error: BaseException) -> str:
    """The innermost reason: the outer ones are the names of libraries' classes."""
    while isinstance(inner := getattr(error, "reason", None) or error.__context__, BaseException):
        error = inner
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _body(answer: requests.Response, url: str) -> Any:
    try:
        return answer.json()
    except json.JSONDecodeError as error:
        raise Refused(
            f"{url} answers, but not as a portal does.", code="NotAPortal", fix="Correct GROUNDWORK_URL."
        ) from error


def _no_answer(answer: requests.Response, message: str, code: str) -> NoAnswer:
    trace, pause = answer.headers.get("X-Request-Id", ""), answer.headers.get("Retry-After", "")
    fix = f"Try again later, or tell the platform team this: {trace or answer.status_code}."
    if answer.status_code == 429:
        fix = f"Wait {pause or 'some'} seconds, and ask less often: give each job a token of its own."
    error = NoAnswer(message, code=code, fix=fix)
    error.wait = float(pause) if pause.isascii() and pause.isdecimal() else 0
    return error


def _refusal(answer: requests.Response, url: str) -> CliError:
    if answer.is_redirect or answer.is_permanent_redirect:
        target = answer.headers.get("Location", "another address")
        fix = "Set GROUNDWORK_URL to the address there."
        return Refused(f"{url} sends on to {target}.", code="Redirected", fix=fix)
    try:
        told = answer.json()
        code, message = str(told["code"]), str(told["message"])
    except (json.JSONDecodeError, KeyError, TypeError):
        told, code, message = {}, "", f"The portal answered with status {answer.status_code}."
    if answer.status_code in TRY_AGAIN or answer.status_code >= 500 or code == "InProgress":
        return _no_answer(answer, message, code)
    problems, verdict = told.get("problems"), told.get("verdict")
    return Refused(message, code=code, problems=problems, verdict=verdict, fix=FIXES.get(code, ""))
