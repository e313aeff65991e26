"""
Costs that somebody else has worked out, and costs worked out by hand.

The published ones are expected outputs in the public Infracost repository (Apache-2.0), below
internal/providers/terraform/azure/testdata; each line of theirs is quoted as `quantity unit = cost`.
"""

from decimal import Decimal

import pytest

from billing_app.services import estimate
from catalog_app.services import validate

ENDPOINT = {"subnet_id": "s"}


def month(item, price, unit, measure, quantity, tiers):
    for start, amount in tiers:
        price("known", amount, unit, tier=start)
    version = item({"key": "known", "unit": measure, "quantity": quantity})
    found = estimate(version, {}, environment="prod", region="northeurope")
    assert found.complete, found.missing
    return str(found.monthly)


@pytest.mark.parametrize(
    ("unit", "measure", "quantity", "tiers", "published"),
    [
        # private_endpoint_test: Private endpoint, 730 hour = $7.30. 730 x 0.01
        ("1 Hour", "hour", "730.0", [(0, "0.01")], "7.30"),
        # private_endpoint_test: Inbound data processed, 100 GB = $1.00. 100 x 0.01
        ("1 GB", "each", "100.0", [(0, "0.01"), (1_000_000, "0.006"), (5_000_000, "0.004")], "1.00"),
        # private_endpoint_test: first 1 PB 1,000,000 GB = $10,000.00, next 4 PB 4,000,000 GB = $24,000.00, over 5 PB
        # 120,000 GB = $480.00. 1,000,000 x 0.01 + 4,000,000 x 0.006 + 120,000 x 0.004
        ("1 GB", "each", "5120000.0", [(0, "0.01"), (1_000_000, "0.006"), (5_000_000, "0.004")], "34480.00"),
        # postgresql_flexible_server_test: Storage, 128 GB = $17.66. 128 x 0.138 = 17.664
        ("1 GB/Month", "month", "128.0", [(0, "0.138")], "17.66"),
        # postgresql_flexible_server_test: Storage, 32 GB = $4.42. 32 x 0.138 = 4.416
        ("1 GB/Month", "month", "32.0", [(0, "0.138")], "4.42"),
        # postgresql_flexible_server_test: Compute (GP_Standard_D4s_v3), 730 hours = $284.70. 730 x 0.39
        ("1 Hour", "hour", "730.0", [(0, "0.39")], "284.70"),
        # postgresql_flexible_server_test: Compute (MO_Standard_E4s_v3), 730 hours = $382.52. 730 x 0.524
        ("1 Hour", "hour", "730.0", [(0, "0.524")], "382.52"),
        # postgresql_flexible_server_test: Compute (GP_Standard_D16s_v3), 730 hours = $1,138.80. 730 x 1.56
        ("1 Hour", "hour", "730.0", [(0, "1.56")], "1138.80"),
        # storage_account_test, Standard LRS Cool: Write operations, 500 10K = $50.00. 5,000,000 / 10,000 x 0.10
        ("10K", "each", "5000000.0", [(0, "0.10")], "50.00"),
        # storage_account_test, Standard GRS Cool: Capacity, 3,000,000 GB = $100,200.00. 3,000,000 x 0.0334
        ("1 GB/Month", "month", "3000000.0", [(0, "0.0334")], "100200.00"),
        # storage_account_test, Standard LRS Hot: Read operations, 60 10K = $0.26. 600,000 / 10,000 x 0.0044 = 0.264
        ("10K", "each", "600000.0", [(0, "0.0044")], "0.26"),
        # log_analytics_workspace_test: Archive data searched, 90 GB = $0.59. 90 x 0.0065 = 0.585: half a cent goes up
        ("1 GB", "each", "90.0", [(0, "0.0065")], "0.59"),
        # log_analytics_workspace_test: Log data ingestion, 20 GB = $59.80. 20 x 2.99 (their first 5 GB cost as well)
        ("1 GB", "each", "20.0", [(0, "2.99")], "59.80"),
    ],
)  # fmt: skip
def test_a_published_cost(item, price, unit, measure, quantity, tiers, published):
    assert month(item, price, unit, measure, quantity, tiers) == published


def test_a_price_for_a_day_is_the_one_thing_that_others_round_otherwise(item, price):
    """log_analytics_workspace_test: 30 x 100 GB a day = $7,585.20, so 252.84 a day and a month of 30 days."""
    ours = month(item, price, "1/Day", "month", "1.0", [(0, "252.84")])

    assert ours == "7690.55"  # 730 / 24 x 252.84 = 7690.55
    assert Decimal(ours) / Decimal("7585.20") < Decimal("1.014")


@pytest.mark.parametrize(
    ("slug", "environment", "region", "parameters", "usage", "by_hand"),
    [
        # clarchy 2026-10-02: D2ds_v5 0.198/hour, storage 0.1265/GB; the standby doubles both. Endpoint 0.01/hour.
        # 2 x 730 x 0.198 = 289.08; 2 x 128 x 0.1265 = 32.384; 730 x 0.01 = 7.30
        ("postgresql", "prod", "northeurope",
         {"sku": "GP_Standard_D2ds_v5", "storage_gb": 128, "high_availability": True, "private_endpoint": ENDPOINT},
         None,
         ["289.08", "32.38", "7.30"]),
        # clarchy 2026-10-02: B2s 0.072/hour. 730 x 0.072 = 52.56; 32 x 0.1265 = 4.048
        ("postgresql", "dev", "northeurope", {"sku": "B_Standard_B2s"}, None, ["52.56", "4.05"]),
        # clarchy 2026-10-02: D4ds_v5 0.424/hour, storage 0.137. 730 x 0.424 = 309.52; 256 x 0.137 = 35.072
        ("postgresql", "staging", "germanywestcentral", {"sku": "GP_Standard_D4ds_v5", "storage_gb": 256}, None,
         ["309.52", "35.07"]),
        # clarchy 2026-10-02: B2s 0.076/hour, storage 0.133. 730 x 0.076 = 55.48; 64 x 0.133 = 8.512
        ("postgresql", "dev", "uksouth", {"sku": "B_Standard_B2s", "storage_gb": 64}, None, ["55.48", "8.51"]),
        # clarchy 2026-10-02: Hot LRS 0.022/GB, writes 0.05/10,000, reads 0.004/10,000.
        # 500 x 0.022 = 11.00; 1,000,000 / 10,000 x 0.05 = 5.00; 2,000,000 / 10,000 x 0.004 = 0.80
        ("storage-account", "dev", "northeurope", {"access_tier": "Hot", "replication": "LRS"},
         {"stored_gb": 500, "writes": 1_000_000, "reads": 2_000_000}, ["11.00", "5.00", "0.80"]),
        # clarchy 2026-10-02: Hot LRS 0.0192/GB, writes 0.059, reads 0.0047 in uksouth.
        # 1,000 x 0.0192 = 19.20; 100,000 / 10,000 x 0.059 = 0.59; 1,000,000 / 10,000 x 0.0047 = 0.47
        ("storage-account", "prod", "uksouth", {"access_tier": "Hot", "replication": "LRS"}, {"stored_gb": 1000},
         ["19.20", "0.59", "0.47"]),
    ],
)  # fmt: skip
def test_an_item_costs_what_it_costs_by_hand(
    real, prices, slug, environment, region, parameters, usage, by_hand
):
    version = real[slug]
    values = validate(version, {"name": "shop", **parameters})

    found = estimate(version, values, environment=environment, region=region, usage=usage)

    assert [str(line.monthly) for line in found.lines] == by_hand
    assert found.monthly == sum(map(Decimal, by_hand))
    assert found.complete


def test_what_is_known_in_part_is_a_lower_bound_and_says_so(real, prices):
    """azure-pricing-radar 2026-07-25, northeurope: Cool LRS 0.01/GB, writes 0.1/10,000; reads of Cool have no price."""
    values = validate(real["storage-account"], {"name": "shop", "access_tier": "Cool", "replication": "LRS"})

    found = estimate(real["storage-account"], values, environment="dev", region="northeurope")

    assert not found.complete
    assert [each.id for each in found.missing] == ["reads"]
    assert [str(line.monthly) for line in found.lines] == ["1.00", "1.00"]
