"""The audit trail: a chain in which every event holds the hash of the one before it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.timezone import now

from portal.identity.models import BusinessUnit, User
from portal.models import ChainHead, Event
from portal.webhooks import outbox

THE_PORTAL = "Groundwork"


@transaction.atomic
def record(
    action: str,
    subject: str,
    *,
    actor: User | None,
    business_unit: BusinessUnit | None = None,
    note: str = "",
    data: Mapping[str, Any] | None = None,
) -> Event:
    """Write the next event, in the transaction of what it tells of. Amounts in `data` are strings, never floats."""
    head, _ = ChainHead.objects.select_for_update().get_or_create(pk=1)
    event = Event(
        sequence=head.sequence + 1,
        at=now(),
        actor=actor,
        actor_label=str(actor) if actor else THE_PORTAL,
        action=action,
        subject=subject,
        business_unit=business_unit,
        note=note,
        data=dict(data or {}),
        previous=head.hash,
    )
    event.hash = digest(event)
    event.save(force_insert=True)
    head.sequence, head.hash = event.sequence, event.hash
    head.save()
    outbox.note(event)
    return event


def digest(event: Event) -> str:
    """SHA-256 over everything that the event says and the hash of the previous one."""
    said = [
        event.sequence, event.at.isoformat(), event.actor_id, event.actor_label, event.action, event.subject,
        event.business_unit_id, event.note, event.data, event.previous,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True)
class Verified:
    count: int
    problem: str = ""  # the first difference; empty when the chain holds


@transaction.atomic
def verify() -> Verified:
    """Follow the whole chain."""
    previous, count = "0" * 64, 0
    head = ChainHead.objects.select_for_update().filter(pk=1).first() or ChainHead()
    for event in Event.objects.order_by("sequence").iterator(chunk_size=1000):
        count += 1
        if event.sequence != count:
            return Verified(count, f"event {count} is missing")
        if event.previous != previous:
            return Verified(count, f"event {count} does not follow the one before it")
        if event.hash != digest(event):
            return Verified(count, f"event {count} was changed")
        previous = event.hash
    if (head.sequence, head.hash) != (count, previous):
        return Verified(
            count, f"the newest events are missing: the chain had {head.sequence}, and {count} are there"
        )
    return Verified(count)
