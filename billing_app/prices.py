"""
The table of prices, and the file that Groundwork ships, which fills it.

What the price list has said stands until the file knows something newer, so that a restart takes nothing back.
"""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from django.db import transaction
from django.utils.timezone import now

from billing_app import price_file
from billing_app.models import Confidence, End, Price

Where = tuple[str, str, str]  # key, region, currency
Tiers = Sequence[Price]  # of one meter in one region, the first tier first

PROVENANCE = ("service", "meter", "meter_id", "source", "confidence", "as_of")


@dataclass
class PriceSync:
    """How many prices, each with all its tiers, were new, changed, the same, or are gone."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    newer_in_list: int = 0  # left as a refresh has read them


@transaction.atomic
def sync_prices(path: Path) -> PriceSync:
    """Make the prices those of the file: all of them, or CatalogProblems and no change."""
    given = by_place(Price(**row.model_dump()) for row in price_file.read(path))
    present = current()
    vanished = _vanished()
    result, at = PriceSync(), now()
    for where, tiers in given.items():
        before = present.pop(where, [])
        said = max((tier.as_of for tier in before if _is_live(tier)), default=vanished.get(where))
        if said and all(tier.as_of <= said for tier in tiers):
            result.newer_in_list += 1
        elif not before:
            result.created += 1
            write(tiers, before, at)
        elif write(tiers, before, at):
            result.changed += 1
        else:
            result.unchanged += 1
    keys = {key for key, _, _ in given}
    for (key, _, _), tiers in present.items():
        if key not in keys or not all(map(_is_live, tiers)):  # a refresh may know more regions than the file
            end(tiers, End.REMOVED, at)
            result.removed += 1
    return result


def _vanished() -> dict[Where, datetime.date]:
    """Since when the price list has had no price any more, where that is the last that is known."""
    ended = Price.objects.filter(ended=End.VANISHED, valid_to__isnull=False)
    return {_where(price): price.valid_to.date() for price in ended.order_by("valid_to") if price.valid_to}


def _is_live(price: Price) -> bool:
    return price.confidence == Confidence.LIVE


# ── the table ───────────────────────────────────────────────────────────────────────────────────────────────


def current() -> dict[Where, list[Price]]:
    return by_place(Price.objects.current())


def by_place(prices: Iterable[Price]) -> dict[Where, list[Price]]:
    found: dict[Where, list[Price]] = defaultdict(list)
    for price in prices:
        found[_where(price)].append(price)
    return {where: sorted(tiers, key=lambda tier: tier.tier_minimum) for where, tiers in found.items()}


def _where(price: Price) -> Where:
    return price.key, price.region, price.currency


def amounts(tiers: Tiers) -> list[tuple[str, Decimal, Decimal]]:
    return [(tier.unit, tier.tier_minimum, tier.price) for tier in tiers]


def write(tiers: Tiers, before: Tiers, at: datetime.datetime) -> bool:
    """Let these count from now on; whether an amount is different. The same amounts only say when and by whom."""
    if before and amounts(tiers) == amounts(before):
        for old, new in zip(before, tiers, strict=True):
            said = {name: getattr(new, name) for name in PROVENANCE}
            if any(getattr(old, name) != value for name, value in said.items()):
                Price.objects.filter(pk=old.pk).update(**said)
        return False
    end(before, End.REPLACED, at)
    for tier in tiers:
        tier.valid_from = at
    Price.objects.bulk_create(tiers)
    return True


def end(tiers: Tiers, why: End, at: datetime.datetime) -> None:
    Price.objects.filter(pk__in=[tier.pk for tier in tiers]).update(valid_to=at, ended=why)


def told(tiers: Tiers) -> str:
    """`0.0184 for 1 GB/Month, 0.0177 from 51200`."""
    first, *more = [f"{tier.price.normalize():f}" for tier in tiers]
    later = [
        f", {price} from {tier.tier_minimum.normalize():f}"
        for price, tier in zip(more, tiers[1:], strict=True)
    ]
    return f"{first} for {tiers[0].unit}{''.join(later)}"
