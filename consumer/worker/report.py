"""Tell the portal what happens: log lines in batches, and a heartbeat when there are none."""

import datetime
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Final, Self

from consumer.worker.portal import Portal, PortalAway, PortalRefused
from consumer.worker.redact import Redactor
from consumer.worker.stop import Reason, Stop

BATCH: Final = 500  # entries in one call
LONGEST_TEXT: Final = 4000  # characters in one entry
COLLECT_SECONDS: Final = 0.3  # lines come in bursts


class Reporter:
    """A thread of its own sends, so that a portal that is away does not hold up Terraform."""

    def __init__(self, portal: Portal, redactor: Redactor, stop: Stop, *, heartbeat: float, patience: float):
        """`heartbeat` in seconds. `patience`: how long the portal may be away while Terraform works."""
        self._portal, self._redactor, self._stop = portal, redactor, stop
        self._heartbeat, self._patience = heartbeat, patience
        self.phase = "init"
        self._sequence = 0
        self._waiting: list[dict[str, Any]] = []
        self._changed = threading.Condition()
        self._hurry = self._closing = self._ended = False
        self._thread = threading.Thread(target=self._work, name="reporter", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(self._portal.patience)

    def line(self, text: str, level: str = "info") -> None:
        at = datetime.datetime.now(datetime.UTC).isoformat()
        with self._changed:
            for part in _parts(self._redactor.clean(text)):
                self._sequence += 1
                entry = {
                    "sequence": self._sequence,
                    "at": at,
                    "phase": self.phase,
                    "level": level,
                    "text": part,
                }
                self._waiting.append(entry)
            self._changed.notify_all()

    def flush(self) -> None:
        """Wait until everything has arrived, at most for the patience with the portal."""
        with self._changed:
            self._hurry = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._ended or not self._waiting, self._portal.patience)
            self._hurry = False

    def _work(self) -> None:
        try:
            while not self._closing or self._waiting:
                self._pause()
                if not self._closing or self._waiting:
                    self._send()
        except (PortalRefused, PortalAway):
            self._stop.request(Reason.LOST)
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _pause(self) -> None:
        """Until there is something to say, or it is time for a sign of life."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing, self._heartbeat)
            self._changed.wait_for(lambda: self._hurry or self._closing, COLLECT_SECONDS)

    def _send(self) -> None:
        with self._changed:
            batch = self._waiting[:BATCH]
        body = {"phase": self.phase, "entries": batch}
        answer = self._portal.call("entries", body, patience=self._patience)
        if answer.get("stop"):
            self._stop.request(Reason.ASKED)
        with self._changed:
            del self._waiting[: len(batch)]
            self._changed.notify_all()


def _parts(text: str) -> Iterator[str]:
    for start in range(0, max(len(text), 1), LONGEST_TEXT):
        yield text[start : start + LONGEST_TEXT]
