import math
import secrets
import string
import uuid
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse
from django.utils.timezone import now

from catalog_app.models import Item, ItemVersion
from portal.identity.models import BusinessUnit, Environment, OfUnits
from portal.identity.roles import DECIDES, Permission, Role
from requests_app.states import LIVE, OPEN, SETTLED, DeploymentState, Kind, State

SUFFIX_LENGTH = 4  # as the modules' unique_suffix


def new_suffix() -> str:
    return "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(SUFFIX_LENGTH))


class DeploymentQuerySet(OfUnits["Deployment"]):
    def visible_to(self, user: Any) -> Self:
        """Those of the business units in which the user has a role; all for an operator."""
        return self.for_user(user, Permission.REQUEST_VIEW)

    def with_names(self) -> Self:
        return self.select_related("item", "item_version__item", "business_unit", "owner")

    def live(self) -> Self:
        return self.filter(state__in=LIVE)

    def expired(self, at: datetime) -> Self:
        """Those whose time is over and that nothing stands against: no open request, no removal that failed."""
        requests = ServiceRequest.objects.filter(deployment=OuterRef("pk"))
        failed = requests.failed_removals(since=OuterRef("expires_at"))
        return self.filter(~Exists(requests.open()), ~Exists(failed), state__in=SETTLED, expires_at__lte=at)


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
    # When it is removed; empty: never by itself.
    expires_at = models.DateTimeField(null=True, blank=True)
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
            models.Index(
                fields=["expires_at"], condition=Q(expires_at__isnull=False), name="deployment_by_expiry"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("deployment", args=[self.pk])

    @property
    def open_request(self) -> "ServiceRequest | None":
        return self.requests.open().first()

    @property
    def made_by(self) -> "ServiceRequest":
        """The request that it began with."""
        return self.requests.earliest("pk")

    @property
    def is_live(self) -> bool:
        return self.state in LIVE

    @property
    def failed_removal(self) -> "ServiceRequest | None":
        """The one that should have removed it when its time was over. It is not asked for again."""
        return self.requests.failed_removals(since=self.expires_at).first() if self.expires_at else None

    @property
    def days_left(self) -> int | None:
        """Whole days, rounded up; 0 or less when its time is over; None without an end."""
        if self.expires_at is None or self.state not in SETTLED:
            return None
        return math.ceil((self.expires_at - now()) / timedelta(days=1))


class ServiceRequestQuerySet(OfUnits["ServiceRequest"]):
    def visible_to(self, user: Any) -> Self:
        """Those of the business units in which the user has a role; all for an operator."""
        return self.for_user(user, Permission.REQUEST_VIEW)

    def decidable_by(self, user: Any) -> Self:
        """What waits for this person: never their own requests."""
        return self.in_charge(user).filter(state=State.SUBMITTED).exclude(requester=user)

    def in_charge(self, user: Any) -> Self:
        """Those that people with the user's roles decide on; among them are the user's own."""
        mine = Q()
        for role, permission in DECIDES.items():
            mine |= Q(approver_role=role, business_unit__in=user.units_for(permission))
        return self.filter(mine)

    def with_names(self) -> Self:
        return self.select_related(
            "deployment__item", "item_version__item", "business_unit", "requester", "decided_by"
        )

    def open(self) -> Self:
        return self.filter(state__in=OPEN)

    def failed_removals(self, since: Any) -> Self:
        """Removals of what had expired by then."""
        return self.filter(on_expiry=True, state=State.FAILED, submitted_at__gte=since)


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
    # What the deployment cost a month when this was asked.
    cost_before = models.DecimalField(max_digits=12, decimal_places=2, default=0, db_default=0)
    facts = models.JSONField(default=dict, db_default={})  # what the rules saw: see proposal.facts
    verdict = models.JSONField(default=dict)
    # What rules that are only tried out say (mode dry_run), by stage: request, plan. For the platform team.
    trial = models.JSONField(default=dict, db_default={})
    # Who has to decide: the approvers, or by a rule the admins of the business unit.
    approver_role = models.CharField(
        max_length=12, choices=[(role, role.label) for role in DECIDES], default=Role.APPROVER,
        db_default=Role.APPROVER,
    )  # fmt: skip
    allow_replace = models.BooleanField(default=False)
    upgrade_from = models.CharField(
        max_length=40, blank=True, db_default=""
    )  # the version before, of an upgrade
    ttl_days = models.PositiveIntegerField(null=True, blank=True)  # from the end of the run; empty: as it is
    # A removal that nobody asked for: the time that was agreed is over.
    on_expiry = models.BooleanField(default=False, db_default=False)
    justification = models.TextField(blank=True)

    state = models.CharField(max_length=10, choices=State, default=State.SUBMITTED)
    version = models.PositiveIntegerField(default=1, db_default=1)  # one more with every step
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
    # When an attempt last ended half-way: without success, and with something changed.
    half_done_at = models.DateTimeField(null=True, blank=True)

    # Of one who decides: the version that was seen. Another one by now is refused.
    seen: int | None = None

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

    @property
    def cost_after(self) -> Decimal:
        """What the deployment is to cost a month; at least that, where the estimate is incomplete."""
        monthly = 0 if self.kind == Kind.DESTROY else self.estimate.get("monthly", 0)
        return Decimal(str(monthly)).quantize(Decimal("0.01"))

    @property
    def cost_difference(self) -> Decimal:
        return self.cost_after - self.cost_before
