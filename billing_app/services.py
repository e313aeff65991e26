"""What it costs: the prices, and the estimate of a request before it is made."""

import datetime
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from billing_app import price_file
from billing_app.models import Price
from billing_app.units import UnitError, cost, in_price_units
from catalog_app.expressions import Context, Expression, ExpressionError, compiled
from catalog_app.manifest import ROOTS, Manifest, Meter
from catalog_app.models import ItemVersion
from catalog_app.variables.limits import LARGEST_NUMBER, is_number
from portal.errors import InvalidInput


@dataclass(frozen=True)
class Line:
    """What one meter costs in a month."""

    id: str
    label: str
    quantity: Decimal  # in the unit of the price
    unit: str  # of the price: 1 Hour, 1 GB/Month, 10K
    unit_price: Decimal  # of the first tier
    monthly: Decimal
    meter: str
    source: str
    as_of: datetime.date


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


@dataclass
class PriceSync:
    """How many rows were new, different, the same, or are gone."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0


@transaction.atomic
def sync_prices(path: Path) -> PriceSync:
    """Make the prices equal to the file: all rows, or CatalogProblems and no change."""
    rows = price_file.read(path)
    present = {_tier(price): price for price in Price.objects.all()}
    result = PriceSync()
    for row in rows:
        values = row.model_dump()
        price = present.pop(_tier(row), None)
        if price is None:
            Price.objects.create(**values)
            result.created += 1
        elif any(getattr(price, name) != value for name, value in values.items()):
            Price.objects.filter(pk=price.pk).update(**values)
            result.changed += 1
        else:
            result.unchanged += 1
    Price.objects.filter(pk__in=[price.pk for price in present.values()]).delete()
    result.removed = len(present)
    return result


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
    found = Price.objects.filter(key__in=keys, region__in=regions, currency=settings.CURRENCY)
    tiers: dict[tuple[str, str], list[Price]] = {}
    for price in found.order_by("tier_minimum"):
        tiers.setdefault((price.key, price.region), []).append(price)
    return tiers


def _applies(meter: Meter, context: Context) -> bool:
    return meter.when is None or _expression(meter.when).evaluate(context) is True


def _line(meter: Meter, context: Context, region: str, prices: Mapping[tuple[str, str], list[Price]]) -> Line:
    tiers = prices.get((_key(meter, context), region))
    if not tiers:
        raise _NoPrice(f"there is no price for {meter.label} in {region} yet")
    first = tiers[0]
    quantity = in_price_units(_quantity(meter, context), meter.unit, first.unit)
    return Line(
        id=meter.id,
        label=meter.label,
        quantity=quantity,
        unit=first.unit,
        unit_price=first.price,
        monthly=cost(tiers, quantity),
        meter=first.meter,
        source=first.source,
        as_of=first.as_of,
    )  # fmt: skip


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


def _tier(row: Price | price_file.PriceRow) -> tuple[str, str, str, Decimal]:
    return row.key, row.region, row.currency, row.tier_minimum


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, datetime.date) else value
