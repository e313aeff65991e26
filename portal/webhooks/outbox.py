"""From an event to what is to be sent, in the transaction of the event. Known to `portal.audit`."""

from typing import Any

from django.db import transaction
from django_q.tasks import async_task

from portal.models import Event
from portal.webhooks.models import Delivery, Webhook

# What a webhook can ask for: the steps of requests, as the audit trail names them.
EVENTS = tuple(
    f"request.{step}"
    for step in (
        "submit", "approve", "reject", "expire", "cancel", "enqueue", "start", "stop", "stopped", "succeed", "fail",
        "retry",
    )
)  # fmt: skip
PING = "ping"  # the event of a trial, of no request


def note(event: Event) -> None:
    """Keep a delivery for each webhook that wants to hear of it."""
    if event.action not in EVENTS or event.business_unit_id is None:
        return
    listening = Webhook.objects.filter(business_unit_id=event.business_unit_id, is_active=True)
    wanted = [webhook for webhook in listening if event.action in webhook.events]
    if wanted:
        keep([Delivery(webhook=webhook, sequence=event.sequence, body=_body(event)) for webhook in wanted])


def keep(deliveries: list[Delivery]) -> None:
    """Send them soon; the sweep of every minute finds what this does not."""
    Delivery.objects.bulk_create(deliveries)
    transaction.on_commit(lambda: async_task("portal.webhooks.tasks.deliver"))


def _body(event: Event) -> dict[str, Any]:
    """Facts, and no words of people: notes and values are for those who may ask the API."""
    assert event.business_unit  # looked at above
    return {
        "type": event.action,
        "at": event.at.isoformat(),
        "sequence": event.sequence,
        "business_unit": event.business_unit.slug,
        "subject": event.subject,
        "actor": event.actor_label,
        "data": event.data,
    }
