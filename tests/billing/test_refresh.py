"""A refresh against a price list that speaks the API's format; the traps of real prices, each by itself."""

import io
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils.timezone import now

from billing_app.models import Price
from billing_app.prices import sync_prices
from billing_app.refresh import Kind, Refresh, TooManyLost, refresh
from billing_app.services import estimate
from catalog_app.models import Item
from portal.errors import OutsideError, Unavailable
from portal.models import Event
from tests.billing.price_list_peer import Fault, PriceListPeer, listed, serving
from tests.billing.test_prices import write_file

pytestmark = pytest.mark.django_db
NAMES = "Things BS Series / B2S / B2S"
SERVER = {"key": "thing.B2s", "unit": "hour", "quantity": "hours"}


@pytest.fixture
def peer(settings: Any) -> Iterator[PriceListPeer]:
    with serving(PriceListPeer()) as peer:
        retail = {
            "BACKEND": "portal.adapters.retail_prices.RetailPrices",
            "OPTIONS": {"url": peer.url, "attempts": 2, "back_off": 0.01},
        }
        settings.PORTS = {**settings.PORTS, "prices": retail}
        yield peer


@pytest.fixture
def known(price: Callable[..., Price]) -> Callable[..., Price]:
    """A price that the portal has."""

    def add(key: str = "thing.B2s", amount: str = "0.072", unit: str = "1 Hour", **values: Any) -> Price:
        names = {"meter": NAMES, "meter_id": "", "service": "Things"}
        found = price(key, amount, unit, **{k: v for k, v in values.items() if k not in names})
        Price.objects.filter(pk=found.pk).update(
            **{**names, **{k: v for k, v in values.items() if k in names}}
        )
        return found

    return add


def kinds(found: Refresh) -> dict[str, Kind]:
    return {finding.meter: finding.kind for finding in found.findings}


def cost(version: Any, region: str = "northeurope") -> str:
    """`52.56`, or `incomplete`."""
    found = estimate(version, {}, environment="prod", region=region)
    return str(found.monthly) if found.complete else "incomplete"


# ── what a refresh does ─────────────────────────────────────────────────────────────────────────────────────


def test_a_changed_price_counts_from_now_on_and_the_old_one_stays_readable(peer, known, item):
    old = known()
    peer.items = [listed(retailPrice=0.08)]

    found = refresh()

    assert kinds(found) == {"thing.B2s in northeurope": Kind.CHANGED}
    assert cost(item(SERVER)) == "58.40"  # 730 x 0.08
    old.refresh_from_db()
    assert (old.price, old.ended) == (Decimal("0.072"), "replaced")
    new = Price.objects.current().get()
    assert (new.price, new.source, new.confidence) == (Decimal("0.08"), "azure-retail-prices", "live")
    assert old.valid_from <= old.valid_to == new.valid_from
    assert (
        Event.objects.get(action="prices.refresh").note
        == "0 new, 1 changed, 0 the same, 0 vanished, 0 unclear"
    )


def test_the_same_price_is_confirmed_with_its_new_date(peer, known):
    old = known()
    peer.items = [listed(retailPrice=0.072, meterId="new-id")]

    assert kinds(refresh()) == {"thing.B2s in northeurope": Kind.SAME}

    confirmed = Price.objects.get()
    assert (confirmed.pk, confirmed.valid_from, confirmed.valid_to) == (old.pk, old.valid_from, None)
    assert (confirmed.as_of, confirmed.confidence, confirmed.meter_id) == (now().date(), "live", "new-id")


def test_a_second_refresh_changes_nothing(peer, known):
    known()
    peer.items = [listed(retailPrice=0.08)]
    refresh()
    before = list(Price.objects.values())

    assert kinds(refresh()) == {"thing.B2s in northeurope": Kind.SAME}
    assert list(Price.objects.values()) == before


def test_a_meter_that_vanished_makes_the_estimate_incomplete_and_can_come_back(peer, known, item):
    known()
    for number in range(4):
        known(f"other-{number}", meter=f"other-{number}")
    others = [listed(productName="x", skuName="y", meterName=f"z{number}") for number in range(4)]
    Price.objects.exclude(key="thing.B2s").update(meter="x / y / z0")
    peer.items = [{**others[0], "retailPrice": 0.072}]

    found = refresh()

    assert [str(each) for each in found.of(Kind.VANISHED)] == [
        "vanished: thing.B2s in northeurope, it was 0.072 for 1 Hour"
    ]
    assert cost(item(SERVER)) == "incomplete"
    assert Price.objects.get(key="thing.B2s").ended == "vanished"
    peer.items.append(listed(retailPrice=0.09))
    assert kinds(refresh())["thing.B2s in northeurope"] == Kind.NEW
    assert cost(item(SERVER)) == "65.70"  # 730 x 0.09


def test_a_list_that_lacks_too_much_changes_nothing(peer, known):
    for number in range(10):
        known(f"thing-{number}", meter=f"a / b / c{number}")
    peer.items = [listed(productName="a", skuName="b", meterName=f"c{n}", retailPrice=9) for n in range(7)]
    before = list(Price.objects.values())

    with pytest.raises(
        TooManyLost, match="no usable price for 3 of 10 meters, which is more than 20%"
    ) as refused:
        refresh()

    assert list(Price.objects.values()) == before
    assert not Event.objects.exists()
    assert len(refused.value.found.of(Kind.CHANGED)) == 7


def test_exactly_a_fifth_may_vanish(peer, known):
    for number in range(10):
        known(f"thing-{number}", meter=f"a / b / c{number}")
    peer.items = [listed(productName="a", skuName="b", meterName=f"c{n}", retailPrice=9) for n in range(8)]

    assert (refresh().lost, Price.objects.current().count()) == (2, 8)


@pytest.mark.parametrize(
    ("faults", "error"),
    [
        ([Fault(429), Fault(429)], Unavailable),
        ([None, Fault(500), Fault(500)], Unavailable),
        ([None, Fault(body=b"{")], OutsideError),
        ([Fault(403)], OutsideError),
    ],
)
def test_a_list_that_fails_half_way_changes_nothing(peer, known, faults, error):
    known()
    known(region="uksouth")
    peer.items = [listed(retailPrice=9), listed(retailPrice=9, armRegionName="uksouth")]
    peer.faults = faults

    with pytest.raises(error):
        refresh()

    assert set(Price.objects.values_list("price", "valid_to")) == {(Decimal("0.072"), None)}


def test_a_dry_run_tells_all_and_changes_nothing(peer, known):
    known()
    peer.items = [listed(retailPrice=0.08)]
    output = io.StringIO()

    call_command("refresh_prices", "--dry-run", stdout=output)

    assert output.getvalue().splitlines() == [
        "changed: thing.B2s in northeurope, 0.072 for 1 Hour, now 0.08 for 1 Hour",
        "0 new, 1 changed, 0 the same, 0 vanished, 0 unclear. Nothing was changed.",
    ]
    assert Price.objects.get().price == Decimal("0.072")


def test_the_command_tells_what_is_lost_and_fails(peer, known):
    known()
    output = io.StringIO()

    with pytest.raises(CommandError, match="no usable price for 1 of 1 meters"):
        call_command("refresh_prices", stdout=output)

    assert "vanished: thing.B2s in northeurope" in output.getvalue()


def test_the_command_says_why_the_list_cannot_be_read(peer, known):
    known()
    peer.faults = [Fault(503), Fault(503)]

    with pytest.raises(CommandError, match=r"status 503\. No price was changed\."):
        call_command("refresh_prices")


def test_prices_are_looked_for_where_items_are_offered(peer, known, item):
    known()
    version = item(SERVER)
    version.item = Item.objects.create(slug="thing", title="Thing", category="platform", lifecycle="ga")
    version.manifest["availability"]["regions"] = ["northeurope", "uksouth", "francecentral"]
    version.schema, version.files = {}, {}
    version.save()
    Item.objects.update(current=version)
    peer.items = [listed(retailPrice=0.072), listed(retailPrice=0.076, armRegionName="uksouth")]

    found = refresh()

    assert kinds(found) == {
        "thing.B2s in francecentral": Kind.ABSENT,
        "thing.B2s in northeurope": Kind.SAME,
        "thing.B2s in uksouth": Kind.NEW,
    }
    assert cost(version, "uksouth") == "55.48"  # 730 x 0.076


def test_the_first_refresh_in_another_currency_finds_everything_by_the_names(peer, known, settings):
    known()
    settings.CURRENCY = "EUR"
    peer.items = [listed(currencyCode="EUR", retailPrice=0.0663)]

    assert kinds(refresh()) == {"thing.B2s in northeurope": Kind.NEW}
    assert set(Price.objects.current().values_list("currency", "price")) == {
        ("USD", Decimal("0.072")), ("EUR", Decimal("0.0663")),
    }  # fmt: skip


def test_the_shipped_file_can_be_refreshed_from_and_is_found_the_same(prices):
    found = refresh()

    assert found.of(Kind.NEW, Kind.CHANGED, Kind.VANISHED, Kind.UNCLEAR) == []
    assert len(found.of(Kind.SAME)) == found.known > 60


# ── the file and the list ───────────────────────────────────────────────────────────────────────────────────


ROW = {
    "key": "thing.B2s", "region": "northeurope", "unit": "1 Hour", "price": 0.072, "currency": "USD",
    "service": "Things", "meter": NAMES, "source": "list", "confidence": "api", "as_of": "2026-10-02",
}  # fmt: skip


def test_a_restart_takes_nothing_back_that_a_refresh_has_read(peer, tmp_path):
    path = write_file(tmp_path, ROW)
    sync_prices(path)
    peer.items = [listed(retailPrice=0.08), listed(retailPrice=0.09, armRegionName="uksouth")]
    refresh()

    result = sync_prices(path)

    assert (result.newer_in_list, result.changed, result.removed) == (1, 0, 0)
    assert Price.objects.current().get().price == Decimal("0.08")


def test_a_restart_brings_nothing_back_that_has_vanished(peer, tmp_path):
    rows = [ROW | {"key": f"thing-{n}", "meter": f"a / b / c{n}"} for n in range(5)]
    sync_prices(write_file(tmp_path, *rows))
    peer.items = [
        listed(productName="a", skuName="b", meterName=f"c{n}", retailPrice=0.072) for n in range(4)
    ]
    refresh()

    sync_prices(write_file(tmp_path, *rows))

    assert not Price.objects.current().filter(key="thing-4").exists()


def test_a_file_that_knows_something_newer_wins(peer, tmp_path):
    sync_prices(write_file(tmp_path, ROW))
    peer.items = [listed(retailPrice=0.08)]
    refresh()
    tomorrow = now().date() + timedelta(days=1)

    result = sync_prices(write_file(tmp_path, ROW | {"price": 0.5, "as_of": tomorrow.isoformat()}))

    assert result.changed == 1
    assert Price.objects.current().get().price == Decimal("0.5")


def test_what_the_file_has_dropped_is_not_looked_for(peer, tmp_path):
    sync_prices(write_file(tmp_path, ROW, ROW | {"key": "gone", "meter": "gone"}))
    sync_prices(write_file(tmp_path, ROW))
    peer.items = [listed(retailPrice=0.072)]

    assert kinds(refresh()) == {"thing.B2s in northeurope": Kind.SAME}


# ── traps of real prices ────────────────────────────────────────────────────────────────────────────────────


def test_one_meter_has_other_units_in_other_regions(peer, known, item):
    """Service Bus, Standard base unit: hourly in some regions, monthly in others, under the same name."""
    fee = {"key": "thing.B2s", "unit": "hour", "quantity": "hours"}
    known()
    known(region="uksouth")
    peer.items = [
        listed(retailPrice=0.013441, unitOfMeasure="1/Hour"),
        listed(retailPrice=10.0, unitOfMeasure="1/Month", armRegionName="uksouth"),
    ]

    refresh()

    assert cost(item(fee)) == "9.81"  # 730 x 0.013441 = 9.81193
    assert cost(item(fee), "uksouth") == "10.00"


def test_tiers_are_kept_with_the_free_one(peer, known, item):
    """13 million operations of Service Bus are free; the list says so with a first tier at 0."""
    known(unit="1M", tier=13, amount="0.8")
    peer.items = [
        listed(retailPrice=price, tierMinimumUnits=tier, unitOfMeasure="1M")
        for tier, price in ((100.0, 0.5), (0.0, 0.0), (13.0, 0.8))
    ]

    assert kinds(refresh()) == {"thing.B2s in northeurope": Kind.CHANGED}

    def ops(number: str) -> str:
        return cost(item({"key": "thing.B2s", "unit": "each", "quantity": number}))

    # (14 - 13) x 0.8; (100 - 13) x 0.8 + (101 - 100) x 0.5
    assert [ops("13000000.0"), ops("14000000.0"), ops("101000000.0")] == ["0.00", "0.80", "70.10"]


def test_a_list_that_lost_the_first_tier_is_not_believed(peer, known, item):
    """A source that keeps the last tier only would make everything as cheap as the largest quantity."""
    known(unit="1 GB/Month", amount="0.022")
    for number in range(4):
        known(f"other-{number}", meter=f"a / b / c{number}")
    peer.items = [
        listed(retailPrice=0.0203, tierMinimumUnits=512000.0, unitOfMeasure="1 GB/Month"),
        *(listed(productName="a", skuName="b", meterName=f"c{n}", retailPrice=0.072) for n in range(4)),
    ]

    found = refresh()

    assert [each.note for each in found.of(Kind.UNCLEAR)] == [
        "its first tier is missing: it begins at 512000"
    ]
    assert cost(item({"key": "thing.B2s", "unit": "month", "quantity": "100.0"})) == "2.20"  # as before


def test_a_product_that_was_renamed_is_found_by_its_meter_id(peer, known):
    known(meter_id="m1")
    peer.items = [listed(meterId="m1", productName="Things, now better", retailPrice=0.08)]

    assert kinds(refresh()) == {"thing.B2s in northeurope": Kind.CHANGED}
    assert Price.objects.current().get().meter == "Things, now better / B2S / B2S"


def test_a_meter_with_a_new_id_is_found_by_its_names(peer, known):
    known(meter_id="m1")
    peer.items = [listed(meterId="m2", retailPrice=0.072)]

    assert kinds(refresh()) == {"thing.B2s in northeurope": Kind.SAME}
    assert Price.objects.get().meter_id == "m2"


def test_windows_is_another_product(peer, known):
    """Windows is in the product name of machines only: names are compared whole."""
    known()
    peer.items = [
        listed(productName="Things BS Series Windows", retailPrice=0.2, meterId="w"), listed(retailPrice=0.072),
    ]  # fmt: skip

    assert kinds(refresh()) == {"thing.B2s in northeurope": Kind.SAME}


def test_a_bare_meter_name_is_not_enough(peer, known):
    """`vCore` is the name of about 140 meters: product and SKU decide."""
    known(meter="Flexible Server General Purpose Ddsv5 / 2 vCore / vCore", amount="0.198")
    peer.items = [
        listed(
            productName=product, skuName=sku, meterName="vCore", retailPrice=price, meterId=f"{sku} {price}"
        )
        for product, sku, price in (
            ("Flexible Server General Purpose Ddsv5", "4 vCore", 0.396),
            ("Flexible Server General Purpose Ddsv5", "2 vCore", 0.198),
            ("Flexible Server Memory Optimized Edsv5", "2 vCore", 0.28),
        )
    ]

    assert kinds(refresh()) == {"thing.B2s in northeurope": Kind.SAME}


def test_one_meter_that_is_sold_under_two_names_counts_once(peer, known):
    """Writes of GRS and RA-GRS are one meter at one price."""
    known(meter_id="m1", amount="0.1", unit="10K")
    peer.items = [listed(meterId="m1", skuName=sku, unitOfMeasure="10K") for sku in ("Hot GRS", "Hot RA-GRS")]

    assert kinds(refresh()) == {"thing.B2s in northeurope": Kind.SAME}


def test_where_names_of_one_meter_differ_in_price_the_meant_one_counts(peer, known):
    known(meter_id="m1")
    peer.items = [
        listed(meterId="m1", skuName="Other", retailPrice=9),
        listed(meterId="m1", retailPrice=0.08),
    ]

    refresh()

    assert Price.objects.current().get().price == Decimal("0.08")


@pytest.mark.parametrize(
    ("rows", "note"),
    [
        ([{"retailPrice": 0.08}, {"retailPrice": 0.09}], "one price for it: 0.08 for 1 Hour, 0.09 for 1 Hour"),
        ([{"retailPrice": 0.0}], "for nothing"),
        ([{"meterName": "B2S", "meterId": "m1" * 30}], "the list's meter_id for it is too long"),
        ([{"retailPrice": -1.0}], "for nothing, or for less"),
        ([{"unitOfMeasure": "1 Fortnight"}], "the unit '1 Fortnight' is not known"),
        ([{}, {"tierMinimumUnits": 5.0, "unitOfMeasure": "1/Month"}], "different units"),
        ([{"effectiveStartDate": "2099-01-01T00:00:00Z"}], "its price begins on 2099-01-01"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named_and_the_old_price_stays(peer, known, rows, note):
    known()
    for number in range(4):
        known(f"other-{number}", meter=f"a / b / c{number}")
    peer.items = [listed(**row) for row in rows]
    peer.items += [
        listed(productName="a", skuName="b", meterName=f"c{n}", retailPrice=0.072) for n in range(4)
    ]

    found = refresh()

    assert note in found.of(Kind.UNCLEAR)[0].note
    assert Price.objects.get(key="thing.B2s").price == Decimal("0.072")


def test_the_newest_price_that_is_in_force_counts(peer, known):
    known()
    peer.items = [
        listed(retailPrice=0.09, effectiveStartDate="2099-01-01T00:00:00Z"),
        listed(retailPrice=0.08, effectiveStartDate="2025-01-01T00:00:00Z"),
        listed(retailPrice=0.07, effectiveStartDate="2020-01-01T00:00:00Z"),
    ]

    refresh()

    assert Price.objects.current().get().price == Decimal("0.08")


def test_reservations_and_offers_that_come_and_go_are_no_prices(peer, known):
    """A reservation's row has the price of its whole term; spot and test offers are not for everybody."""
    known()
    peer.items = [
        listed(retailPrice=400.0, type="Reservation", reservationTerm="1 Year"),
        listed(retailPrice=0.02, type="DevTestConsumption"),
        listed(retailPrice=0.01, skuName="B2S Spot", meterName="B2S Spot"),
        listed(retailPrice=0.072),
    ]

    assert kinds(refresh()) == {"thing.B2s in northeurope": Kind.SAME}


def test_what_costs_the_same_everywhere_is_asked_for_once(peer, known, item):
    """Private endpoints are not regional."""
    known(region="Global", amount="0.01")
    peer.items = [listed(armRegionName="Global", retailPrice=0.011)]

    refresh()

    assert cost(item({**SERVER, "region": "Global"}), "uksouth") == "8.03"  # 730 x 0.011
    assert [asked["$filter"] for asked in peer.asked] == [
        "serviceName eq 'Things' and armRegionName eq 'Global' and priceType eq 'Consumption'"
    ]


def test_a_price_for_a_day_is_a_part_of_730_hours(peer, known, item):
    """730 hours are 30.4 days: 1.4 % more than a month of 30 days."""
    known()
    peer.items = [listed(retailPrice=0.1666, unitOfMeasure="1/Day")]

    refresh()

    assert cost(item(SERVER)) == "5.07"  # 730 / 24 x 0.1666 = 5.0674
