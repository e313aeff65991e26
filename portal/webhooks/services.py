"""Webhooks: making them, and telling them. A delivery is safe to repeat: its id stays the same."""

import json
import logging
import random
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Final

from cryptography.fernet import MultiFernet
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.timezone import now
from django.views.decorators.debug import sensitive_variables

from portal import audit
from portal.errors import InvalidInput, NotAllowed, WrongState
from portal.identity.models import BusinessUnit, User
from portal.identity.roles import Permission
from portal.keys import keyring
from portal.webhooks import addresses, outbox, sending
from portal.webhooks.models import Delivery, Webhook

logger = logging.getLogger(__name__)

MOST: Final = 10  # webhooks of a business unit
# Seconds until the next attempt: about a day and a half in all, then it is given up.
PAUSES: Final = (10, 60, 300, 1800, 2 * 3600, 6 * 3600, 12 * 3600, 12 * 3600)
FIRST_REST, LONGEST_REST = 10, 600  # seconds in which a webhook that failed is left alone
GIVEN_UP_AFTER: Final = timedelta(days=3)
TOO_OLD: Final = "It could not be delivered for three days."
KEPT_FOR: Final = timedelta(days=30)
AT_ONCE: Final = 8
SECONDS_AT_WORK: Final = 45  # of one task, so that others have their turn
CLAIMED_FOR: Final = timedelta(seconds=60)  # longer than one call can take

# ── making them ─────────────────────────────────────────────────────────────────────────────────────────────


@sensitive_variables()
def create(
    *, actor: User, business_unit: BusinessUnit, url: str, events: Iterable[str] = ()
) -> tuple[Webhook, str]:
    """The webhook and its secret: show it once. NotAllowed, InvalidInput. Without events it hears all."""
    _check_manages(actor, business_unit)
    wanted = _checked(events)
    addresses.check(url)
    secret = sending.new_secret()
    with transaction.atomic():
        BusinessUnit.objects.select_for_update().get(pk=business_unit.pk)
        if Webhook.objects.filter(business_unit=business_unit).count() >= MOST:
            raise InvalidInput({"business_unit": f"It has {MOST} webhooks already: remove one first."})
        webhook = Webhook.objects.create(
            business_unit=business_unit, url=url, events=wanted, secret=_locked(secret), created_by=actor
        )
        _record("create", webhook, actor)
    return webhook, secret


@transaction.atomic
def change(webhook: Webhook, *, actor: User, **changes: Any) -> None:
    """url, events, is_active. What waits is sent to the new address, and at once."""
    _check_manages(actor, webhook.business_unit)
    if "url" in changes:
        addresses.check(changes["url"])
    if "events" in changes:
        changes["events"] = _checked(changes["events"])
    for name, value in changes.items():
        setattr(webhook, name, value)
    webhook.failures, webhook.quiet_until = 0, None
    webhook.save(update_fields=[*changes, "failures", "quiet_until"])
    _record("change", webhook, actor, fields=sorted(changes))


@sensitive_variables()
@transaction.atomic
def rotate(webhook: Webhook, *, actor: User) -> str:
    """A new secret, at once. What the receiver refuses until it knows it is sent again."""
    _check_manages(actor, webhook.business_unit)
    secret = sending.new_secret()
    webhook.secret = _locked(secret)
    webhook.save(update_fields=["secret"])
    _record("rotate", webhook, actor)
    return secret


@transaction.atomic
def remove(webhook: Webhook, *, actor: User) -> None:
    """With everything that waits."""
    _check_manages(actor, webhook.business_unit)
    _record("remove", webhook, actor)
    webhook.delete()


@transaction.atomic
def ping(webhook: Webhook, *, actor: User) -> Delivery:
    """A trial, of no request. WrongState while it is switched off."""
    _check_manages(actor, webhook.business_unit)
    if not webhook.is_active:
        raise WrongState("This webhook is switched off: switch it on first.")
    event = _record("ping", webhook, actor)
    body = {"type": outbox.PING, "at": event.at.isoformat(), "business_unit": webhook.business_unit.slug}
    delivery = Delivery(webhook=webhook, sequence=event.sequence, body=body)
    outbox.keep([delivery])
    return delivery


@transaction.atomic
def replay(deliveries: Sequence[Delivery], webhook: Webhook, *, actor: User) -> int:
    """Send these of the webhook again, with the ids that they had. How many are on their way."""
    _check_manages(actor, webhook.business_unit)
    if not webhook.is_active:
        raise WrongState("This webhook is switched off: switch it on first.")
    settled = webhook.deliveries.filter(pk__in=[each.pk for each in deliveries]).exclude(
        state=Delivery.State.WAITING
    )
    count = settled.update(
        state=Delivery.State.WAITING, attempts=0, due_at=now(), created_at=now(), settled_at=None
    )
    if count:
        Webhook.objects.filter(pk=webhook.pk).update(failures=0, quiet_until=None)
        _record("replay", webhook, actor, deliveries=count)
        outbox.keep([])
    return count


def _check_manages(actor: User, business_unit: BusinessUnit) -> None:
    if not actor.can(Permission.WEBHOOK_MANAGE, business_unit):
        raise NotAllowed(f"Only administrators of {business_unit} and operators manage its webhooks.")


def _checked(events: Iterable[str]) -> list[str]:
    wanted = sorted(set(events)) or list(outbox.EVENTS)
    unknown = [name for name in wanted if name not in outbox.EVENTS]
    if unknown:
        known = ", ".join(outbox.EVENTS)
        raise InvalidInput({"events": f"{', '.join(unknown)}: not known. Known are: {known}."})
    return wanted


def _record(step: str, webhook: Webhook, actor: User | None, **data: Any) -> Any:
    return audit.record(
        f"webhook.{step}",
        f"webhook {webhook.pk}",
        actor=actor,
        business_unit=webhook.business_unit,
        data={"host": webhook.host, **data},
    )


def _locked(secret: str) -> bytes:
    return _keys().encrypt(secret.encode())


def _keys() -> MultiFernet:
    return keyring(settings.STATE_KEYS, "webhooks")


# ── telling them ────────────────────────────────────────────────────────────────────────────────────────────


def deliver_due() -> None:
    """Send what is due, several at once. Any number of processes may do it at the same time."""
    until = time.monotonic() + SECONDS_AT_WORK
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while time.monotonic() < until and (batch := _claim()):
            calls = [_call(delivery) for delivery in batch]
            for delivery, outcome in zip(batch, pool.map(sending.send, calls), strict=True):
                _settle(delivery, outcome)


def _claim() -> list[Delivery]:
    """Some that nobody else sends; of a webhook that failed last time only one, to see whether it is back."""
    batch: list[Delivery] = []
    probed = set()
    for delivery in Delivery.objects.due().select_related("webhook")[: 4 * AT_ONCE]:
        if delivery.webhook.failures and delivery.webhook_id in probed:
            continue
        probed.add(delivery.webhook_id)
        # Whoever moves the time first sends it. Who dies then leaves a delivery that is due again in a minute.
        mine = Delivery.objects.filter(
            pk=delivery.pk, state=Delivery.State.WAITING, due_at=delivery.due_at, attempts=delivery.attempts
        )
        if mine.update(due_at=now() + CLAIMED_FOR, attempts=F("attempts") + 1):
            delivery.attempts += 1
            batch.append(delivery)
        if len(batch) == AT_ONCE:
            break
    return batch


@sensitive_variables()
def _call(delivery: Delivery) -> sending.Call:
    body = json.dumps({"id": str(delivery.pk), **delivery.body}, separators=(",", ":")).encode()
    secret = _keys().decrypt(bytes(delivery.webhook.secret)).decode()
    return sending.Call(str(delivery.pk), delivery.webhook.url, secret, body, int(time.time()))


def _settle(delivery: Delivery, outcome: sending.Outcome) -> None:
    ours = Delivery.objects.filter(pk=delivery.pk, attempts=delivery.attempts, state=Delivery.State.WAITING)
    said = {"last_status": outcome.status, "last_problem": outcome.problem[:200]}
    webhook = Webhook.objects.filter(pk=delivery.webhook_id)
    if not outcome.problem:
        ours.update(state=Delivery.State.DELIVERED, settled_at=now(), **said)
        webhook.exclude(failures=0).update(failures=0, quiet_until=None)
        return
    logger.info("Delivery %s, attempt %d: %s", delivery.pk, delivery.attempts, outcome.problem)
    rest = min(FIRST_REST * 2 ** min(delivery.webhook.failures, 10), LONGEST_REST)
    webhook.update(failures=F("failures") + 1, quiet_until=now() + timedelta(seconds=rest))
    if delivery.attempts > len(PAUSES) or now() - delivery.created_at > GIVEN_UP_AFTER:
        ours.update(state=Delivery.State.DEAD, settled_at=now(), **said)
    else:
        ours.update(due_at=now() + _pause(delivery.attempts, outcome.retry_after), **said)


def _pause(attempt: int, asked: int) -> timedelta:
    """A little apart from each other, so that not all come back at once."""
    return timedelta(seconds=max(PAUSES[attempt - 1] * random.uniform(1.0, 1.2), asked))


def tidy_up() -> None:
    """Give up what is too old to be news, and forget what is long settled."""
    at = now()
    old = Delivery.objects.filter(state=Delivery.State.WAITING, created_at__lt=at - GIVEN_UP_AFTER)
    old.update(state=Delivery.State.DEAD, settled_at=at, last_problem=TOO_OLD)
    Delivery.objects.filter(settled_at__lt=at - KEPT_FOR).delete()
