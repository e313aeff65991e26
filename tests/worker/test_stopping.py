"""A run that is stopped, and a worker that is killed. Terraform gets the time to write its state."""

import json
import os
import signal

import pytest

from tests.worker.conftest import Worker, World

ACCOUNT = "azurerm_storage_account.this"
GROUP_ADDRESS = "azurerm_resource_group.this"
SLOW = 0.3  # of Azure's pace: a second for the group, ten for the account


@pytest.fixture
def working(world: World, pair: dict[str, str]) -> Worker:
    """A worker in the middle of its apply: the group exists, the account is being made."""
    worker = world.start(world.request("pair", files=pair), sandbox_time_scale=SLOW)
    worker.until_logged(f"{ACCOUNT}: Creating...")
    return worker


def finish_it(worker: Worker) -> Worker:
    """A second run of the same request, as a retry starts it."""
    request = worker.run.answer
    return worker.world.run(worker.world.request("pair", files=request["files"]))


def test_sigterm_stops_terraform_once_and_in_order(working: Worker) -> None:
    working.process.send_signal(signal.SIGTERM)

    assert working.wait() == 0
    assert working.finish["outcome"] == "stopped"
    assert working.finish["changed"]
    assert [r["address"] for r in working.finish["resources"]] == [GROUP_ADDRESS]
    assert any("Interrupt received" in line for line in working.run.log)
    assert not any("Two interrupts received" in line for line in working.run.log)
    assert working.state.addresses == [GROUP_ADDRESS]
    assert working.state.lock is None
    assert finish_it(working).finish["outcome"] == "succeeded"


def test_being_told_twice_is_the_same_as_once(working: Worker) -> None:
    working.process.send_signal(signal.SIGTERM)
    working.run.stop = True
    working.process.send_signal(signal.SIGTERM)

    assert working.wait() == 0
    assert working.finish["outcome"] == "stopped"
    assert working.state.lock is None


def test_the_portal_can_ask_for_the_stop_in_any_answer(working: Worker) -> None:
    working.run.stop = True

    assert working.wait() == 0
    assert working.finish["outcome"] == "stopped"
    assert working.state.addresses == [GROUP_ADDRESS]
    assert working.state.lock is None


def test_a_stop_before_the_work_has_begun_changes_nothing(world: World) -> None:
    key = world.request()
    world.peer.runs[key].stop = True

    worker = world.run(key)

    assert worker.process.returncode == 0
    assert worker.finish["outcome"] == "stopped"
    assert not worker.finish["changed"]
    assert world.resources == []


def test_a_run_that_takes_too_long_is_stopped_and_has_failed(world: World, pair: dict[str, str]) -> None:
    key = world.request("pair", files=pair, deadline_seconds=3)

    worker = world.run(key, sandbox_time_scale=1)

    assert worker.process.returncode == 1
    assert worker.finish["outcome"] == "failed"
    assert worker.finish["error"] == "Stopped, because it took longer than 0.05 minutes."
    assert worker.state.lock is None


def test_a_run_that_the_portal_gave_up_stops_without_a_word(working: Worker) -> None:
    working.world.peer.answer_next_with["entries"] = 409

    assert working.wait() == 3
    assert working.run.finish is None
    assert working.state.addresses == [GROUP_ADDRESS]
    assert working.state.lock is None


def test_terraform_ends_in_order_when_its_worker_is_killed(working: Worker) -> None:
    provider = working.child("terraform.sandbox")
    socket = provider.arguments[provider.arguments.index("--socket") + 1]

    working.process.kill()
    working.until(lambda: not working.processes)

    assert working.run.finish is None
    assert working.state.addresses == [GROUP_ADDRESS]
    assert working.state.lock is None
    assert not os.path.exists(os.path.dirname(socket))
    assert finish_it(working).finish["outcome"] == "succeeded"


def test_a_machine_that_dies_leaves_a_lock_and_the_state_of_before(
    world: World, pair: dict[str, str]
) -> None:
    created = world.run(world.request("pair", files=pair))
    update = {"files": pair, "kind": "update", "values": {"tags": {"owner": "bert"}}}
    worker = world.start(world.request("pair", **update), sandbox_time_scale=5)
    worker.until_logged(f"{GROUP_ADDRESS}: Modifying...")

    os.killpg(worker.process.pid, signal.SIGKILL)
    worker.until(lambda: not worker.processes)

    assert worker.state.lock is not None
    assert worker.state.addresses == created.state.addresses
    worker.state.lock = None  # the portal breaks it when it gives a run up
    assert world.run(world.request("pair", **update)).finish["outcome"] == "succeeded"


def test_what_a_dying_machine_made_and_did_not_write_down_is_named(working: Worker) -> None:
    os.killpg(working.process.pid, signal.SIGKILL)
    working.until(lambda: not working.processes)
    for version in working.state.versions:
        json.loads(version)
    working.state.lock = None

    retried = finish_it(working)

    assert retried.finish["outcome"] == "failed"
    assert retried.finish["error"].startswith("The resource exists already. /subscriptions/")
    assert retried.finish["error"].endswith(f"Import it to manage it here. ({GROUP_ADDRESS})")


def test_a_terraform_that_is_killed_fails_the_run(working: Worker) -> None:
    os.kill(working.child("shim.py").pid, signal.SIGKILL)

    assert working.wait() == 1
    assert working.finish["outcome"] == "failed"
    assert working.finish["error"] == "Terraform was killed (SIGKILL)."
    assert working.state.lock is not None  # for the portal to break: the run has ended


def test_a_provider_that_is_killed_fails_the_run(working: Worker) -> None:
    os.kill(working.child("terraform.sandbox").pid, signal.SIGKILL)

    assert working.wait() == 1
    assert working.finish["outcome"] == "failed"
    assert working.state.addresses == [GROUP_ADDRESS]
    assert working.state.lock is None


def test_a_worker_killed_between_two_commands_leaves_nothing_behind(world: World) -> None:
    worker = world.start(world.request(), sandbox_time_scale=SLOW)
    worker.until(lambda: worker.run.claimants)

    worker.process.kill()
    worker.until(lambda: not worker.processes)

    assert world.resources == []
    assert worker.state.lock is None
