"""What it costs: the estimate of a request, and with it what the apps above need of budgets and the ledger."""

import datetime
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings

from billing_app.budgets import Standing, budget_facts, hold, standing
from billing_app.ledger import Purpose, commit, committed_to, release
from billing_app.models import Confidence, Price
from billing_app.units import UnitError, cost, in_price_units, reached
from catalog_app.expressions import Context, Expression, ExpressionError, compiled
from catalog_app.manifest import ROOTS, Manifest, Meter
from catalog_app.models import ItemVersion
from catalog_app.variables.limits import LARGEST_NUMBER, is_number
from portal.errors import InvalidInput

__all__ = [
    "Estimate", "Line", "Missing", "Purpose", "Standing", "budget_facts", "commit", "committed_to",
    "estimate", "hold", "release", "standing",
]  # fmt: skip

LARGEST_COST = Decimal("999999999.99")  # of a meter in a month: beyond it an answer about use is a slip


@dataclass(frozen=True)
class Line:
    """What one meter costs in a month."""

    id: str
    label: str
    quantity: Decimal  # in the unit of the price
    unit: str  # of the price: 1 Hour, 1 GB/Month, 10K
    unit_price: Decimal  # of the tier that the quantity reaches
    in_tiers: bool  # parts of the quantity may have other prices, or none
    monthly: Decimal
    meter: str
    source: str
    confidence: str  # see models.Confidence
    as_of: datetime.date

    @property
    def origin(self) -> str:
        """How the price was obtained, in words."""
        return Confidence(self.confidence).label


@dataclass(frozen=True)
class Missing:
    """A meter that could not be priced. It makes the estimate incomplete, and never lower without a word."""

    id: str
    label: str
    region: str
    reason: str


@dataclass(frozen=True)
class Estimate:
    monthly: Decimal  # "at least", where it is not complete
    currency: str
    complete: bool
    lines: list[Line] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)

    @property
    def oldest(self) -> datetime.date | None:
        """The date of the oldest price in it."""
        return min((line.as_of for line in self.lines), default=None)

    def as_json(self) -> dict[str, Any]:
        """Every amount is a number, every date a text."""
        lines = [{name: _plain(value) for name, value in asdict(line).items()} for line in self.lines]
        return {
            "monthly": float(self.monthly),
            "currency": self.currency,
            "complete": self.complete,
            "lines": lines,
            "missing": [asdict(each) for each in self.missing],
            "oldest": _plain(self.oldest),
        }


def estimate(
    version: ItemVersion,
    parameters: Mapping[str, Any],
    *,
    environment: str,
    region: str,
    usage: Mapping[str, Any] | None = None,
) -> Estimate:
    """What a month costs with these (validated) parameters. One query, or none where the item has no meters.

    usage: the answers about use, by id; the default of the item where one is left out. InvalidInput where
    one is wrong.
    """
    manifest = version.parsed
    context = Context.of(
        params=parameters,
        usage=_usage(manifest, usage or {}),
        hours=manifest.pricing.hours_in(environment),
        request={"environment": environment, "region": region},
    )
    prices = _prices(manifest, region)
    lines, missing = [], []
    for meter in manifest.pricing.meters:
        where = meter.region or region
        try:
            if _applies(meter, context):
                lines.append(_line(meter, context, where, prices))
        except (ExpressionError, UnitError, _NoPrice, InvalidOperation) as error:
            missing.append(Missing(meter.id, meter.label, where, str(error)))
    monthly = sum((line.monthly for line in lines), Decimal("0.00"))
    return Estimate(monthly, settings.CURRENCY, not missing, lines, missing)


class _NoPrice(ValueError):
    """There is no usable price."""


def _usage(manifest: Manifest, given: Mapping[str, Any]) -> dict[str, float]:
    questions = {question.id: question.default for question in manifest.pricing.usage}
    problems = {}
    for name, value in given.items():
        if name not in questions:
            known = ", ".join(questions) or "nothing"
            problems[f"usage.{name}"] = (
                f"{manifest.name} asks nothing called {name} about its use; it asks: {known}."
            )
        elif not is_number(value) or not 0 <= value <= LARGEST_NUMBER:
            problems[f"usage.{name}"] = "This must be a number that is not below 0."
    if problems:
        raise InvalidInput(problems)
    return {**questions, **given}


def _prices(manifest: Manifest, region: str) -> dict[tuple[str, str], list[Price]]:
    """The tiers by key and region, in the order of the tiers."""
    meters = manifest.pricing.meters
    keys = {key for meter in meters for key in meter.keys}
    regions = {meter.region or region for meter in meters}
    found = Price.objects.current().filter(key__in=keys, region__in=regions, currency=settings.CURRENCY)
    tiers: dict[tuple[str, str], list[Price]] = {}
    for price in found.order_by("tier_minimum"):
        tiers.setdefault((price.key, price.region), []).append(price)
    return tiers


def _applies(meter: Meter, context: Context) -> bool:
    applies = meter.when is None or _expression(meter.when).evaluate(context)
    if not isinstance(applies, bool):
        raise _NoPrice(f"whether {meter.label} applies is neither true nor false")
    return applies


def _line(meter: Meter, context: Context, region: str, prices: Mapping[tuple[str, str], list[Price]]) -> Line:
    tiers = prices.get((_key(meter, context), region))
    if not tiers:
        raise _NoPrice(f"there is no price for {meter.label} in {region} yet")
    first = tiers[0]
    quantity = in_price_units(_quantity(meter, context), meter.unit, first.unit)
    monthly = cost(tiers, quantity)
    if monthly > LARGEST_COST:
        raise _NoPrice(
            f"{meter.label} would cost more than {LARGEST_COST:,.0f} a month, which cannot be meant"
        )
    return Line(
        id=meter.id,
        label=meter.label,
        quantity=quantity,
        unit=first.unit,
        unit_price=reached(tiers, quantity).price,
        in_tiers=len(tiers) > 1 or first.tier_minimum > 0,
        monthly=monthly,
        meter=first.meter,
        source=first.source,
        confidence=first.confidence,
        as_of=first.as_of,
    )


def _key(meter: Meter, context: Context) -> str:
    """The price key; empty where the item knows of none."""
    if meter.lookup is None or meter.by is None:
        return meter.key or ""
    return meter.lookup.get(str(_expression(meter.by).evaluate(context))) or ""


def _quantity(meter: Meter, context: Context) -> Decimal:
    value = _expression(meter.quantity).evaluate(context)
    if not is_number(value) or value < 0:
        raise _NoPrice(f"the quantity of {meter.label} is not a number that is not below 0")
    return Decimal(str(value))


def _expression(text: str) -> Expression:
    return compiled(text, ROOTS["meter"])


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, datetime.date) else value
