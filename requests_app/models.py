import secrets
import string
import uuid
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from catalog_app.models import Item, ItemVersion
from portal.identity.models import BusinessUnit, Environment
from portal.identity.roles import Permission
from requests_app.states import LIVE, OPEN, DeploymentState, Kind, State

SUFFIX_LENGTH = 4  # as the modules' unique_suffix


def new_suffix() -> str:
    return "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(SUFFIX_LENGTH))


class DeploymentQuerySet(models.QuerySet["Deployment"]):
    def visible_to(self, user: Any) -> Self:
        """Those of the business units in which the user has a role; all for an operator."""
        if user.is_operator:
            return self
        return self.filter(business_unit__in=BusinessUnit.objects.for_user(user, Permission.REQUEST_VIEW))

    def with_names(self) -> Self:
        return self.select_related("item", "item_version__item", "business_unit", "owner")

    def live(self) -> Self:
        return self.filter(state__in=LIVE)


class Deployment(models.Model):
    """One Terraform state and what it holds. Changed only by what happens to its requests."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=40)
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="deployments")
    # The version it was last made or changed with: the one that can destroy it.
    item_version = models.ForeignKey(ItemVersion, on_delete=models.PROTECT, related_name="deployments")
    business_unit = models.ForeignKey(BusinessUnit, on_delete=models.PROTECT, related_name="deployments")
    environment = models.CharField(max_length=10, choices=Environment)
    region = models.CharField(max_length=40)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="deployments")
    # As they are now, not as somebody wants them.
    parameters = models.JSONField(default=dict)
    usage = models.JSONField(default=dict)
    outputs = models.JSONField(default=dict)
    resources = models.JSONField(default=list)  # [{address, type, id, ...}] as the last run saw them
    monthly_cost = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    unique_suffix = models.CharField(max_length=SUFFIX_LENGTH, default=new_suffix)
    state = models.CharField(max_length=12, choices=DeploymentState, default=DeploymentState.NEW)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    destroyed_at = models.DateTimeField(null=True, blank=True)

    objects = DeploymentQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["business_unit", "environment", "item", "name"],
                condition=Q(state__in=LIVE),
                name="deployment_name_is_unique",
            ),
            models.CheckConstraint(
                condition=Q(state__in=DeploymentState.values), name="deployment_state_is_known"
            ),
        ]
        indexes = [
            models.Index(
                fields=["business_unit", "state", "-created_at", "-id"], name="deployment_by_business_unit"
            ),
            models.Index(fields=["-created_at", "-id"], name="deployment_newest"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("deployment", args=[self.pk])

    @property
    def open_request(self) -> "ServiceRequest | None":
        return self.requests.open().first()

    @property
    def is_live(self) -> bool:
        return self.state in LIVE


class ServiceRequestQuerySet(models.QuerySet["ServiceRequest"]):
    def visible_to(self, user: Any) -> Self:
        """Those of the business units in which the user has a role, and their own; all for an operator."""
        if user.is_operator:
            return self
        units = BusinessUnit.objects.for_user(user, Permission.REQUEST_VIEW)
        return self.filter(business_unit__in=units)

    def decidable_by(self, user: Any) -> Self:
        """What waits for this person: never their own requests."""
        units = BusinessUnit.objects.for_user(user, Permission.REQUEST_DECIDE)
        return self.filter(state=State.SUBMITTED, business_unit__in=units).exclude(requester=user)

    def with_names(self) -> Self:
        return self.select_related(
            "deployment__item", "item_version__item", "business_unit", "requester", "decided_by"
        )

    def open(self) -> Self:
        return self.filter(state__in=OPEN)


class ServiceRequest(models.Model):
    """Someone asks for something new, for a change, or for a removal. Changed only by `services._move`."""

    kind = models.CharField(max_length=8, choices=Kind)
    deployment = models.ForeignKey(Deployment, on_delete=models.PROTECT, related_name="requests")
    item_version = models.ForeignKey(ItemVersion, on_delete=models.PROTECT, related_name="requests")
    requester = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="requests")
    business_unit = models.ForeignKey(BusinessUnit, on_delete=models.PROTECT, related_name="requests")
    environment = models.CharField(max_length=10, choices=Environment)
    region = models.CharField(max_length=40)
    parameters = models.JSONField(default=dict)  # as they will be
    changes = models.JSONField(default=dict)  # of an update: {name: {from, to}}
    usage = models.JSONField(default=dict)
    estimate = models.JSONField(default=dict)
    monthly_cost = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    verdict = models.JSONField(default=dict)
    allow_replace = models.BooleanField(default=False)
    justification = models.TextField(blank=True)

    state = models.CharField(max_length=10, choices=State, default=State.SUBMITTED)
    attempt = models.PositiveIntegerField(default=1)
    # Empty while undecided, and when a rule decided.
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="decisions"
    )
    decided_automatically = models.BooleanField(default=False)
    decision_note = models.TextField(blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    plan = models.JSONField(default=dict)  # {add, change, destroy, replace, resources, engine}
    failure = models.TextField(blank=True)
    submitted_at = models.DateTimeField()
    decide_before = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)  # of this attempt
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = ServiceRequestQuerySet.as_manager()

    class Meta:
        ordering = ["-submitted_at"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=State.values), name="state_is_known"),
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="kind_is_known"),
            models.CheckConstraint(condition=~Q(state="failed") | ~Q(failure=""), name="failed_says_why"),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("requester")),
                name="nobody_decides_their_own_request",
            ),
            models.UniqueConstraint(
                fields=["deployment"], condition=Q(state__in=OPEN), name="one_open_request_per_deployment"
            ),
        ]
        indexes = [
            models.Index(fields=["-submitted_at", "-id"], name="request_newest"),
            models.Index(fields=["state", "-submitted_at", "-id"], name="request_by_state"),
            models.Index(fields=["business_unit", "-submitted_at", "-id"], name="request_by_business_unit"),
            models.Index(fields=["requester", "-submitted_at", "-id"], name="request_by_requester"),
        ]

    def __str__(self) -> str:
        return self.ref

    def get_absolute_url(self) -> str:
        return reverse("request", args=[self.pk])

    @property
    def ref(self) -> str:
        """The name that people use."""
        return f"REQ-{self.pk}"

    @property
    def run_key(self) -> str:
        """Names the run of this attempt everywhere outside."""
        return f"{self.pk}-a{self.attempt}"

    @property
    def item(self) -> Item:
        return self.item_version.item

    @property
    def name(self) -> str:
        return self.deployment.name

    @property
    def is_open(self) -> bool:
        return self.state in OPEN
