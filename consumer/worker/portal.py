"""The portal's run API. Every call is safe to repeat, so an answer that does not come is asked for again."""

import logging
import random
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import requests

logger = logging.getLogger(__name__)

TIMEOUT: Final = (5, 60)  # seconds to connect, seconds to answer
LONGEST_PAUSE: Final = 5.0
NO_ANSWER: Final = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.JSONDecodeError,  # a page of some proxy in between
)


class PortalRefused(Exception):
    """The portal understood and said no: asking again does not help."""

    def __init__(self, status: int, message: str):
        super().__init__(f"the portal refused ({status}): {message}")
        self.status = status


class PortalAway(Exception):
    """No answer for longer than the patience."""


class Portal:
    def __init__(self, url: str, key: str, token: str, patience: float):
        """`patience` in seconds, for one call with all its repetitions."""
        self._base = f"{url}/api/v1/runs/{key}"
        self.token = token
        self.patience = patience

    def call(
        self,
        name: str,
        body: Mapping[str, Any],
        *,
        patience: float | None = None,
        give_up: Callable[[], bool] = bool,
    ) -> dict[str, Any]:
        """POST to `name`; raise PortalRefused or PortalAway."""
        started, attempt = time.monotonic(), 0
        while True:
            problem, pause = "", 0.0
            try:
                response = self._post(name, body)
                if response.status_code == 200:
                    answer: dict[str, Any] = response.json()
                    return answer
                if response.status_code < 500 and response.status_code != 429:
                    raise PortalRefused(response.status_code, _message(response))
                problem, pause = _message(response), _asked_pause(response)
            except NO_ANSWER as error:
                problem = type(error).__name__
            waited = time.monotonic() - started
            limit = self.patience if patience is None else patience
            if waited > limit or give_up():
                raise PortalAway(f"no answer to {name} for {waited:.0f} seconds: {problem}")
            attempt += 1
            logger.info("%s will be asked again: %s", name, problem)
            time.sleep(min(max(pause, _backoff(attempt)), max(limit - waited, 0.1)))

    def _post(self, name: str, body: Mapping[str, Any]) -> requests.Response:
        return requests.post(
            f"{self._base}/{name}", json=body, auth=self._authorize, timeout=TIMEOUT, allow_redirects=False
        )

    def _authorize(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        # A plain header would be replaced by what a .netrc of the machine says.
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request


def _backoff(attempt: int) -> float:
    return min(0.2 * 2.0 ** min(attempt, 10), LONGEST_PAUSE) * random.uniform(0.5, 1.0)


def _asked_pause(response: requests.Response) -> float:
    text = response.headers.get("Retry-After", "")
    return min(float(text), 60.0) if text.isdigit() else 0.0


def _message(response: requests.Response) -> str:
    """The message of the portal's error body, else the bare status."""
    try:
        body = response.json()
    except requests.exceptions.JSONDecodeError:
        body = None
    message = body.get("message") if isinstance(body, dict) else None
    return str(message or f"status {response.status_code}")
