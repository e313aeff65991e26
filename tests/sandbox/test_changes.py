"""Create, update, replace, delete and import, as the compact schema says for each attribute."""

import pytest

from tests.sandbox.blocks import account, budget, container, group, machine, server
from tests.sandbox.conftest import Workspace

GROUP = "azurerm_resource_group.this"
ACCOUNT = "azurerm_storage_account.this"
SERVER = "azurerm_postgresql_flexible_server.this"
BUDGET = "azurerm_consumption_budget_resource_group.this"
MACHINE = "azurerm_linux_virtual_machine.this"
ACCOUNT_ID = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-shop/providers/"
    "Microsoft.Storage/storageAccounts/stshop"
)


def test_defaults_and_computed_values_are_filled_in(workspace: Workspace) -> None:
    assert workspace.apply(group() + account() + container()).ok

    values = workspace.azure[ACCOUNT_ID]["values"]
    assert values["account_kind"] == "StorageV2"
    assert values["access_tier"] == "Hot"
    assert values["primary_blob_endpoint"] == "https://stshop.blob.core.windows.net/"
    assert values["primary_location"] == "northeurope"
    made = workspace.azure[f"{ACCOUNT_ID}/blobServices/default/containers/data"]["values"]
    assert made["url"] == "https://stshop.blob.core.windows.net/data"
    assert workspace.store.path.stat().st_mode & 0o077 == 0


def test_after_an_apply_there_is_nothing_to_change(workspace: Workspace) -> None:
    assert workspace.apply(group() + account() + container() + server() + budget("[80, 100]")).ok

    assert workspace.changes() == {}


def test_changes_are_made_in_place_where_azure_can(workspace: Workspace) -> None:
    workspace.apply(group() + account() + server() + budget())

    larger = group(tags='{ owner = "anna" }') + account(more='access_tier = "Cool"') + server(64)
    assert workspace.changes(larger + budget("[80, 90]")) == {
        GROUP: ["update"],
        ACCOUNT: ["update"],
        SERVER: ["update"],
        BUDGET: ["update"],
    }
    assert workspace.apply().ok
    assert workspace.azure[ACCOUNT_ID]["values"]["access_tier"] == "Cool"
    assert workspace.changes() == {}


@pytest.mark.parametrize(
    ("changed", "address"),
    [
        (group(location="uksouth"), GROUP),
        (group() + server(32), SERVER),  # storage grows, and never shrinks
        (group() + server(64, "geo_redundant_backup_enabled = true"), SERVER),
        (group() + server(64) + budget(start="2027-01-01T00:00:00Z"), BUDGET),  # inside a nested block
    ],
)
def test_other_changes_need_a_new_resource(workspace: Workspace, changed: str, address: str) -> None:
    workspace.apply(group() + server(64) + budget())

    assert workspace.changes(changed)[address] == ["delete", "create"]


@pytest.mark.parametrize(
    ("changed", "action"),
    [
        (machine(disk_gb=64), ["update"]),
        (machine(key="ssh-ed25519 BBBB anna"), ["delete", "create"]),  # in a set of blocks
        (machine(image="minimal"), ["delete", "create"]),  # in a list of blocks
    ],
)
def test_some_blocks_cannot_be_changed_at_all(workspace: Workspace, changed: str, action: list[str]) -> None:
    workspace.apply(group() + machine())

    assert workspace.changes() == {}
    assert workspace.changes(group() + changed) == {MACHINE: action}


def test_the_long_form_of_a_region_is_the_same_region(workspace: Workspace) -> None:
    workspace.apply(group(location="northeurope"))

    assert workspace.changes(group(location="North Europe")) == {}


def test_what_lies_in_a_resource_goes_with_it(workspace: Workspace) -> None:
    workspace.apply(group() + account() + container())
    workspace.drift("/storageAccounts/stshop")

    assert workspace.changes() == {
        ACCOUNT: ["create"],
        "azurerm_storage_container.this": ["delete", "create"],
    }


def test_a_destroy_leaves_nothing(workspace: Workspace) -> None:
    workspace.apply(group() + account() + container() + server() + budget())

    assert workspace.destroy().ok
    assert workspace.azure == {}


def test_a_resource_that_exists_is_imported_and_then_has_no_changes(
    workspace: Workspace, neighbour: Workspace
) -> None:
    workspace.apply(group() + account())
    neighbour.write(account(group='"rg-shop"'))

    again = neighbour.apply()
    imported = neighbour.run("import", ACCOUNT, ACCOUNT_ID.upper())

    assert again.summaries == ["The resource exists already."]
    assert again.details == [f"{ACCOUNT_ID} exists. Import it to manage it here."]
    assert imported.ok, imported.result.errors
    assert neighbour.changes() == {}


def test_what_does_not_exist_cannot_be_imported(workspace: Workspace) -> None:
    workspace.write(group())

    told = workspace.run("import", GROUP, "/subscriptions/x/resourceGroups/none")

    assert not told.ok
    assert "The resource was not found." in told.result.errors
