"""What the pretend Azure refuses, how slow it is, and what happens behind Terraform's back."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sandbox.blocks import account, container, group
from tests.sandbox.conftest import Workspace

GROUP = "azurerm_resource_group.this"
ACCOUNT = "azurerm_storage_account.this"
SLOW = 0.5  # of Azure's pace


def test_drift_is_seen_by_the_next_plan_and_repaired(workspace: Workspace) -> None:
    workspace.apply(group() + account() + container())

    workspace.drift("/storageAccounts/stshop", min_tls_version="TLS1_0")
    workspace.drift("/containers/data")

    assert workspace.changes() == {ACCOUNT: ["update"], "azurerm_storage_container.this": ["create"]}
    assert workspace.apply().ok
    assert workspace.changes() == {}


def test_the_command_line_makes_drift_too(workspace: Workspace) -> None:
    workspace.apply(group(tags='{ owner = "anna" }'))
    (group_id,) = workspace.azure

    def sandbox(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [
            sys.executable,
            "-m",
            "terraform.sandbox",
            arguments[0],
            "--store",
            str(workspace.store.path),
        ]
        return subprocess.run([*command, *arguments[1:]], capture_output=True, text=True)

    assert sandbox("list").stdout == f"azurerm_resource_group {group_id}\n"
    assert sandbox("set", group_id, "tags", '{"owner": "nobody"}').returncode == 0
    assert workspace.changes() == {GROUP: ["update"]}
    assert sandbox("remove", group_id.lower()).returncode == 0
    assert workspace.changes() == {GROUP: ["create"]}
    gone = sandbox("remove", group_id)
    assert (gone.returncode, gone.stderr) == (1, f"there is no {group_id} in {workspace.store.path}\n")


@pytest.mark.parametrize(
    ("resources", "summary", "detail"),
    [
        (group("rg."), "Invalid name", "'rg.' is not a valid name of azurerm_resource_group."),
        (
            group() + account("No-Hyphens"),
            "Invalid name",
            "'No-Hyphens' is not a valid name of azurerm_storage_account.",
        ),
        (
            group() + account(more="colour = 1"),
            "Unsupported argument",
            'An argument named "colour" is not expected here.',
        ),
        (
            'resource "azurerm_resource_group" "this" {\n  name = "rg"\n}',
            "Missing required argument",
            'The argument "location" is required, but no definition was found.',
        ),
    ],
)
def test_bad_input_is_named(workspace: Workspace, resources: str, summary: str, detail: str) -> None:
    told = workspace.apply(resources)

    assert told.summaries == [summary]
    assert told.details == [detail]
    assert workspace.azure == {}


def test_a_resource_needs_its_parent(workspace: Workspace) -> None:
    told = workspace.apply(account(group='"rg-none"'))

    assert told.summaries == ["The parent resource was not found."]
    assert told.details[0].endswith("/resourceGroups/rg-none does not exist.")
    assert workspace.apply(lax=True).ok


def test_a_group_of_another_team_may_be_the_parent(workspace: Workspace) -> None:
    assert workspace.apply(account(group='"rg-retail"'), groups=[("rg-retail", "northeurope")]).ok

    assert workspace.destroy().ok
    assert [resource["values"]["name"] for resource in workspace.azure.values()] == ["rg-retail"]


def test_a_name_is_taken_all_over_the_world(workspace: Workspace, neighbour: Workspace) -> None:
    workspace.apply(group() + account("stshop"))

    told = neighbour.apply(group("rg-other") + account("stshop"))

    assert told.summaries == ["The name is taken."]


def test_a_group_that_is_not_empty_stays(workspace: Workspace, neighbour: Workspace) -> None:
    workspace.apply(group())
    neighbour.apply(account(group='"rg-shop"'))

    told = workspace.destroy()

    assert told.summaries == ["The resource group is not empty."]
    assert "It contains 1 resources, for example" in told.details[0]
    assert len(workspace.azure) == 2


def test_a_failure_happens_as_often_as_asked(workspace: Workspace, tmp_path: Path) -> None:
    faults = tmp_path / "faults.json"
    fault = {"operation": "create", "type": "azurerm_storage_*", "times": 2, "message": "Quota exceeded."}
    faults.write_text(json.dumps([fault]))
    workspace.write(group() + account())

    tries = [workspace.apply(faults=str(faults)) for _ in range(3)]

    assert [told.summaries for told in tries] == [["Quota exceeded."], ["Quota exceeded."], []]
    assert workspace.changes() == {}


@pytest.mark.parametrize("operation", ["update", "delete", "read"])
def test_every_operation_can_fail(workspace: Workspace, operation: str) -> None:
    workspace.apply(group())
    faults = json.dumps([{"operation": operation, "name": "rg-shop"}])
    workspace.write(group(tags='{ owner = "anna" }') if operation == "update" else "")

    failed = workspace.apply(faults=faults)

    assert failed.summaries == ["The operation failed."]
    assert failed.details[0].startswith(f"Injected: {operation} of /subscriptions/")
    assert len(workspace.azure) == 1
    assert workspace.apply(faults=faults).ok


def test_what_was_half_made_is_tainted(workspace: Workspace) -> None:
    faults = json.dumps([{"operation": "create", "type": "azurerm_storage_account", "partial": True}])

    failed = workspace.apply(group() + account(), faults=faults)

    assert failed.summaries == ["The operation failed."]
    assert workspace.state[ACCOUNT]["status"] == "tainted"
    assert workspace.changes() == {ACCOUNT: ["delete", "create"]}


def test_it_is_as_slow_as_asked_and_can_be_interrupted(workspace: Workspace) -> None:
    workspace.write(group() + account())

    told = workspace.apply_until(f"{ACCOUNT}: Creating...", time_scale=SLOW)

    assert "The operation was cancelled." in told.summaries
    assert list(workspace.state) == [GROUP]
    assert [resource["type"] for resource in workspace.azure.values()] == ["azurerm_resource_group"]
    waited = next(e for e in told.events if e.get("type") == "apply_complete")["hook"]["elapsed_seconds"]
    assert waited >= 3 * SLOW - 1  # Terraform counts whole seconds
