"""How many calls a token may make in a minute."""

import time
from collections import Counter
from threading import Lock
from typing import Any

from django.conf import settings
from django.core.cache import cache
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from portal.identity.sessions import address_of

MINUTE = 60
STEPS = 50  # of a limit: how often a process tells the shared count what it has seen


class PerToken(BaseThrottle):
    """
    A window of one minute for each token (or person, with a session), one for reading and one for the rest.

    The count is shared by all processes through the cache, but in steps, so that not every call writes to it: a limit
    is passed by a few calls at most.
    """

    def allow_request(self, request: Request, view: Any) -> bool:
        reads = request.method in SAFE_METHODS
        limit = settings.API_READS_PER_MINUTE if reads else settings.API_WRITES_PER_MINUTE
        window = int(time.time()) // MINUTE
        return COUNTS.add(window, f"calls:{'r' if reads else 'w'}:{_caller(request)}", limit) <= limit

    def wait(self) -> float:
        return MINUTE - time.time() % MINUTE


class Counts:
    """Of this process, in the present window."""

    def __init__(self) -> None:
        self.lock, self.window = Lock(), 0
        self.own: Counter[str] = Counter()  # not told to the cache yet
        self.shared: dict[str, int] = {}  # what the cache said last

    def add(self, window: int, name: str, limit: int) -> int:
        """One more; how many there are now."""
        step = max(1, limit // STEPS)
        with self.lock:
            if window != self.window:
                self.forget(window)
            self.own[name] += 1
            if name in self.shared and self.own[name] < step:
                return self.shared[name] + self.own[name]
            told = self.own.pop(name)
        found = _increase(f"{name}:{window}", told)
        with self.lock:
            self.shared[name] = found
        return found

    def forget(self, window: int = 0) -> None:
        self.window = window
        self.own.clear()
        self.shared.clear()


COUNTS = Counts()


def _increase(key: str, by: int) -> int:
    cache.add(key, 0, 2 * MINUTE)
    try:
        return cache.incr(key, by)
    except ValueError:  # evicted in between
        return by


def _caller(request: Request) -> str:
    token = getattr(request.auth, "pk", None)
    return f"token:{token}" if token else f"user:{request.user.pk or address_of(request)}"
