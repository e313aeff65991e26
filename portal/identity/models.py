"""People, the business units they act for, and the tokens they let machines act with."""

import uuid
from typing import Any, Self

from django.contrib.auth.models import AbstractUser
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.functional import cached_property
from django.utils.timezone import now

from portal.identity.roles import CAN, Permission, Role


class Environment(models.TextChoices):
    DEV = "dev", "Development"
    STAGING = "staging", "Staging"
    PROD = "prod", "Production"


class User(AbstractUser):
    """A person or a service account. Never found by e-mail: addresses change hands."""

    class Source(models.TextChoices):
        LOCAL = "local", "Local account"
        ENTRA = "entra", "Entra ID"
        SERVICE = "service", "Service principal"

    auth_source = models.CharField(max_length=10, choices=Source, default=Source.LOCAL)
    entra_tid = models.UUIDField("Entra tenant id", null=True, blank=True)
    entra_oid = models.UUIDField("Entra object id", null=True, blank=True)
    claims_synced_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entra_tid", "entra_oid"], name="entra_identity_is_unique"),
            models.CheckConstraint(
                condition=Q(auth_source="local") | Q(entra_tid__isnull=False, entra_oid__isnull=False),
                name="entra_accounts_have_ids",
            ),
        ]

    def __str__(self) -> str:
        return self.get_full_name() or self.username

    @property
    def is_local(self) -> bool:
        return self.auth_source == self.Source.LOCAL

    @property
    def is_operator(self) -> bool:
        """Platform staff."""
        return self.is_active and self.is_staff

    @cached_property
    def roles(self) -> dict[int, set[Role]]:
        """Active roles by business unit id; one query for each user object."""
        roles: dict[int, set[Role]] = {}
        if self.is_active:
            for unit, role in self.memberships.active().values_list("business_unit_id", "role"):
                roles.setdefault(unit, set()).add(Role(role))
        return roles

    def can(self, permission: Permission, business_unit: "BusinessUnit | int") -> bool:
        """Whether a role in this business unit allows it. Being an operator is not a role."""
        unit_id = business_unit if isinstance(business_unit, int) else business_unit.pk
        return bool(CAN[permission] & self.roles.get(unit_id, set()))

    def can_somewhere(self, permission: Permission) -> bool:
        return any(CAN[permission] & held for held in self.roles.values())


class BusinessUnitQuerySet(models.QuerySet["BusinessUnit"]):
    def for_user(self, user: Any, permission: Permission) -> Self:
        """Those in which one of the user's roles allows it."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        held = Membership.objects.active().filter(
            user=user, role__in=CAN[permission], business_unit=OuterRef("pk")
        )
        return self.filter(Exists(held))


class BusinessUnit(models.Model):
    """The scope of rights and budgets."""

    slug = models.SlugField(
        unique=True, max_length=30, validators=[RegexValidator(r"^[a-z][a-z0-9-]{1,29}$")]
    )
    name = models.CharField(max_length=100, unique=True)
    cost_center = models.CharField(max_length=30)
    is_active = models.BooleanField(default=True)

    objects = BusinessUnitQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class LandingZone(models.Model):
    """What the platform team has prepared for a business unit in one environment: outputs of its `_base` state."""

    business_unit = models.ForeignKey(BusinessUnit, on_delete=models.CASCADE, related_name="landing_zones")
    environment = models.CharField(max_length=10, choices=Environment)
    # Injected into modules as `base`: resource_group_name, entra_admin, …
    outputs = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["business_unit", "environment"], name="one_landing_zone_per_environment"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.business_unit} {self.get_environment_display()}"


class MembershipQuerySet(models.QuerySet["Membership"]):
    def active(self) -> Self:
        return self.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now()))


class Membership(models.Model):
    """A user has a role in a business unit. Read it through `active()` only."""

    class Origin(models.TextChoices):
        MANUAL = "manual", "granted by hand"
        ENTRA = "entra", "from Entra ID"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    business_unit = models.ForeignKey(BusinessUnit, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=12, choices=Role)
    origin = models.CharField(max_length=8, choices=Origin, default=Origin.MANUAL)
    granted_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    expires_at = models.DateTimeField(null=True, blank=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "business_unit", "role", "origin"], name="membership_is_unique"
            ),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="role_is_known"),
        ]
        indexes = [models.Index(fields=["user", "role", "business_unit"], name="membership_by_user")]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_role_display()} of {self.business_unit}"


class EntraMapping(models.Model):
    """What a security group or an app role of Entra ID grants here."""

    group_oid = models.UUIDField("group object id", null=True, blank=True)
    app_role = models.CharField(max_length=120, blank=True)
    business_unit = models.ForeignKey(BusinessUnit, null=True, blank=True, on_delete=models.CASCADE)
    role = models.CharField(max_length=12, choices=Role, blank=True)
    grants_staff = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(group_oid__isnull=False, app_role="")
                | (Q(group_oid__isnull=True) & ~Q(app_role="")),
                name="mapping_has_one_source",
            ),
            models.CheckConstraint(
                condition=Q(business_unit__isnull=True, role="")
                | (Q(business_unit__isnull=False) & ~Q(role="")),
                name="mapping_unit_has_role",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.group_oid or self.app_role}"


class ApiToken(models.Model):
    """Lets a machine act for its user. The token itself is shown once and stored nowhere."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=80)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    # Set: the token acts in this business unit only.
    business_unit = models.ForeignKey(BusinessUnit, null=True, blank=True, on_delete=models.CASCADE)
    digest = models.CharField(max_length=64, unique=True, editable=False)  # SHA-256, in hex
    hint = models.CharField(max_length=12, editable=False)  # its first characters, for people
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(default=now, editable=False)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_address = models.GenericIPAddressField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.hint}… {self.name}"
