"""Every item of the catalog from its request to its end, in the sandbox."""

import re
from collections import Counter

import pytest

from tests.catalog.conftest import MODULES
from tests.modules.examples import APP, EXAMPLES, PIPELINE

ITEMS = sorted(path.parent.name for path in MODULES.glob("*/main.tf"))
TAGS = {"business-unit", "environment", "request", "deployment", "owner", "cost-center", "managed-by"}
# The Cloud Adoption Framework's abbreviation of a type, and the longest name that Azure takes.
NAMES = {
    "azurerm_cosmosdb_account": ("cosno", 44),
    "azurerm_key_vault": ("kv", 24),
    "azurerm_kubernetes_cluster": ("aks", 63),
    "azurerm_linux_virtual_machine": ("vm", 64),
    "azurerm_linux_web_app": ("app", 60),
    "azurerm_managed_redis": ("amr", 60),
    "azurerm_network_interface": ("nic", 80),
    "azurerm_postgresql_flexible_server": ("psql", 63),
    "azurerm_private_endpoint": ("pep", 80),
    "azurerm_resource_group": ("rg", 90),
    "azurerm_service_plan": ("asp", 60),
    "azurerm_servicebus_namespace": ("sbns", 50),
    "azurerm_static_web_app": ("stapp", 40),
    "azurerm_storage_account": ("st", 24),
    "azurerm_subnet": ("snet", 80),
    "azurerm_virtual_network": ("vnet", 64),
}
# Named by people, or by what they belong to.
OWN_NAMES = {
    "azurerm_consumption_budget_resource_group",
    "azurerm_cosmosdb_sql_database",
    "azurerm_cosmosdb_sql_role_assignment",
    "azurerm_managed_redis_access_policy_assignment",
    "azurerm_postgresql_flexible_server_active_directory_administrator",
    "azurerm_postgresql_flexible_server_database",
    "azurerm_servicebus_queue",
    "azurerm_storage_container",
}


def test_every_item_has_an_example() -> None:
    assert list(EXAMPLES) == ITEMS


@pytest.mark.parametrize("item", ITEMS)
def test_an_item_is_made_changed_and_removed(stack, azure, item) -> None:
    example, deployment = EXAMPLES[item], stack(item)

    made = deployment.apply(example.asked)
    assert Counter(made.values()) == {"create": example.makes}
    assert deployment.is_clean()
    check_tags_and_names(deployment)

    changed = deployment.apply(example.changed)
    assert set(changed.values()) <= {"create", "update"}  # nothing is replaced, and nothing is lost
    assert Counter(changed.values())["create"] == example.adds
    assert deployment.is_clean()

    deployment.tags["owner"] = "bert"
    assert set(deployment.apply({}).values()) == {"update"}  # tags change in place
    check_tags_and_names(deployment)

    assert set(deployment.destroy().values()) == {"delete"}
    assert azure.resources() == []


@pytest.mark.parametrize("item", ["cosmos-sql", "managed-redis"])
def test_access_can_be_taken_away_at_any_time(stack, item) -> None:
    deployment = stack(item)
    deployment.apply({**EXAMPLES[item].asked, "users": [APP, PIPELINE]})

    assert deployment.refusal({"users": [APP]}) == ""


@pytest.mark.parametrize(
    ("item", "loss"),
    [
        ("cosmos-sql", {"databases": []}),
        ("service-bus", {"queues": []}),
        ("storage-account", {"containers": []}),
        ("virtual-network", {"subnets": {}, "delegations": {}}),
    ],
)
def test_what_would_be_lost_is_refused(stack, item, loss) -> None:
    deployment = stack(item)
    deployment.apply(EXAMPLES[item].asked)

    assert deployment.refusal(loss).startswith("Refused, because this update would delete azurerm_")


def check_tags_and_names(deployment) -> None:
    assert deployment.tags.keys() == TAGS
    assert any("tags" in values for _, values in deployment.resources())
    for kind, values in deployment.resources():
        assert all(tags == deployment.tags for tags in found("tags", values)), kind
        if kind not in OWN_NAMES:
            abbreviation, longest = NAMES[kind]
            assert re.match(rf"{abbreviation}(-|web)", values["name"])
            assert len(values["name"]) <= longest


def found(key, values):
    """The values of a key, however deep it is."""
    if isinstance(values, dict):
        for name, value in values.items():
            yield from [value] if name == key else found(key, value)
    elif isinstance(values, list):
        for value in values:
            yield from found(key, value)


@pytest.mark.parametrize("item", ITEMS)
def test_the_example_changes_every_field_that_an_operation_can_change(versions, item) -> None:
    operations = versions[item].parsed.operations_of("update")

    assert set(EXAMPLES[item].changed) == {name for operation in operations for name in operation.fields}
