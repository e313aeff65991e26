from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_app.models import Price
from billing_app.units import UnitError, cost, in_price_units, parsed


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("1 Hour", (1, "Hour")),
        ("1/Hour", (1, "Hour")),
        ("1/Day", (1, "Day")),
        ("1/Month", (1, "Month")),
        ("1 GB/Month", (1, "Month")),
        ("1 Second", (1, "Second")),
        ("1 GiB Second", (1, "Second")),
        ("100 Hours", None),
        ("10K", (10_000, "")),
        ("1M", (1_000_000, "")),
        ("1 GB", (1, "")),
        ("1", (1, "")),
        ("0 Hour", None),
        ("Hour", None),
        ("", None),
        ("1 Hour\n", None),
        ("1/Year", None),
    ],
)
def test_units_of_price_lists_are_known_or_refused(unit, expected):
    if expected is None:
        with pytest.raises(UnitError, match="is not known"):
            parsed(unit)
    else:
        assert parsed(unit) == expected


@pytest.mark.parametrize(
    ("quantity", "measure", "unit", "expected"),
    [
        (730, "hour", "1/Month", "1"),
        (24, "hour", "1/Day", "1"),
        (2, "hour", "1 Second", "7200"),
        (730, "hour", "1/Day", str(Decimal(730) / 24)),
        (1, "month", "1 Hour", "730"),
        (5, "month", "1 GB/Month", "5"),
        (25_000, "each", "10K", "2.5"),
    ],
)
def test_a_quantity_is_turned_into_units_of_the_price(quantity, measure, unit, expected):
    assert in_price_units(Decimal(quantity), measure, unit) == Decimal(expected)


def tiers(*rows):
    return [Price(tier_minimum=Decimal(start), price=Decimal(price)) for start, price in rows]


def test_money_is_rounded_half_up():
    assert [str(cost(tiers((0, "0.005")), Decimal(quantity))) for quantity in (1, 2, 3)] == [
        "0.01",
        "0.01",
        "0.02",
    ]


@settings(max_examples=100, deadline=None)
@given(st.decimals(0, 10**6, places=2), st.decimals(0, 10**6, places=2))
def test_more_never_costs_less(some, more):
    rows = tiers((5, "2"), (100, "1.5"), (1000, "0.1"))

    assert cost(rows, some) <= cost(rows, some + more)


@settings(max_examples=100, deadline=None)
@given(st.decimals(0, 10**5, places=2), st.integers(1, 10**4))
def test_a_tier_at_the_same_price_changes_nothing(quantity, start):
    assert cost(tiers((0, "0.25")), quantity) == cost(tiers((0, "0.25"), (start, "0.25")), quantity)
