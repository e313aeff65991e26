"""What the items cost in development in North Europe, computed by hand from billing_app/prices.json."""

from decimal import Decimal

import pytest
from django.core.management import call_command

from billing_app import services as billing
from catalog_app import services as catalog
from tests.modules.examples import EXAMPLES, NAME, PRIVATE

PLACE = {"environment": "dev", "region": "northeurope"}
MACHINE = {name: EXAMPLES["linux-vm"].asked[name] for name in ("ssh_public_key", "subnet_id")}
NETWORK = {"address_space": ["10.20.0.0/22"]}


@pytest.fixture(autouse=True)
def prices(db: None) -> None:
    call_command("sync_prices", verbosity=0)


def estimate(version, asked, **place):
    place = PLACE | place
    parameters = catalog.validate(version, {"name": NAME, **asked}, environment=place["environment"])
    return billing.estimate(version, parameters, **place)


@pytest.mark.parametrize(
    ("item", "asked", "monthly"),
    [
        # 0.10 x 730 for the control plane; two nodes at 0.107 x 730 and 19.71 for the disk of each
        ("aks-cluster", {}, "268.64"),
        ("aks-cluster", {"sku_tier": "Free", "node_count": {"min": 1, "max": 2}}, "97.82"),
        # 10 million request units at 0.283, 10 GB at 0.25
        ("cosmos-sql", {}, "5.33"),
        # 100,000 operations at 0.03 for 10,000; a key in hardware at 1.00; a private endpoint at 0.01 x 730
        ("key-vault", {}, "0.30"),
        ("key-vault", {"sku": "premium", "private_endpoint": PRIVATE}, "8.60"),
        # 0.045 x 730, 10.207 for 64 GB; 0.214 x 730, 19.71 for 128 GB
        ("linux-vm", MACHINE, "43.06"),
        ("linux-vm", {**MACHINE, "size": "Standard_D4s_v5", "os_disk_gb": 128}, "175.93"),
        # 0.035 x 730, and twice that with a second node
        ("managed-redis", {}, "25.55"),
        ("managed-redis", {"high_availability": True}, "51.10"),
        # 0.013441 x 730; the first 13 million operations are free
        ("service-bus", {"queues": ["orders"]}, "9.81"),
        # 9.00 for the plan, 0.01 x 730 for the private endpoint
        ("static-web-app", {}, "0.00"),
        ("static-web-app", {"sku": "Standard", "private_endpoint": PRIVATE}, "16.30"),
        ("virtual-network", NETWORK, "0.00"),
        ("resource-group", {}, "0.00"),
    ],
)
def test_what_an_item_costs(versions, item, asked, monthly) -> None:
    found = estimate(versions[item], asked)

    assert (found.monthly, found.missing) == (Decimal(monthly), [])


@pytest.mark.parametrize(
    ("item", "asked", "missing"),
    [
        ("web-app", {}, ["plan"]),
        ("cosmos-sql", {"serverless": False, "databases": ["orders"]}, ["throughput"]),
        ("managed-redis", {"sku": "Balanced_B3"}, ["nodes"]),
        ("service-bus", {"sku": "Premium"}, ["capacity"]),
        ("storage-account", {}, ["data", "writes"]),  # copies in three zones
    ],
)
def test_where_no_price_is_known_the_estimate_says_so(versions, item, asked, missing) -> None:
    found = estimate(versions[item], asked)

    assert not found.complete
    assert [each.id for each in found.missing] == missing


def test_a_price_that_is_known_elsewhere_counts_there(versions) -> None:
    assert estimate(versions["web-app"], {}, region="eastus").monthly == Decimal("12.41")  # 0.017 x 730


def test_reserved_throughput_is_paid_per_database_and_never_below_a_tenth(versions) -> None:
    """In West US: 0.008 for 100 request units, at one and a half times the price with autoscale."""
    asked = {"serverless": False, "databases": ["orders", "stock"], "autoscale_max_ru": 4000}
    parameters = catalog.validate(versions["cosmos-sql"], {"name": NAME, **asked})

    def throughput(load_percent):
        usage = {"load_percent": load_percent, "stored_gb": 0}
        found = billing.estimate(
            versions["cosmos-sql"], parameters, environment="dev", region="westus", usage=usage
        )
        return next(line.monthly for line in found.lines if line.id == "throughput")

    assert throughput(5) == throughput(10) == Decimal("70.08")  # 2 x 4 units x 0.008 x 1.5 x 730
    assert throughput(100) == Decimal("700.80")
