"""Units of price lists: how much of a price row a quantity is."""

import re
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal, Protocol, TypeVar

Measure = Literal["hour", "month", "each"]

HOURS_IN_A_MONTH = Decimal(730)
CENT = Decimal("0.01")
_UNIT = re.compile(
    r"(?P<number>[1-9]\d*)(?P<factor>[KM])?(?: Gi?B)?(?:(?:/| )(?P<time>Second|Hour|Day|Month))?", re.ASCII
)
_FACTORS = {None: 1, "K": 1_000, "M": 1_000_000}
_SECONDS = {
    "Second": Decimal(1),
    "Hour": Decimal(3600),
    "Day": Decimal(24 * 3600),
    "Month": HOURS_IN_A_MONTH * 3600,
}


class UnitError(ValueError):
    """A unit that is not known, or that does not measure what the meter counts."""


class Tier(Protocol):
    """What a unit costs from a quantity on, in units of the price."""

    tier_minimum: Decimal
    price: Decimal


def parsed(unit: str) -> tuple[Decimal, str]:
    """How many are sold together, and per which time: `1 GB/Month` is (1, "Month"), `10K` is (10000, "")."""
    found = _UNIT.fullmatch(unit)
    if not found:
        raise UnitError(
            f"the unit {unit!r} is not known: write it like 1 Hour, 1/Day, 1 GB/Month, 1 GB or 10K"
        )
    return Decimal(found["number"]) * _FACTORS[found["factor"]], found["time"] or ""


def in_price_units(quantity: Decimal, measure: Measure, unit: str) -> Decimal:
    """The quantity of a meter in units of the price, or UnitError."""
    block, time = parsed(unit)
    if (measure == "each") != (not time):
        raise UnitError(f"a quantity per {measure} cannot be priced per {unit}")
    if measure == "each":
        return quantity / block
    seconds = quantity * _SECONDS["Hour" if measure == "hour" else "Month"]
    return seconds / _SECONDS[time] / block


PriceTier = TypeVar("PriceTier", bound=Tier)


def reached(tiers: Sequence[PriceTier], quantity: Decimal) -> PriceTier:
    """The tier that the quantity ends in; the first one where it is below that."""
    return next((tier for tier in reversed(tiers) if tier.tier_minimum < quantity), tiers[0])


def cost(tiers: Sequence[Tier], quantity: Decimal) -> Decimal:
    """Each part of the quantity at the price of its tier, in cents; what is below the first tier is free."""
    total = Decimal(0)
    for tier, following in zip(tiers, [*tiers[1:], None], strict=True):
        end = min(quantity, following.tier_minimum) if following else quantity
        total += max(end - tier.tier_minimum, Decimal(0)) * tier.price
    return total.quantize(CENT, ROUND_HALF_UP)
