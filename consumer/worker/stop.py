"""One place that says whether the run shall end early, and why."""

import enum
import threading


class Reason(enum.Enum):
    ASKED = "asked"  # by a person or by the runner
    DEADLINE = "deadline"
    LOST = "lost"  # the portal does not know this run any more


class Stop:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.reason: Reason | None = None

    def request(self, reason: Reason) -> None:
        """The first reason stands, except that a lost run is lost."""
        with self._lock:
            if self.reason is None or reason is Reason.LOST:
                self.reason = reason

    @property
    def requested(self) -> bool:
        return self.reason is not None
