"""People, the business units they act for, and the tokens they let machines act with."""

import uuid
from datetime import date, timedelta
from typing import Any, ClassVar, Self, TypeVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.sessions.base_session import AbstractBaseSession
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.crypto import salted_hmac
from django.utils.functional import cached_property
from django.utils.timezone import now

from portal.identity.roles import CAN, OPERATORS, PEOPLE_ONLY, Permission, Role, Scope

Row = TypeVar("Row", bound=models.Model, covariant=True)


# What a browser calls itself, the more special first: every Edge is also a Chrome, and every Chrome a Safari.
BROWSERS = [("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari")]
SYSTEMS = [
    ("Windows", "Windows"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Mac OS X", "macOS"), ("Android", "Android"),
    ("Linux", "Linux"),
]  # fmt: skip


class Environment(models.TextChoices):
    DEV = "dev", "Development"
    STAGING = "staging", "Staging"
    PROD = "prod", "Production"


class User(AbstractUser):
    """A person or a service account. Never found by e-mail: addresses change hands."""

    class Source(models.TextChoices):
        LOCAL = "local", "Local account"
        ENTRA = "entra", "Entra ID"
        SERVICE = "service", "Service account"

    auth_source = models.CharField(max_length=10, choices=Source, default=Source.LOCAL)
    entra_tid = models.UUIDField("Entra tenant id", null=True, blank=True)
    entra_oid = models.UUIDField("Entra object id", null=True, blank=True)
    # When Entra ID issued the newest claims that were applied.
    claims_synced_at = models.DateTimeField(null=True, blank=True)
    # Set: the password was printed by a command. It opens nothing but the page to change it, and ends then.
    one_time_until = models.DateTimeField("one-time password until", null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entra_tid", "entra_oid"], name="entra_identity_is_unique"),
            models.CheckConstraint(
                condition=~Q(auth_source="entra") | Q(entra_tid__isnull=False, entra_oid__isnull=False),
                name="entra_accounts_have_ids",
            ),
            models.CheckConstraint(
                condition=~Q(auth_source="service") | Q(is_staff=False, is_superuser=False),
                name="service_accounts_are_no_operators",
                violation_error_message="A service account cannot be an operator.",
            ),
        ]

    # Set by a token for one business unit, and for this object only: it has no rights anywhere else.
    only_in: int | None = None

    def __str__(self) -> str:
        return self.get_full_name() or self.username

    @property
    def is_local(self) -> bool:
        return self.auth_source == self.Source.LOCAL

    def set_one_time_password(self, password: str) -> None:
        """One that somebody else knows: it opens only the page that replaces it."""
        self.set_password(password)
        self.one_time_until = now() + timedelta(hours=settings.ONE_TIME_PASSWORD_HOURS)

    @property
    def is_operator(self) -> bool:
        """Platform staff."""
        return self.is_active and self.is_staff and self.only_in is None

    @cached_property
    def roles(self) -> dict[int, set[Role]]:
        """
        Active roles by business unit id; one query for each user object, and so for each call.

        All rights come from here, for lists and for single things, so they cannot differ.
        """
        roles: dict[int, set[Role]] = {}
        for unit, role in self.memberships.of(self).values_list("business_unit_id", "role"):
            roles.setdefault(unit, set()).add(Role(role))
        return roles

    def roles_for(self, permission: Permission) -> frozenset[Role]:
        """Those that allow it, when this account holds one of them."""
        is_machine = self.auth_source == self.Source.SERVICE
        return frozenset() if is_machine and permission in PEOPLE_ONLY else CAN[permission]

    def can_everywhere(self, permission: Permission) -> bool:
        return self.is_operator and permission in OPERATORS

    def can(self, permission: Permission, business_unit: "BusinessUnit | int") -> bool:
        """Whether a role in this business unit allows it, or being an operator does."""
        unit_id = business_unit if isinstance(business_unit, int) else business_unit.pk
        held = self.roles.get(unit_id, set())
        return self.can_everywhere(permission) or bool(self.roles_for(permission) & held)

    def can_somewhere(self, permission: Permission) -> bool:
        return self.can_everywhere(permission) or bool(self.units_for(permission))

    def units_for(self, permission: Permission) -> list[int]:
        """Ids of the business units in which a role allows it."""
        enough = self.roles_for(permission)
        return [unit for unit, held in self.roles.items() if enough & held]


class ServiceAccountManager(UserManager["ServiceAccount"]):
    use_in_migrations = False

    def get_queryset(self) -> models.QuerySet["ServiceAccount"]:
        return super().get_queryset().filter(auth_source=User.Source.SERVICE)


class ServiceAccount(User):
    """An account of a machine: it signs in nowhere, and acts through tokens that operators make for it."""

    objects: ClassVar[ServiceAccountManager] = ServiceAccountManager()

    class Meta:
        proxy = True


class OfUnits(models.QuerySet[Row]):
    """Rows of which each belongs to a business unit."""

    unit_field = "business_unit"

    def for_user(self, user: Any, permission: Permission) -> Self:
        """
        Those of the business units in which the user may do that.

        By their ids, and not by Exists: beside the joins that a list needs, databases look at memberships last
        (benchmarks/README.md).
        """
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.can_everywhere(permission):
            return self
        return self.filter(**{f"{self.unit_field}__in": user.units_for(permission)})


class BusinessUnitQuerySet(OfUnits["BusinessUnit"]):
    unit_field = "pk"


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
        """What has ended gives nothing, from the second on in which it ends."""
        return self.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now()))

    def of(self, user: User) -> Self:
        """Those that count for this user now."""
        if not user.is_active:
            return self.none()
        held = self.active().filter(user=user)
        return held if user.only_in is None else held.filter(business_unit=user.only_in)


class Membership(models.Model):
    """A user has a role in a business unit. Read it through `of()` or `active()` only; people.py changes it."""

    class Origin(models.TextChoices):
        MANUAL = "manual", "Given in the portal"
        ENTRA = "entra", "Entra ID"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    business_unit = models.ForeignKey(BusinessUnit, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=12, choices=Role)
    origin = models.CharField(max_length=8, choices=Origin, default=Origin.MANUAL)
    # Who gave it its present form. Empty: the portal itself.
    granted_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    expires_at = models.DateTimeField(null=True, blank=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "business_unit", "role", "origin"], name="membership_is_unique"
            ),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="role_is_known"),
            models.CheckConstraint(
                condition=Q(granted_by__isnull=True) | ~Q(granted_by=F("user")),
                name="nobody_grants_their_own_role",
            ),
        ]
        indexes = [models.Index(fields=["user", "role", "business_unit"], name="membership_by_user")]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_role_display()} of {self.business_unit}"

    @property
    def has_ended(self) -> bool:
        return self.expires_at is not None and self.expires_at <= now()

    @property
    def last_day(self) -> date | None:
        return (self.expires_at - timedelta(microseconds=1)).date() if self.expires_at else None


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
                violation_error_message="Give the object id of a group, or the value of an app role; not both.",
            ),
            models.CheckConstraint(
                condition=Q(business_unit__isnull=True, role="")
                | (Q(business_unit__isnull=False) & ~Q(role="")),
                name="mapping_unit_has_role",
                violation_error_message="A business unit and a role belong together: give both or none.",
            ),
        ]

    def __str__(self) -> str:
        gives = [f"{self.get_role_display()} of {self.business_unit}"] if self.business_unit else []
        gives += ["Operator"] if self.grants_staff else []
        return f"{self.group_oid or self.app_role}: {', '.join(gives) or 'may sign in'}"


class Session(AbstractBaseSession):
    """A browser that is signed in, or on its way to be. The store in sessions.py keeps the columns in step."""

    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="sessions")
    started_at = models.DateTimeField(null=True)
    address = models.GenericIPAddressField(null=True)
    agent = models.CharField(max_length=200, blank=True)
    # Entra ID's name for the same session: it says which one to end, and sends no cookie then.
    entra_sid = models.CharField(max_length=120, blank=True, db_index=True)

    class Meta:
        verbose_name = "session"

    def __str__(self) -> str:
        return f"{self.user}: {self.device}"

    @property
    def name(self) -> str:
        """For pages: the key itself is what opens the session."""
        return salted_hmac("session name", self.session_key, algorithm="sha256").hexdigest()[:16]

    @property
    def device(self) -> str:
        """For people: "Firefox on Windows"."""
        browser = next((name for mark, name in BROWSERS if mark in self.agent), "A browser")
        system = next((name for mark, name in SYSTEMS if mark in self.agent), "")
        return f"{browser} on {system}" if system else browser


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
        verbose_name = "API token"
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.hint}… {self.name}"

    @property
    def works(self) -> bool:
        return self.revoked_at is None and self.expires_at > now()

    @property
    def is_read_only(self) -> bool:
        return Scope.WRITE not in self.scopes
