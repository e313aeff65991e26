"""
The outside world, as the portal sees it.

Each Protocol is a port. `settings.PORTS` names the adapter behind it, and `portal/adapters/` holds them. Adapters raise
only `Unavailable` (try later), `OutsideError` (do not) and `VersionConflict`; no other library's exception may pass.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Any, Protocol

from django.conf import settings
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

# ── the queue ───────────────────────────────────────────────────────────────────────────────────────────────


class Priority(StrEnum):
    """One queue for each environment, the most urgent first."""

    PROD = "prod"
    STAGING = "staging"
    DEV = "dev"


@dataclass(frozen=True)
class Delivery:
    """One message, handed to one consumer until it is settled or its lock runs out."""

    run_key: str
    priority: Priority
    count: int  # 1 for the first delivery
    receipt: Any = field(repr=False)  # the adapter's own handle


@dataclass(frozen=True)
class Depth:
    priority: Priority
    waiting: int
    dead: int
    oldest: datetime | None  # when the longest-waiting message was sent


@dataclass(frozen=True)
class DeadLetter:
    run_key: str
    priority: Priority
    reason: str
    at: datetime


class Queue(Protocol):
    """Run keys waiting for a consumer. A message is known by its run key: sending it again changes nothing."""

    def send(self, run_key: str, priority: Priority) -> None: ...

    def receive(self, wait_seconds: float) -> Delivery | None:
        """Wait for a delivery, prod before staging before dev; None when there is none."""

    def complete(self, delivery: Delivery) -> None:
        """Done with it. A delivery that is not settled comes back when its lock runs out."""

    def release(self, delivery: Delivery, delay_seconds: float = 0) -> None:
        """Give it back; it comes again after the delay. The last allowed delivery becomes a dead letter."""

    def dead_letter(self, delivery: Delivery, reason: str) -> None: ...

    def depths(self) -> Sequence[Depth]: ...

    def dead_letters(self) -> Sequence[DeadLetter]: ...


# ── the tracking store ──────────────────────────────────────────────────────────────────────────────────────


class Phase(StrEnum):
    """How far a run is."""

    CREATED = "created"  # written before the dispatch
    CLAIMED = "claimed"  # its worker has the inputs
    INIT = "init"
    PLAN = "plan"
    CHECK = "check"
    APPLY = "apply"
    OUTPUTS = "outputs"
    FINISHED = "finished"


@dataclass(frozen=True)
class RunDocument:
    """What is known of one run. `version` is the store's ETag: an update names the version it has read."""

    key: str
    token_digest: str
    created_at: datetime
    phase: Phase = Phase.CREATED
    claimant: str = ""
    worker: Mapping[str, Any] = field(default_factory=dict)
    heartbeat_at: datetime | None = None
    plan: Mapping[str, Any] = field(default_factory=dict)
    # The worker's closing report; empty until it is finished. See `consumer.runs.Report`.
    report: Mapping[str, Any] = field(default_factory=dict)
    # The run as GitHub Actions knows it; the id is empty until a job of it has called.
    run_id: str = ""
    run_attempt: int = 1
    # GitHub's tokens that were used and have not ended: {digest of its id: {call, until}}. See `consumer.identity`.
    tokens: Mapping[str, Any] = field(default_factory=dict)
    version: str = ""

    @property
    def finished(self) -> bool:
        return self.phase == Phase.FINISHED


@dataclass(frozen=True)
class Entry:
    """One line of a run's log. Known by (run key, sequence): writing it again changes nothing."""

    sequence: int
    at: datetime
    phase: str
    level: str  # info | warn | error
    text: str


class Tracker(Protocol):
    """Run documents and their log."""

    def create_run(self, run: RunDocument) -> bool:
        """Write it if there is none of this key; False when there is."""

    def get_run(self, key: str) -> RunDocument | None: ...

    def update_run(self, run: RunDocument, **changes: Any) -> RunDocument:
        """Change it if `run.version` is still the stored one, else VersionConflict. Returns the new document."""

    def append(self, key: str, entries: Sequence[Entry]) -> None: ...

    def entries(self, key: str, *, after: int = 0, limit: int = 500) -> Sequence[Entry]:
        """Those with a sequence above `after`, in order."""


# ── the runner ──────────────────────────────────────────────────────────────────────────────────────────────


class Liveness(StrEnum):
    ALIVE = "alive"
    ENDED = "ended"


@dataclass(frozen=True)
class Run:
    """A run as its runner knows it."""

    key: str
    liveness: Liveness
    url: str = ""
    id: str = ""  # the runner's own name for it, for example GitHub's run id


class Runner(Protocol):
    """Executes `consumer.worker` somewhere. A run is known by its run key."""

    def dispatch(self, key: str, token: str) -> None:
        """Start a worker for the run. Not safe to repeat: look with `find` first."""

    def find(self, key: str) -> Run | None:
        """None when this runner has never started such a run."""

    def stop(self, key: str) -> None:
        """Ask it to end soon. It reports what really happened."""


# ── the price list ──────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class ListPrice:
    """What one unit of a meter costs in a region, from a quantity on: pay as you go, without discounts."""

    service: str
    meter: str  # product / sku / meter
    meter_id: str  # empty where the list has none
    region: str  # Global for what costs the same everywhere
    unit: str  # 1 Hour, 1/Month, 10K
    tier_minimum: Decimal  # in these units
    price: Decimal
    currency: str
    effective_from: date  # may be in the future
    source: str
    confidence: str  # how it was obtained; see billing_app.models.Confidence
    as_of: date  # when the source said so


class Prices(Protocol):
    """The public price list. Consumption only: no reservations, no spot prices, no rows for development and tests."""

    def of(self, service: str, region: str, currency: str) -> Sequence[ListPrice]:
        """All that the list has of a service in a region, old and future prices included; empty for nothing."""


# ── the probe ───────────────────────────────────────────────────────────────────────────────────────────────


class Probe(Protocol):
    """Terraform itself, asked about values while nothing runs yet."""

    def problems(self, blocks: Mapping[str, str], values: Mapping[str, Any]) -> Mapping[str, str]:
        """What it has against the values, in words by variable; empty when it takes them.

        blocks: by name, the variable blocks of a module as written. They read each other and nothing else.
        """


@cache
def _adapter(port: str) -> Any:
    configured = settings.PORTS[port]
    return import_string(configured["BACKEND"])(**configured.get("OPTIONS", {}))


def queue() -> Queue:
    return _adapter("queue")


def tracker() -> Tracker:
    return _adapter("tracker")


def runner() -> Runner:
    return _adapter("runner")


def prices() -> Prices:
    return _adapter("prices")


def probe() -> Probe:
    return _adapter("probe")


def _forget_adapters(*, setting: str, **kwargs: Any) -> None:
    if setting == "PORTS":
        _adapter.cache_clear()


setting_changed.connect(_forget_adapters)  # so that tests may override PORTS
