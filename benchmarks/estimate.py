"""
Estimates and holds per second, and how they grow: python benchmarks/estimate.py [--seconds 1]

Fills a database of its own (SQLite in a temporary folder, or GROUNDWORK_DATABASE_URL, which must be empty). Everything
runs in this process, one after the other, so the numbers hold the queries and the arithmetic, and no network.
"""

import argparse
import os
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
os.environ.setdefault("GROUNDWORK_DATA_DIR", tempfile.mkdtemp(prefix="groundwork-benchmark-"))
os.environ.setdefault("GROUNDWORK_LOG_LEVEL", "ERROR")

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.utils.timezone import now  # noqa: E402

from billing_app import budgets  # noqa: E402
from billing_app.ledger import Purpose  # noqa: E402
from billing_app.models import Action, Budget, Price, Transfer  # noqa: E402
from billing_app.services import estimate  # noqa: E402
from catalog_app.manifest import Manifest  # noqa: E402
from catalog_app.models import ItemVersion  # noqa: E402
from portal.identity.models import BusinessUnit  # noqa: E402

METERS = (1, 4, 16, 64)  # of one item
ITEMS = (12, 120, 1200)  # in the catalog, each with prices of its own
LINES = (0, 1_000, 10_000, 100_000)  # in the ledger of one business unit's environment
PRICES_OF_AN_ITEM = 20
BATCH = 5000


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=1.0, help="for each line of the table")
    seconds = parser.parse_args().seconds
    if "127.0.0.1" not in settings.ALLOWED_HOSTS:
        sys.exit("This is for a machine of your own.")
    call_command("migrate", verbosity=0, interactive=False)
    say(f"{connection.vendor}\n\n{'':44} {'a second':>9} {'ms each':>8}")
    for meters in METERS:
        version = item(meters, "thing")
        add_prices(f"thing.{number}" for number in range(meters))
        report(f"estimate, {meters} meters", seconds, lambda: one_estimate(version))  # noqa: B023
    for items in ITEMS:
        add_prices(f"item-{number}.{key}" for number in range(items) for key in range(PRICES_OF_AN_ITEM))
        rows = Price.objects.count()
        report(
            f"estimate, 4 meters, {items} items, {rows} prices",
            seconds,
            lambda: one_estimate(item(4, "thing")),
        )
    unit = BusinessUnit.objects.create(slug="unit", name="Unit", cost_center="1")
    Budget.objects.create(
        business_unit=unit, environment="dev", amount=10**9, currency=settings.CURRENCY, action=Action.BLOCK
    )
    for lines in LINES:
        add_lines(unit, lines)
        report(f"how a budget stands, {lines} lines", seconds, lambda: budgets.standing(unit, "dev"))
        report(f"hold, {lines} lines", seconds, lambda: one_hold(unit))


def report(what: str, seconds: float, step: Callable[[], Any]) -> None:
    step()  # what is made once is not measured
    started, done = time.perf_counter(), 0
    while (passed := time.perf_counter() - started) < seconds:
        step()
        done += 1
    say(f"{what:44} {done / passed:>9.0f} {passed / done * 1000:>8.2f}")


def item(meters: int, name: str) -> ItemVersion:
    found = ItemVersion(manifest={})
    # Only the prices of the manifest are read here.
    found.__dict__["parsed"] = Manifest.model_construct(
        name=name,
        pricing=Manifest.model_fields["pricing"].annotation.model_validate(  # type: ignore[union-attr]
            {
                "meters": [
                    {
                        "id": f"meter-{number}",
                        "label": "Meter",
                        "key": f"{name}.{number}",
                        "unit": "hour",
                        "quantity": "hours * (params.double ? 2.0 : 1.0)",
                    }
                    for number in range(meters)
                ]
            }
        ),
    )
    return found


def one_estimate(version: ItemVersion) -> None:
    found = estimate(version, {"double": True}, environment="prod", region="northeurope")
    assert found.complete, found.missing


NUMBERS = count(10**9)


@transaction.atomic
def one_hold(unit: BusinessUnit) -> None:
    purpose = Purpose(unit, "dev", next(NUMBERS), 1, uuid.uuid4(), "app", "thing")
    budgets.hold(purpose, Decimal("0.01"))


def add_prices(keys: Iterator[str]) -> None:
    there = set(Price.objects.values_list("key", flat=True))
    Price.objects.bulk_create(
        (
            Price(
                key=key, region="northeurope", unit="1 Hour", price=Decimal("0.1"), currency=settings.CURRENCY,
                service="Things", meter=key, source="benchmark", confidence="api", as_of=date(2026, 1, 1),
                valid_from=now(),
            )
            for key in keys
            if key not in there
        ),
        BATCH,
    )  # fmt: skip
    analyze()


def add_lines(unit: BusinessUnit, wanted: int) -> None:
    missing = wanted - Transfer.objects.count()
    Transfer.objects.bulk_create(
        (
            Transfer(
                at=now(), business_unit=unit, environment="dev", source="free", target="committed",
                amount=Decimal("12.34"), currency=settings.CURRENCY, request=number, attempt=wanted + 1,
                deployment=uuid.uuid4(), name="app", item="thing",
            )
            for number in range(max(missing, 0))
        ),
        BATCH,
    )  # fmt: skip
    analyze()


def analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
