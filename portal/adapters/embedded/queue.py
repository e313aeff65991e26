"""A queue in the database: claimed by conditional UPDATE, with a lock that runs out, and dead letters."""

import time
import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db.models import Count, Min, Q
from django.utils.timezone import now

from portal.adapters.embedded.errors import database
from portal.models import QueuedMessage
from portal.ports import DeadLetter, Delivery, Depth, Priority

# How much longer each priority waits: what is less urgent still gets its turn while urgent messages keep coming.
AGEING = {
    Priority.PROD: timedelta(0),
    Priority.STAGING: timedelta(minutes=10),
    Priority.DEV: timedelta(minutes=20),
}
POLL_SECONDS = 0.25
TOO_OFTEN = "delivered too often"


class DatabaseQueue:
    def __init__(self, lock_seconds: int = 60, max_deliveries: int = 10) -> None:
        self._lock = timedelta(seconds=lock_seconds)
        self._max_deliveries = max_deliveries

    @database
    def send(self, run_key: str, priority: Priority) -> None:
        sent_at = now()
        message = QueuedMessage(
            run_key=run_key,
            priority=priority,
            sent_at=sent_at,
            rank_at=sent_at + AGEING[priority],
            visible_at=sent_at,
        )
        QueuedMessage.objects.bulk_create([message], ignore_conflicts=True)

    def receive(self, wait_seconds: float) -> Delivery | None:
        deadline = time.monotonic() + wait_seconds
        while True:
            delivery = self._take()
            left = deadline - time.monotonic()
            if delivery or left <= 0:
                return delivery
            time.sleep(min(POLL_SECONDS, left))

    @database
    def _take(self) -> Delivery | None:
        due = QueuedMessage.objects.filter(dead_at__isnull=True, visible_at__lte=now()).order_by(
            "rank_at", "pk"
        )
        for message in due[:10]:
            if message.count >= self._max_deliveries:
                self._bury(message, TOO_OFTEN)
                continue
            lock = uuid.uuid4()
            # Whoever changes the row first has it.
            taken = QueuedMessage.objects.filter(
                pk=message.pk, lock=message.lock, dead_at__isnull=True
            ).update(lock=lock, visible_at=now() + self._lock, count=message.count + 1)
            if taken:
                return Delivery(message.run_key, Priority(message.priority), message.count + 1, receipt=lock)
        return None

    @database
    def complete(self, delivery: Delivery) -> None:
        QueuedMessage.objects.filter(run_key=delivery.run_key, lock=delivery.receipt).delete()

    @database
    def release(self, delivery: Delivery, delay_seconds: float = 0) -> None:
        held = QueuedMessage.objects.filter(run_key=delivery.run_key, lock=delivery.receipt)
        if delivery.count >= self._max_deliveries:
            held.update(dead_at=now(), reason=TOO_OFTEN)
        else:
            held.update(visible_at=now() + timedelta(seconds=delay_seconds), lock=uuid.uuid4())

    @database
    def dead_letter(self, delivery: Delivery, reason: str) -> None:
        held = QueuedMessage.objects.filter(run_key=delivery.run_key, lock=delivery.receipt)
        held.update(dead_at=now(), reason=reason)

    @database
    def depths(self) -> Sequence[Depth]:
        alive = Q(dead_at__isnull=True)
        rows = QueuedMessage.objects.values("priority").annotate(
            waiting=Count("pk", filter=alive),
            dead=Count("pk", filter=~alive),
            oldest=Min("sent_at", filter=alive),
        )
        found: dict[str, dict[str, Any]] = {row["priority"]: dict(row) for row in rows.order_by()}
        empty: dict[str, Any] = {"waiting": 0, "dead": 0, "oldest": None}
        return [
            Depth(priority, row["waiting"], row["dead"], row["oldest"])
            for priority in Priority
            for row in [found.get(priority, empty)]
        ]

    @database
    def dead_letters(self) -> Sequence[DeadLetter]:
        dead = QueuedMessage.objects.filter(dead_at__isnull=False).order_by("dead_at")
        return [DeadLetter(m.run_key, Priority(m.priority), m.reason, m.dead_at) for m in dead if m.dead_at]

    @staticmethod
    def _bury(message: QueuedMessage, reason: str) -> None:
        QueuedMessage.objects.filter(pk=message.pk, lock=message.lock).update(dead_at=now(), reason=reason)
