"""The audit trail, keys of calls, and the tables behind the embedded adapters (empty in production)."""

import uuid
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.timezone import now

from portal.identity.models import BusinessUnit, OfUnits
from portal.identity.roles import Permission


class EventQuerySet(OfUnits["Event"]):
    def visible_to(self, user: Any) -> Self:
        """All for operators; else those of business units in which the user's role allows it."""
        return self.for_user(user, Permission.AUDIT_VIEW)

    def about(self, subject: str) -> Self:
        return self.filter(subject=subject)


class Event(models.Model):
    """What somebody did. Written once by `audit.record`, each with the hash of the one before it."""

    sequence = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    # Empty: the portal itself.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    actor_label = models.CharField(max_length=160)  # the name as it was then
    action = models.CharField(max_length=60)
    subject = models.CharField(max_length=80)
    business_unit = models.ForeignKey(
        BusinessUnit, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    note = models.TextField(blank=True)
    data = models.JSONField(default=dict)
    previous = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)
    mirrored_at = models.DateTimeField(null=True, blank=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ["-sequence"]
        indexes = [
            models.Index(fields=["subject", "sequence"], name="event_by_subject"),
            models.Index(fields=["business_unit", "-sequence"], name="event_by_business_unit"),
            models.Index(
                fields=["sequence"], condition=Q(mirrored_at__isnull=True), name="event_not_mirrored"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sequence} {self.action} {self.subject}"


class ChainHead(models.Model):
    """The newest link. Its one row is locked while an event is written, so that the chain has no forks."""

    sequence = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64, default="0" * 64)

    def __str__(self) -> str:
        return f"{self.sequence} {self.hash}"


class IdempotencyKey(models.Model):
    """A call that asked for something and that its caller may repeat. Read and written by `idempotency` alone."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=128)
    body_digest = models.CharField(max_length=64)
    holder = models.UUIDField(default=uuid.uuid4)  # the call that is at work
    made = models.CharField(max_length=80, blank=True)  # for example REQ-12; empty while the call is at work
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    answer = models.TextField(blank=True)  # as text: a database may sort what is in JSON
    until = models.DateTimeField(db_index=True)  # then it is free again

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="idempotency_key_is_used_once")]

    def __str__(self) -> str:
        return f"{self.key} of {self.user_id}"


class QueuedMessage(models.Model):
    """Behind DatabaseQueue."""

    run_key = models.CharField(max_length=40, unique=True)
    priority = models.CharField(max_length=10)
    sent_at = models.DateTimeField(default=now)
    # Time of sending plus what its priority has to wait: the order of delivery.
    rank_at = models.DateTimeField()
    visible_at = models.DateTimeField(default=now)
    count = models.PositiveIntegerField(default=0)
    lock = models.UUIDField(default=uuid.uuid4)
    dead_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["rank_at"], condition=Q(dead_at__isnull=True), name="message_in_order")
        ]

    def __str__(self) -> str:
        return f"{self.run_key} ({self.priority})"


class TrackedRun(models.Model):
    """Behind DatabaseTracker: one run document."""

    key = models.CharField(max_length=40, primary_key=True)
    document = models.JSONField()
    version = models.PositiveIntegerField(default=1)

    def __str__(self) -> str:
        return f"{self.key} version {self.version}"


class TrackedEntry(models.Model):
    """Behind DatabaseTracker: one line of a run's log."""

    run_key = models.CharField(max_length=40)
    sequence = models.PositiveIntegerField()
    at = models.DateTimeField()
    phase = models.CharField(max_length=20)
    level = models.CharField(max_length=10)
    text = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run_key", "sequence"], name="entry_is_known_by_sequence")
        ]

    def __str__(self) -> str:
        return f"{self.run_key} {self.sequence} {self.text}"
