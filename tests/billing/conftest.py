from datetime import date
from decimal import Decimal

import pytest
from django.conf import settings
from django.core.management import call_command
from django.utils.timezone import now

from billing_app.models import Price
from catalog_app.models import Item, ItemVersion
from catalog_app.modules import read_folder

HEAD = {
    "apiVersion": "groundwork/v1",
    "kind": "CatalogItem",
    "name": "thing",
    "title": "Thing",
    "version": "1.0.0",
    "category": "platform",
    "summary": "A thing.",
    "icon": "box",
    "owner": "team-platform",
    "lifecycle": "ga",
    "availability": {"environments": ["dev"], "regions": ["northeurope"]},
    "form": {"sections": [{"title": "Basics", "fields": ["name"]}], "inject": {}},
    "operations": [{"id": "delete", "title": "Delete", "kind": "destroy"}],
    "outputs": [{"name": "id", "label": "Id"}],
}


@pytest.fixture(scope="session")
def real():
    """The real items by slug, saved nowhere."""
    return {
        source.manifest.name: ItemVersion(
            item=Item(slug=source.manifest.name),
            manifest=source.data,
            schema=source.schema,
            digest=source.digest,
        )
        for source in read_folder(settings.CATALOG_FOLDER)
    }


@pytest.fixture
def prices(db):
    """The prices that Groundwork ships."""
    call_command("sync_prices", verbosity=0)


@pytest.fixture
def item():
    """An item with these meters."""

    def with_meters(*meters, **pricing):
        complete = [
            {"id": f"meter-{number}", "label": "Meter", **meter} for number, meter in enumerate(meters)
        ]
        return ItemVersion(manifest={**HEAD, "pricing": {"meters": complete, **pricing}})

    return with_meters


@pytest.fixture
def price(db):
    """A row of the price list."""

    def add(key, amount, unit, *, region="northeurope", tier=0, currency="USD", as_of=date(2026, 10, 2)):
        return Price.objects.create(
            key=key, price=Decimal(amount), unit=unit, region=region, tier_minimum=tier, currency=currency,
            service="Things", meter=key, source="test", confidence="api", as_of=as_of, valid_from=now(),
        )  # fmt: skip

    return add
