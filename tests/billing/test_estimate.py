import json
from datetime import date
from decimal import Decimal

import pytest

from billing_app.models import Price
from billing_app.services import estimate
from catalog_app.services import validate
from portal.errors import InvalidInput

SERVER = {
    "name": "shop",
    "sku": "GP_Standard_D2ds_v5",
    "storage_gb": 128,
    "high_availability": True,
    "private_endpoint": {"subnet_id": "s"},
}


def of(version, parameters, *, environment="prod", region="northeurope", usage=None):
    return estimate(
        version, validate(version, parameters), environment=environment, region=region, usage=usage
    )


def of_meter(version, region="northeurope"):
    return estimate(version, {}, environment="dev", region=region)


def test_a_server_with_a_standby_and_a_private_endpoint(real, prices):
    found = of(real["postgresql"], SERVER)

    assert [(line.label, str(line.monthly)) for line in found.lines] == [
        ("Compute", "289.08"),
        ("Storage", "32.38"),
        ("Private endpoint", "7.30"),
    ]
    assert str(found.monthly) == "328.76"
    assert (found.currency, found.complete, found.missing) == ("USD", True, [])


def test_every_line_says_how_it_came_about(real, prices):
    compute = of(real["postgresql"], SERVER).lines[0]

    assert (compute.quantity, compute.unit, compute.unit_price) == (1460, "1 Hour", Decimal("0.198"))
    assert compute.meter.endswith("General Purpose Ddsv5 Series Compute / 2 vCore / vCore")
    assert (compute.source, compute.as_of) == ("clarchy", date(2026, 10, 2))


def test_what_is_not_there_costs_nothing(real, prices):
    plain = SERVER | {"high_availability": False, "private_endpoint": None}

    assert [str(line.monthly) for line in of(real["postgresql"], plain).lines] == ["144.54", "16.19"]


def test_a_missing_price_makes_the_estimate_incomplete_and_says_which(real, prices):
    found = of(real["postgresql"], {"name": "shop", "sku": "B_Standard_B1ms"})

    assert not found.complete
    assert str(found.monthly) == "4.05"
    assert [(each.label, each.region, each.reason) for each in found.missing] == [
        ("Compute", "northeurope", "there is no price for Compute in northeurope yet")
    ]


def test_an_unknown_region_has_no_prices_but_those_that_are_the_same_everywhere(real, prices):
    found = of(real["postgresql"], SERVER, region="swedencentral")

    assert [each.id for each in found.missing] == ["compute", "storage"]
    assert [line.id for line in found.lines] == ["private-endpoint"]


def test_a_size_that_the_item_has_no_price_for_is_incomplete(real, prices):
    found = of(real["storage-account"], {"name": "shop", "access_tier": "Hot", "replication": "ZRS"})

    assert [each.id for each in found.missing] == ["data", "writes"]


def test_storage_is_estimated_from_the_usual_use_and_from_the_answers(real, prices):
    plain = {"name": "shop", "access_tier": "Hot", "replication": "LRS"}

    usual = of(real["storage-account"], plain)
    much = of(real["storage-account"], plain, usage={"stored_gb": 1000})

    assert [str(line.monthly) for line in usual.lines] == ["2.20", "0.50", "0.40"]
    assert [str(line.monthly) for line in much.lines] == ["22.00", "0.50", "0.40"]


@pytest.mark.parametrize(
    ("usage", "field"),
    [
        ({"stored_gb": -1}, "usage.stored_gb"),
        ({"stored_gb": "100"}, "usage.stored_gb"),
        ({"stored_gb": True}, "usage.stored_gb"),
        ({"stored_gb": float("nan")}, "usage.stored_gb"),
        ({"stored_gb": None}, "usage.stored_gb"),
        ({"deleted_gb": 1}, "usage.deleted_gb"),
    ],
)
def test_answers_that_make_no_sense_are_refused(real, prices, usage, field):
    with pytest.raises(InvalidInput) as error:
        of(real["storage-account"], {"name": "shop"}, usage=usage)

    assert list(error.value.problems) == [field]


def test_an_item_without_meters_is_free(real, db, django_assert_num_queries):
    with django_assert_num_queries(0):
        found = of(real["resource-group"], {"name": "shop"})

    assert (str(found.monthly), found.complete, found.oldest) == ("0.00", True, None)


def test_an_estimate_takes_one_query(real, prices, django_assert_num_queries):
    parameters = validate(real["postgresql"], SERVER)

    with django_assert_num_queries(1):
        estimate(real["postgresql"], parameters, environment="prod", region="northeurope")


def test_an_estimate_can_be_stored_and_read(real, prices):
    stored = json.loads(json.dumps(of(real["postgresql"], SERVER).as_json()))

    assert (stored["monthly"], stored["currency"], stored["complete"]) == (328.76, "USD", True)
    assert stored["oldest"] == "2026-09-01"
    assert stored["lines"][2] == {
        "id": "private-endpoint",
        "label": "Private endpoint",
        "quantity": 730.0,
        "unit": "1 Hour",
        "unit_price": 0.01,
        "in_tiers": False,
        "monthly": 7.3,
        "meter": "Virtual Network Private Link / Standard / Standard Private Endpoint",
        "source": "several",
        "confidence": "api",
        "as_of": "2026-09-01",
    }
    json.dumps(of(real["postgresql"], {"name": "shop"}).as_json(), allow_nan=False)


def test_the_total_is_the_sum_of_what_is_shown(item, price):
    price("a", "0.005", "1 Hour")
    meter = {"key": "a", "unit": "hour", "quantity": "1.0"}

    found = of_meter(item(meter, meter, meter))

    assert [str(line.monthly) for line in found.lines] == ["0.01", "0.01", "0.01"]
    assert str(found.monthly) == "0.03"


def test_the_unit_of_the_price_row_decides(item, price):
    price("fee", "0.013441", "1 Hour", region="northeurope")
    price("fee", "10", "1/Month", region="uksouth")
    price("fee", "0.1666", "1/Day", region="eastus")
    fee = item({"key": "fee", "unit": "hour", "quantity": "hours"})

    costs = [str(of_meter(fee, region).monthly) for region in ("northeurope", "uksouth", "eastus")]

    assert costs == ["9.81", "10.00", "5.07"]


def test_each_part_is_priced_in_its_tier_and_the_first_may_be_free(item, price):
    price("ops", "0.8", "1M", tier=13)
    price("ops", "0.5", "1M", tier=100)

    def cost(quantity):
        return str(of_meter(item({"key": "ops", "unit": "each", "quantity": quantity})).monthly)

    assert [cost(each) for each in ("12000000.0", "13000000.0", "14000000.0", "101000000.0")] == [
        "0.00", "0.00", "0.80", "70.10",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("unit", "meter"),
    [
        ("1/Day", {"unit": "each", "quantity": "1.0"}),
        ("10K", {"unit": "hour", "quantity": "hours"}),
        ("1 Hour", {"unit": "hour", "quantity": "-1.0"}),
        ("1 Hour", {"unit": "hour", "quantity": "1.0 / 0.0"}),
        ("1 Hour", {"unit": "hour", "quantity": "'many'"}),
        ("1 Hour", {"unit": "hour", "quantity": "params.size"}),
        ("1 Hour", {"unit": "hour", "quantity": "1.0", "when": "params.on"}),
        ("1 Hour", {"unit": "hour", "quantity": "1.0", "when": "'yes'"}),
        ("1 Hour", {"unit": "hour", "quantity": "1000000000.0"}),
    ],
)
def test_what_cannot_be_worked_out_is_missing_and_never_cheap(item, price, unit, meter):
    price("a", "1", unit)

    found = of_meter(item({"key": "a", **meter}))

    assert not found.complete
    assert (found.lines, len(found.missing)) == ([], 1)
    assert found.missing[0].reason


def test_a_line_says_what_the_last_unit_of_it_costs(item, price):
    price("ops", "0", "1M")
    price("ops", "0.8", "1M", tier=13)

    lines = [
        of_meter(item({"key": "ops", "unit": "each", "quantity": quantity})).lines[0]
        for quantity in ("12000000.0", "14000000.0")
    ]

    assert [(line.unit_price, line.in_tiers, str(line.monthly)) for line in lines] == [
        (0, True, "0.00"), (Decimal("0.8"), True, "0.80"),
    ]  # fmt: skip


def test_an_ended_price_does_not_count(item, price):
    ended = price("a", "1", "1 Hour")
    version = item({"key": "a", "unit": "hour", "quantity": "hours"})
    Price.objects.filter(pk=ended.pk).update(valid_to=ended.valid_from, ended="replaced")

    assert not of_meter(version).complete
    price("a", "2", "1 Hour")
    assert str(of_meter(version).monthly) == "1460.00"


def test_prices_of_another_currency_do_not_count(item, price):
    price("a", "1", "1 Hour", currency="EUR")

    assert not of_meter(item({"key": "a", "unit": "hour", "quantity": "hours"})).complete


def test_hours_are_fewer_for_what_is_stopped_at_night(item, price):
    price("a", "1", "1 Hour")
    version = item({"key": "a", "unit": "hour", "quantity": "hours"}, hours={"dev": 220, "default": 700})

    assert str(estimate(version, {}, environment="dev", region="northeurope").monthly) == "220.00"
    assert str(estimate(version, {}, environment="prod", region="northeurope").monthly) == "700.00"


def test_the_oldest_price_is_told(item, price):
    price("a", "1", "1 Hour")
    price("b", "1", "1 Hour", as_of=date(2025, 1, 1))
    meters = [{"key": key, "unit": "hour", "quantity": "1.0"} for key in ("a", "b")]

    assert of_meter(item(*meters)).oldest == date(2025, 1, 1)


def test_every_key_of_the_items_has_a_price_somewhere(real, prices):
    priced = set(Price.objects.values_list("key", flat=True))

    for version in real.values():
        for meter in version.parsed.pricing.meters:
            assert meter.keys <= priced
