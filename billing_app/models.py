"""Prices with their history, budgets, and the ledger of what is set aside and spent on them."""

from typing import Any, Self

from django.db import models
from django.db.models import F, Q

from portal.identity.models import BusinessUnit, Environment, OfUnits
from portal.identity.roles import Permission

GLOBAL = "Global"  # the region of prices that are the same everywhere


class Confidence(models.TextChoices):
    """How the amount of a price was obtained."""

    LIVE = "live", "Read from the price list by this portal"
    API = "api", "Copied from the price list by the source"
    INFERRED_UNIT = "api-inferred-unit", "Copied from the price list by the source, the unit inferred"
    GOLDEN = "golden", "Taken from the expected output of another project's tests"


class End(models.TextChoices):
    """Why a price no longer counts."""

    REPLACED = "replaced", "Replaced by another price"
    VANISHED = "vanished", "Gone from the price list"
    REMOVED = "removed", "Gone from the price file"


class PriceQuerySet(models.QuerySet["Price"]):
    def current(self) -> Self:
        """Those that count now."""
        return self.filter(valid_to__isnull=True)


class Price(models.Model):
    """
    What one unit of a meter costs in a region, from a quantity on. Written by `price_list`.

    A price is never changed: it ends, and another one begins, so that what an old estimate used stays readable.
    """

    key = models.CharField(max_length=80)  # as in the meters of item.yaml: psql.storage
    region = models.CharField(max_length=40)
    # As in the retail price list: 1 Hour, 1/Day, 1 GB/Month, 10K. One meter may have other units elsewhere.
    unit = models.CharField(max_length=20)
    tier_minimum = models.DecimalField(max_digits=18, decimal_places=4, default=0)  # in these units
    price = models.DecimalField(max_digits=20, decimal_places=10)
    currency = models.CharField(max_length=3)
    # The names of the price list, which finds the price again: by the id, or else by the names.
    service = models.CharField(max_length=80)
    meter = models.CharField(max_length=200)  # product / sku / meter
    meter_id = models.CharField(max_length=40, blank=True)
    source = models.CharField(max_length=80)
    confidence = models.CharField(max_length=20, choices=Confidence)
    as_of = models.DateField()  # the last day on which the source said so
    valid_from = models.DateTimeField()  # when estimates began to use it
    valid_to = models.DateTimeField(null=True, blank=True)  # and when they stopped
    ended = models.CharField(max_length=10, choices=End, blank=True)

    objects = PriceQuerySet.as_manager()

    class Meta:
        ordering = ["key", "region", "currency", "tier_minimum", "-valid_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["key", "region", "currency", "tier_minimum"],
                condition=Q(valid_to__isnull=True),
                name="price_is_unique_in_its_tier",
            ),
            models.CheckConstraint(
                condition=Q(price__gte=0, tier_minimum__gte=0), name="price_is_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True, ended="")
                | Q(valid_to__gte=F("valid_from"), ended__in=End.values),
                name="price_that_ended_says_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} in {self.region}"


class Action(models.TextChoices):
    """What a budget does with a request that would go above it."""

    WARN = "warn", "Warn"
    REQUIRE_APPROVAL = "require_approval", "Ask for an approval"
    BLOCK = "block", "Block"


class _ForUnits(OfUnits[Any]):
    def visible_to(self, user: Any) -> Self:
        """Those of the business units in which the user has a role; all for an operator."""
        return self.for_user(user, Permission.REQUEST_VIEW)

    def of(self, business_unit: BusinessUnit, environment: str) -> Self:
        return self.filter(business_unit=business_unit, environment=environment)


class BudgetQuerySet(_ForUnits, models.QuerySet["Budget"]):
    pass


class Budget(models.Model):
    """The most that a business unit may spend in a month in one environment. None means: no limit."""

    business_unit = models.ForeignKey(BusinessUnit, on_delete=models.PROTECT, related_name="budgets")
    environment = models.CharField(max_length=10, choices=Environment)
    amount = models.DecimalField(max_digits=12, decimal_places=2)  # a month
    currency = models.CharField(max_length=3)
    action = models.CharField(
        "above it", max_length=16, choices=Action, help_text="What happens to a request that goes above it."
    )

    objects = BudgetQuerySet.as_manager()

    class Meta:
        ordering = ["business_unit__name", "environment"]
        constraints = [
            models.UniqueConstraint(
                fields=["business_unit", "environment"],
                name="one_budget_per_environment",
                violation_error_message="This business unit has a budget for this environment: change that one.",
            ),
            models.CheckConstraint(condition=Q(amount__gte=0), name="budget_is_not_negative"),
            models.CheckConstraint(condition=Q(action__in=Action.values), name="budget_action_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.business_unit} {self.get_environment_display()}"

    @property
    def subject(self) -> str:
        """Its name in the audit trail."""
        return f"budget {self.business_unit.slug}/{self.environment}"


class Account(models.TextChoices):
    """Where the money of a business unit's environment stands. The three together are always zero."""

    FREE = "free", "Free"  # negative: what was taken out of it
    HELD = "held", "Held"  # for requests that are on their way
    COMMITTED = "committed", "Committed"  # for what is there


class TransferQuerySet(_ForUnits, models.QuerySet["Transfer"]):
    pass


class Transfer(models.Model):
    """
    One line of the ledger: an amount a month that leaves one account and enters another.

    Both sides stand in one row, so no line can be out of balance. Written once by `ledger`; the database
    refuses a change. What it is for is copied from the request: billing knows nothing of requests.
    """

    at = models.DateTimeField()
    business_unit = models.ForeignKey(BusinessUnit, on_delete=models.PROTECT, related_name="+")
    environment = models.CharField(max_length=10, choices=Environment)
    source = models.CharField(max_length=10, choices=Account)
    target = models.CharField(max_length=10, choices=Account)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    currency = models.CharField(max_length=3)
    request = models.BigIntegerField()  # its number
    attempt = models.PositiveIntegerField()
    deployment = models.UUIDField()
    name = models.CharField(max_length=40)  # of the deployment
    item = models.CharField(max_length=50)
    is_correction = models.BooleanField(default=False)  # by `manage.py ledger correct`

    objects = TransferQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="transfer_moves_something"),
            models.CheckConstraint(
                condition=Q(source__in=Account.values, target__in=Account.values) & ~Q(source=F("target")),
                name="transfer_has_two_accounts",
            ),
            models.CheckConstraint(
                condition=Q(environment__in=Environment.values), name="transfer_environment_is_known"
            ),
            models.UniqueConstraint(
                fields=["request", "attempt", "source", "target"],
                condition=Q(is_correction=False),
                name="an_attempt_moves_money_once",
            ),
        ]
        indexes = [
            # With all that adding up needs, so that it reads nothing else.
            models.Index(
                fields=["business_unit", "environment", "currency", "source", "target", "amount"],
                name="transfer_by_budget",
            ),
            models.Index(fields=["deployment"], name="transfer_by_deployment"),
            models.Index(fields=["request"], name="transfer_by_request"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} {self.source} to {self.target}"
