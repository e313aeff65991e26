"""What a run does, from the claim to its end, with real Terraform on the real modules."""

import json
import shutil

import pytest

from tests.worker.conftest import VALUES, Worker, World

# The one that the project brings, and those that are on this machine.
ENGINES = ["embedded", *(name for name in ("terraform", "tofu") if shutil.which(name))]
SERVER = "azurerm_postgresql_flexible_server.this"


@pytest.mark.parametrize("engine", ENGINES)
def test_a_database_is_created_changed_and_destroyed(world: World, engine: str) -> None:
    outputs = ["id", "name", "fqdn"]
    small, large = {"sku": "B_Standard_B2s"}, {"sku": "GP_Standard_D2ds_v5"}

    def run(kind: str, values: dict[str, str]) -> Worker:
        request = world.request("postgresql", kind=kind, outputs=outputs, values=values)
        return world.run(request, terraform=engine)

    created = run("create", small)
    changed = run("update", large)
    destroyed = run("destroy", large)

    assert created.finish["outcome"] == "succeeded", created.run.log
    assert created.finish["outputs"]["fqdn"] == "psql-shop-dev-001.postgres.database.azure.com"
    assert "Plan: 3 to add, 0 to change, 0 to destroy." in created.run.log
    assert changed.finish["outcome"] == "succeeded", changed.run.log
    assert "Plan: 0 to add, 1 to change, 0 to destroy." in changed.run.log
    assert destroyed.finish["outcome"] == "succeeded", destroyed.run.log
    assert destroyed.finish["resources"] == []
    assert world.resources == []
    assert destroyed.state.addresses == []


def test_the_portal_hears_what_exists_now(applied: dict[str, Worker]) -> None:
    worker = applied["postgresql"]

    assert worker.finish["changed"]
    assert worker.finish["error"] == ""
    assert {(r["address"], r["type"]) for r in worker.finish["resources"]} == {
        (SERVER, "azurerm_postgresql_flexible_server"),
        (
            'azurerm_postgresql_flexible_server_database.this["orders"]',
            "azurerm_postgresql_flexible_server_database",
        ),
        (
            "azurerm_postgresql_flexible_server_active_directory_administrator.this",
            "azurerm_postgresql_flexible_server_active_directory_administrator",
        ),
    }
    server = next(r for r in worker.finish["resources"] if r["address"] == SERVER)
    assert server["id"] == worker.finish["outputs"]["id"]


def test_entries_are_numbered_and_say_their_phase(applied: dict[str, Worker]) -> None:
    worker = applied["storage-account"]

    entries = [worker.run.entries[number] for number in sorted(worker.run.entries)]
    assert [entry["sequence"] for entry in entries] == list(range(1, len(entries) + 1))
    phases = list(dict.fromkeys(entry["phase"] for entry in entries))
    assert phases == ["init", "plan", "check", "apply"]
    assert entries[0]["text"].startswith("Terraform 1.")
    assert entries[0]["text"].endswith(" on storage-account 1.0.0")
    assert not any("module.this" in entry["text"] for entry in entries)


@pytest.mark.parametrize("item", sorted(VALUES))
def test_a_second_run_with_the_same_values_changes_nothing(
    applied: dict[str, Worker], planned_again: dict[str, Worker], item: str
) -> None:
    first, second = applied[item], planned_again[item]

    assert first.finish["outcome"] == "succeeded", first.run.log
    assert second.finish["outcome"] == "succeeded", second.run.log
    assert second.run.plan is not None
    assert second.run.plan["resources"] == []
    assert not second.finish["changed"]
    assert second.finish["outputs"] == first.finish["outputs"]


def test_the_plan_tells_what_changes_from_what_to_what(world: World) -> None:
    world.run(world.request("postgresql"))

    worker = world.run(world.request("postgresql", kind="update", values={"storage_gb": 64}))

    plan = worker.run.plan
    assert plan is not None
    assert {name: plan[name] for name in ("add", "change", "destroy", "replace")} == {
        "add": 0,
        "change": 1,
        "destroy": 0,
        "replace": 0,
    }
    (resource,) = plan["resources"]
    assert resource["address"] == SERVER
    assert resource["change"]["actions"] == ["update"]
    assert resource["change"]["before"]["storage_mb"] == 32 * 1024
    assert resource["change"]["after"]["storage_mb"] == 64 * 1024
    assert plan["engine"].startswith("Terraform 1.")


def test_a_plan_that_the_portal_refuses_is_not_applied(world: World) -> None:
    key = world.request()
    world.peer.runs[key].verdict = {"proceed": False, "reason": "Storage in dev has two copies at most."}

    worker = world.run(key)

    assert worker.process.returncode == 1
    assert worker.finish["outcome"] == "failed"
    assert worker.finish["error"] == "Storage in dev has two copies at most."
    assert not worker.finish["changed"]
    assert worker.finish["resources"] is None
    assert world.resources == []
    assert worker.state.lock is None


def test_a_replacement_is_refused_unless_the_request_allows_it(world: World) -> None:
    world.run(world.request("postgresql", values={"storage_gb": 64}))
    before = world.store.read_text()

    refused = world.run(world.request("postgresql", kind="update", values={"storage_gb": 32}))

    assert refused.finish["outcome"] == "failed"
    assert f"replace {SERVER} (storage_mb changes)" in refused.finish["error"]
    assert refused.finish["error"].endswith("Nothing was changed.")
    assert refused.run.plan is None
    assert world.store.read_text() == before

    allowed = world.run(
        world.request("postgresql", kind="update", values={"storage_gb": 32}, allow_replace=True)
    )

    assert allowed.finish["outcome"] == "succeeded", allowed.run.log
    assert allowed.run.plan is not None
    assert allowed.run.plan["replace"] == 3  # the server, with what is on it


def test_an_update_that_deletes_is_refused(world: World) -> None:
    world.run(world.request("postgresql"))

    worker = world.run(world.request("postgresql", kind="update", values={"databases": []}))

    assert worker.finish["outcome"] == "failed"
    assert 'delete azurerm_postgresql_flexible_server_database.this["orders"]' in worker.finish["error"]
    assert "azurerm_postgresql_flexible_server_database" in world.resources


def test_files_that_nobody_approved_are_not_run(world: World) -> None:
    worker = world.run(world.request(digest="0" * 64))

    assert worker.finish["outcome"] == "failed"
    assert worker.finish["error"] == "The files of storage-account 1.0.0 are not the ones that were approved."
    assert worker.run.plan is None


def test_files_outside_the_module_are_not_written(world: World) -> None:
    worker = world.run(world.request(files={"../escaped.tf": ""}))

    assert worker.finish["error"] == "The catalog item has a file outside its folder: ../escaped.tf"
    assert not list(world.folder.rglob("escaped.tf"))


def test_a_value_that_the_module_does_not_know_is_refused(world: World) -> None:
    worker = world.run(world.request(values={"colour": "red"}))

    assert worker.finish["error"] == "storage-account 1.0.0 has no variable colour."


def test_a_claim_that_cannot_be_read_fails_the_run(world: World) -> None:
    key = world.request()
    del world.peer.runs[key].answer["files"]

    worker = world.run(key)

    assert worker.process.returncode == 1
    assert worker.finish["error"] == "The answer to the claim cannot be used: KeyError('files')."


def test_the_module_says_in_its_own_words_what_is_wrong(world: World) -> None:
    worker = world.run(
        world.request("postgresql", values={"sku": "B_Standard_B1ms", "high_availability": True})
    )

    assert worker.finish["outcome"] == "failed"
    assert worker.finish["error"] == "High availability needs a General Purpose or Memory Optimized size."


def test_templates_in_values_stay_text(world: World) -> None:
    worker = world.run(world.request(values={"tags": {"owner": '${file("/etc/hostname")}'}}))

    assert worker.finish["outcome"] == "succeeded", worker.run.log
    assert '${file(\\"/etc/hostname\\")}' in world.store.read_text()


def test_an_error_of_the_cloud_ends_the_run_and_the_next_one_goes_on(world: World) -> None:
    fault = {"operation": "create", "type": "azurerm_storage_account", "message": "Quota exceeded."}

    failed = world.run(world.request(), sandbox_faults=json.dumps([fault]))
    retried = world.run(world.request())

    assert failed.process.returncode == 1
    assert failed.finish["outcome"] == "failed"
    assert failed.finish["error"].startswith("Quota exceeded. Injected: create of /subscriptions/")
    assert failed.finish["error"].endswith("(azurerm_storage_account.this)")
    assert failed.state.lock is None
    assert retried.finish["outcome"] == "succeeded", retried.run.log


def test_what_was_half_made_is_reported_and_made_again(world: World) -> None:
    fault = {"operation": "create", "type": "azurerm_storage_container", "partial": True}

    failed = world.run(world.request(), sandbox_faults=json.dumps([fault]))

    assert failed.finish["outcome"] == "failed"
    assert failed.finish["changed"]
    assert {r["address"] for r in failed.finish["resources"]} == {
        "azurerm_storage_account.this",
        'azurerm_storage_container.this["invoices"]',
    }

    retried = world.run(world.request(allow_replace=True))

    assert retried.finish["outcome"] == "succeeded", retried.run.log
    assert retried.run.plan is not None
    assert retried.run.plan["replace"] == 1


def test_a_provider_that_does_not_start_fails_the_run(world: World) -> None:
    worker = world.run(world.request(), sandbox_faults='[{"operation": "create", "kind": "?"}]')

    assert worker.finish["outcome"] == "failed"
    assert worker.finish["error"].startswith("the sandbox provider did not start:")


def test_an_engine_that_does_not_exist_fails_the_run(world: World) -> None:
    worker = world.run(world.request(), terraform="/nowhere/terraform")

    assert worker.finish["error"] == "/nowhere/terraform cannot be started: No such file or directory"


def test_nothing_but_its_log_is_left_of_a_run(applied: dict[str, Worker]) -> None:
    worker = applied["storage-account"]

    assert sorted(path.name for path in worker.directory.iterdir()) == ["worker.json", "worker.log"]
