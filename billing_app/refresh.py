"""A refresh: the prices brought up to date with the price list behind the port, or left as they are."""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.timezone import now

from billing_app import prices
from billing_app.models import GLOBAL, End, Price
from billing_app.prices import Tiers
from billing_app.units import UnitError, parsed
from catalog_app.models import Item
from portal import audit, ports
from portal.errors import OutsideError, WrongState
from portal.ports import ListPrice

MOST_LOST = Decimal("0.20")  # of the meters that have a price: beyond it the list is not believed
SMALLEST_PRICE = Decimal("1e-10")  # what the table keeps; the list itself writes fewer digits
SMALLEST_TIER = Decimal("1e-4")
LONGEST = {"meter": 200, "meter_id": 40, "unit": 20}  # characters that the table keeps


class Kind(StrEnum):
    """What a refresh finds of a meter in a region."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "the same"
    VANISHED = "vanished"  # had a price, and the list has none
    UNCLEAR = "unclear"  # the list says something that cannot be used; what was there stays
    ABSENT = "absent"  # neither had nor has a price


@dataclass(frozen=True)
class Finding:
    meter: str  # psql.storage in northeurope
    kind: Kind
    note: str
    before: Tiers
    tiers: Tiers

    def __str__(self) -> str:
        return f"{self.kind}: {self.meter}, {self.note}"


@dataclass(frozen=True)
class Refresh:
    """What a refresh found, by key and region."""

    findings: list[Finding]

    def of(self, *kinds: Kind) -> list[Finding]:
        return [finding for finding in self.findings if finding.kind in kinds]

    @property
    def known(self) -> int:
        """Meters that had a price before."""
        return sum(bool(finding.before) for finding in self.findings)

    @property
    def lost(self) -> int:
        """Of them, those that the list has no usable price for."""
        return sum(bool(finding.before) for finding in self.of(Kind.VANISHED, Kind.UNCLEAR))

    def __str__(self) -> str:
        kinds = [kind for kind in Kind if kind != Kind.ABSENT]
        return ", ".join(f"{len(self.of(kind))} {kind}" for kind in kinds)


class TooManyLost(OutsideError):
    """The price list lacks so much that it is rather wrong than new. Nothing was changed."""

    def __init__(self, found: Refresh) -> None:
        super().__init__(
            f"The price list has no usable price for {found.lost} of {found.known} meters, "
            f"which is more than {MOST_LOST:.0%}. No price was changed."
        )
        self.found = found


def refresh(*, dry_run: bool = False) -> Refresh:
    """Bring the prices up to date with the price list: all of them, or none.

    Looks for every meter of the catalog in every region where it has had a price or an item is offered. OutsideError
    and Unavailable where the list cannot be read, TooManyLost where it lacks too much.
    """
    currency = settings.CURRENCY
    listed = _read(_sought(), currency)
    try:
        with transaction.atomic():
            found = _compare(listed, currency)
            if found.lost > MOST_LOST * found.known:
                raise TooManyLost(found)
            if not dry_run:
                _publish(found)
                audit.record("prices.refresh", f"prices {currency}", actor=None, note=str(found))
    except IntegrityError as error:
        raise WrongState("Another refresh was at work at the same time: refresh again.") from error
    return found


@dataclass(frozen=True)
class _Sought:
    """A meter of the catalog in a region, and what the price list knows it by."""

    key: str
    region: str
    service: str
    meter: str
    meter_id: str

    def __str__(self) -> str:
        return f"{self.key} in {self.region}"


def _sought() -> list[_Sought]:
    items = Item.objects.filter(is_offered=True, current__isnull=False).select_related("current")
    offered = {
        region for item in items if item.current for region in item.current.parsed.availability.regions
    }
    of_key: dict[str, Price] = {}
    here: dict[tuple[str, str], Price] = {}
    regions: dict[str, set[str]] = defaultdict(set)
    # What is newer overwrites what is older; what the file has dropped is not looked for.
    for price in Price.objects.exclude(ended=End.REMOVED).exclude(service="").order_by("valid_from", "pk"):
        of_key[price.key] = here[price.key, price.region] = price
        regions[price.key].add(price.region)
    return [
        _Sought(key, region, known.service, known.meter, known.meter_id if known.region == region else "")
        for key in sorted(of_key)
        for region in sorted(regions[key] if GLOBAL in regions[key] else regions[key] | offered)
        for known in [here.get((key, region), of_key[key])]
    ]


def _read(sought: Iterable[_Sought], currency: str) -> dict[_Sought, list[ListPrice]]:
    """What the list has of each, by its id or else by its names; asked for once by service and region."""
    together: dict[tuple[str, str], list[_Sought]] = defaultdict(list)
    for each in sought:
        together[each.service, each.region].append(each)
    found = {}
    for (service, region), meters in together.items():
        rows = ports.prices().of(service, region, currency)
        for each in meters:
            by_id = [row for row in rows if each.meter_id and row.meter_id == each.meter_id]
            found[each] = by_id or [row for row in rows if row.meter == each.meter]
    return found


def _compare(listed: Mapping[_Sought, Sequence[ListPrice]], currency: str) -> Refresh:
    present = prices.current()
    return Refresh(
        [
            _finding(each, rows, present.get((each.key, each.region, currency), []))
            for each, rows in listed.items()
        ]
    )


def _finding(sought: _Sought, rows: Sequence[ListPrice], before: Tiers) -> Finding:
    if not rows:
        return Finding(
            str(sought),
            Kind.VANISHED if before else Kind.ABSENT,
            f"it was {prices.told(before)}" if before else "no price",
            before,
            [],
        )
    try:
        tiers = _tiers(sought, rows, now().date())
        if prices.amounts(tiers) == prices.amounts(before):
            return Finding(str(sought), Kind.SAME, prices.told(before), before, tiers)
        _check(tiers)
    except _Unclear as reason:
        return Finding(str(sought), Kind.UNCLEAR, str(reason), before, [])
    if before:
        return Finding(
            str(sought), Kind.CHANGED, f"{prices.told(before)}, now {prices.told(tiers)}", before, tiers
        )
    return Finding(str(sought), Kind.NEW, prices.told(tiers), before, tiers)


class _Unclear(ValueError):
    """What the list says of a meter cannot be used."""


def _tiers(sought: _Sought, rows: Sequence[ListPrice], today: datetime.date) -> Tiers:
    """One price for each tier: the one in force, of the SKU that was meant."""
    by_tier: dict[Decimal, list[ListPrice]] = defaultdict(list)
    for row in rows:
        if row.effective_from <= today:
            by_tier[row.tier_minimum].append(row)
    if not by_tier:
        first = min(row.effective_from for row in rows)
        raise _Unclear(f"its price begins on {first.isoformat()}")
    return [_price(sought, _one_of(by_tier[tier], sought)) for tier in sorted(by_tier)]


def _one_of(rows: Sequence[ListPrice], sought: _Sought) -> ListPrice:
    newest = max(row.effective_from for row in rows)
    rows = [row for row in rows if row.effective_from == newest]
    # One meter can be sold as several SKUs, at the same price as a rule.
    if len({(row.price, row.unit) for row in rows}) > 1:
        rows = [row for row in rows if row.meter == sought.meter]
    amounts = sorted({(row.price, row.unit) for row in rows})
    if len(amounts) != 1:
        found = ", ".join(f"{price} for {unit}" for price, unit in amounts) or "none by its name"
        raise _Unclear(f"the list has more than one price for it: {found}")
    return rows[0]


def _check(tiers: Tiers) -> None:
    """Refuse what would be too cheap, or cannot be worked with."""
    try:
        parsed(tiers[0].unit)
    except UnitError as error:
        raise _Unclear(str(error)) from error
    if len({tier.unit for tier in tiers}) > 1:
        raise _Unclear("its tiers have different units")
    if tiers[0].tier_minimum:
        raise _Unclear(f"its first tier is missing: it begins at {tiers[0].tier_minimum.normalize():f}")
    if any(tier.price < 0 for tier in tiers) or not any(tier.price for tier in tiers):
        raise _Unclear("the list has it for nothing, or for less")


def _price(sought: _Sought, row: ListPrice) -> Price:
    for name, longest in LONGEST.items():
        if len(getattr(row, name)) > longest:
            raise _Unclear(f"the list's {name} for it is too long to be kept")
    return Price(
        key=sought.key,
        region=sought.region,
        unit=row.unit,
        tier_minimum=row.tier_minimum.quantize(SMALLEST_TIER, ROUND_HALF_UP),
        price=row.price.quantize(SMALLEST_PRICE, ROUND_HALF_UP),
        currency=row.currency,
        service=row.service,
        meter=row.meter,
        meter_id=row.meter_id,
        source=row.source,
        confidence=row.confidence,
        as_of=row.as_of,
    )


def _publish(found: Refresh) -> None:
    at = now()
    for finding in found.findings:
        if finding.kind == Kind.VANISHED:
            prices.end(finding.before, End.VANISHED, at)
        elif finding.tiers:
            prices.write(finding.tiers, finding.before, at)
