"""Who is told about events, and what is still to be told."""

import uuid
from typing import Any, Self
from urllib.parse import urlsplit

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.timezone import now

from portal.identity.models import BusinessUnit, OfUnits

LONGEST_URL = 500


class Webhook(models.Model):
    """An address of a business unit that hears what happens to its requests. Changed only by `services`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    business_unit = models.ForeignKey(BusinessUnit, on_delete=models.PROTECT, related_name="webhooks")
    url = models.CharField(max_length=LONGEST_URL)
    events = models.JSONField(default=list)  # names from events.NAMES
    secret = models.BinaryField()  # encrypted
    is_active = models.BooleanField(default=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    # Failed deliveries in a row, and until when nothing is sent because of them.
    failures = models.PositiveIntegerField(default=0)
    quiet_until = models.DateTimeField(null=True, blank=True)

    objects: Any = OfUnits.as_manager()

    class Meta:
        ordering = ["created_at"]

    def __str__(self) -> str:
        return self.host

    @property
    def host(self) -> str:
        """What may be shown to others: with many services the rest of the address is a secret."""
        return urlsplit(self.url).netloc


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def due(self) -> Self:
        """What can be sent now, the longest waiting first."""
        at = now()
        awake = Q(webhook__quiet_until__isnull=True) | Q(webhook__quiet_until__lte=at)
        found = self.filter(awake, state=Delivery.State.WAITING, due_at__lte=at, webhook__is_active=True)
        return found.order_by("due_at", "sequence")


class Delivery(models.Model):
    """One event for one webhook: the outbox. Its id stays the same however often it is sent."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        DELIVERED = "delivered", "Delivered"
        DEAD = "dead", "Given up"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    sequence = models.BigIntegerField()  # of the event
    body = models.JSONField()
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(default=now)
    last_status = models.PositiveSmallIntegerField(null=True, blank=True)  # of HTTP
    last_problem = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        verbose_name_plural = "deliveries"
        constraints = [
            models.CheckConstraint(
                condition=Q(state="waiting", settled_at__isnull=True)
                | (~Q(state="waiting") & Q(settled_at__isnull=False)),
                name="delivery_is_settled_or_waits",
            )
        ]
        indexes = [
            models.Index(fields=["due_at", "sequence"], condition=Q(state="waiting"), name="delivery_due"),
            models.Index(fields=["webhook", "-created_at", "-id"], name="delivery_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.id} ({self.state})"
