import io
import json
from datetime import date
from decimal import Decimal
from functools import partial

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import IntegrityError, transaction

from billing_app.models import Price
from billing_app.prices import PriceSync, sync_prices
from catalog_app.problems import CatalogProblems

pytestmark = pytest.mark.django_db

SHIPPED = settings.BASE_DIR / "billing_app" / "prices.json"
ROW = {
    "key": "psql.storage",
    "region": "northeurope",
    "unit": "1 GB/Month",
    "price": 0.1265,
    "currency": "USD",
    "service": "Databases",
    "meter": "Storage / Storage / Storage Data Stored",
    "source": "list",
    "confidence": "api",
    "as_of": "2026-10-02",
}


def write_file(folder, *rows):
    path = folder / "prices.json"
    path.write_text(json.dumps({"about": "a", "sources": {"list": "A list."}, "rows": rows}, indent=1))
    return path


@pytest.fixture
def write(tmp_path):
    return partial(write_file, tmp_path)


def problems(path):
    with pytest.raises(CatalogProblems) as error:
        sync_prices(path)
    assert not Price.objects.exists()
    return str(error.value)


def test_the_shipped_prices_have_a_source_and_a_date():
    rows = json.loads(SHIPPED.read_text())["rows"]

    result = sync_prices(SHIPPED)

    assert result == PriceSync(created=len(rows))
    storage = Price.objects.get(key="psql.storage", region="northeurope")
    assert (storage.price, storage.unit, storage.source) == (Decimal("0.1265"), "1 GB/Month", "clarchy")
    assert storage.as_of == date(2026, 10, 2)


def test_a_second_sync_changes_nothing():
    created = sync_prices(SHIPPED).created

    assert sync_prices(SHIPPED) == PriceSync(unchanged=created)


def test_rows_come_change_and_go_with_the_file(write):
    sync_prices(write(ROW, ROW | {"region": "uksouth"}))

    result = sync_prices(write(ROW | {"price": 0.13}, ROW | {"region": "Global"}))

    assert result == PriceSync(created=1, changed=1, removed=1)
    assert dict(Price.objects.current().values_list("region", "price")) == {
        "northeurope": Decimal("0.13"), "Global": Decimal("0.1265"),
    }  # fmt: skip


def test_one_bad_row_keeps_all_out(write):
    assert "rows.1.price: input should be greater than or equal to 0" in problems(
        write(ROW, ROW | {"price": -1})
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"unit": "1 Hours"}, "the unit '1 Hours' is not known: write it like 1 Hour"),
        ({"as_of": "2026-13-01"}, "rows.0.as_of"),
        ({"as_of": "2026-09"}, "rows.0.as_of"),
        ({"source": "hearsay"}, "the source hearsay is not described under sources"),
        ({"region": "North Europe"}, "rows.0.region must match"),
        ({"currency": "$"}, "rows.0.currency must match"),
        ({"price": "free"}, "rows.0.price"),
        ({"price": float("nan")}, "rows.0.price"),
        ({"prize": 1}, "rows.0.prize is not known here"),
    ],
)
def test_a_bad_row_is_explained(write, change, expected):
    assert expected in problems(write(ROW | change))


def test_a_problem_has_the_line_in_the_file(write):
    path = write(ROW, ROW | {"region": "uksouth", "source": "hearsay"})
    line = next(number for number, text in enumerate(path.read_text().splitlines(), 1) if "hearsay" in text)

    assert problems(path).startswith(f"prices.json:{line}: ")


def test_a_price_that_is_there_twice_is_refused(write):
    assert "the price of psql.storage in northeurope is there twice" in problems(
        write(ROW, ROW | {"price": 1})
    )


def test_tiers_in_different_units_are_refused(write):
    path = write(ROW, ROW | {"tier_minimum": 100, "unit": "1 Hour"})

    assert "the tiers of psql.storage in northeurope have different units" in problems(path)


def test_a_row_that_kept_the_last_tier_only_is_not_taken_in(write):
    """A source that drops the tiers keeps the cheapest one, and marks such rows."""
    assert "rows.0.lastTierOnly is not known here" in problems(write(ROW | {"lastTierOnly": True}))


def test_a_price_without_a_confidence_is_refused(write):
    row = {name: value for name, value in ROW.items() if name != "confidence"}

    assert "rows.0.confidence is missing" in problems(write(row))
    assert "rows.0.confidence" in problems(write(ROW | {"confidence": "live"}))


def test_a_file_that_is_missing_or_no_json_is_refused(tmp_path, write):
    assert "cannot be read" in problems(tmp_path / "nothing.json")
    (tmp_path / "odd.json").write_text("{")
    assert "odd.json:1: " in problems(tmp_path / "odd.json")
    assert "rows is missing" in problems_without_rows(tmp_path)


def problems_without_rows(folder):
    (folder / "empty.json").write_text('{"about": "a", "sources": {}}')
    return problems(folder / "empty.json")


def test_the_command_tells_what_it_did(write):
    output = io.StringIO()
    call_command("sync_prices", str(write(ROW)), stdout=output)

    assert output.getvalue() == "1 prices new, 0 changed, 0 the same, 0 removed.\n"


def test_the_command_tells_every_problem_and_fails(write):
    errors = io.StringIO()

    with pytest.raises(CommandError, match="2 problems; the prices were not changed"):
        call_command("sync_prices", str(write(ROW | {"unit": "x"}, ROW | {"currency": "x"})), stderr=errors)

    assert len(errors.getvalue().splitlines()) == 2


def test_the_database_takes_no_price_twice_and_none_below_zero(price):
    price("a", "1", "1 Hour")

    with pytest.raises(IntegrityError), transaction.atomic():
        price("a", "2", "1 Hour")
    with pytest.raises(IntegrityError), transaction.atomic():
        price("b", "-1", "1 Hour")
