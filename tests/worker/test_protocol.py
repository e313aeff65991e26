"""The worker and a portal that is away, loses answers, or says no."""

import pytest

from tests.worker.conftest import Worker, World

ACCOUNT = "azurerm_storage_account.this"


def test_a_portal_that_is_away_during_the_apply_misses_nothing(world: World) -> None:
    worker = world.start(world.request(), sandbox_time_scale=0.1)
    worker.until_logged(f"{ACCOUNT}: Creating...")

    world.peer.stop()
    worker.until(lambda: "azurerm_storage_container" in world.resources)
    worker.until(lambda: "entries will be asked again" in worker.log)
    world.peer.start()

    assert worker.wait() == 0
    assert worker.finish["outcome"] == "succeeded"
    assert sorted(worker.run.entries) == list(range(1, len(worker.run.entries) + 1))
    assert any("Apply complete!" in line for line in worker.run.log)
    assert worker.state.addresses == [ACCOUNT, "azurerm_storage_container.this"]
    assert worker.state.lock is None


def test_a_state_that_was_not_taken_is_given_again(world: World) -> None:
    worker = world.start(world.request(), sandbox_time_scale=0.1)
    worker.until_logged(f"{ACCOUNT}: Creating...")
    world.peer.answer_next_with["state"] = 400

    worker.wait()

    assert "The state was saved after all." in worker.run.log
    assert worker.state.addresses == [ACCOUNT, "azurerm_storage_container.this"]
    assert worker.state.lock is None


def test_lost_answers_are_asked_for_again_and_count_once(world: World) -> None:
    world.peer.lose_answer_of |= {"claim", "entries", "plan", "finish"}

    worker = world.run(world.request("resource-group"))

    assert worker.process.returncode == 0
    assert worker.finish["outcome"] == "succeeded"
    assert len(worker.run.claimants) == 2
    assert len(set(worker.run.claimants)) == 1
    assert not world.peer.lose_answer_of
    assert worker.run.log.count("The plan was accepted.") == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_overloaded_portal_is_asked_again(world: World, status: int) -> None:
    world.peer.answer_next_with["claim"] = status
    key = world.request(digest="")  # ends soon after the claim

    assert world.run(key).finish["outcome"] == "failed"


def test_a_second_worker_goes_away(world: World) -> None:
    key = world.request()
    world.peer.runs[key].claimants.append("another worker")

    worker = world.run(key)

    assert worker.process.returncode == 3
    assert worker.run.finish is None
    assert worker.run.entries == {}
    assert world.resources == []


def test_two_workers_of_one_run_do_the_work_once(world: World) -> None:
    key = world.request("resource-group")

    both: list[Worker] = [world.start(key), world.start(key)]

    assert sorted(worker.wait() for worker in both) == [0, 3]
    assert both[0].finish["outcome"] == "succeeded"
    assert len(world.peer.states["shop"].versions) > 0
    assert both[0].run.log.count("The plan was accepted.") == 1


@pytest.mark.parametrize("status", [401, 403, 404, 409])
def test_a_run_that_is_not_ours_is_left_alone(world: World, status: int) -> None:
    key = world.request()
    world.peer.answer_next_with["claim"] = status

    worker = world.run(key)

    assert worker.process.returncode == 3
    assert worker.run.finish is None


def test_a_wrong_token_opens_nothing(world: World) -> None:
    worker = world.run(world.request(), token="of-another-run")

    assert worker.process.returncode == 3
    assert "This token is not for this run." in worker.log
    assert worker.run.claimants == []


def test_a_portal_that_never_answers_is_given_up(world: World) -> None:
    key = world.request()
    world.peer.stop()

    worker = world.run(key, patience=1)

    assert worker.process.returncode == 2
    assert "no answer to claim" in worker.log


def test_a_worker_that_is_stopped_before_its_claim_ends(world: World) -> None:
    key = world.request()
    world.peer.stop()
    worker = world.start(key)
    worker.until(lambda: "claim will be asked again" in worker.log)

    worker.process.terminate()

    assert worker.wait() == 2
    assert worker.run.claimants == []


def test_a_worker_without_its_settings_says_which(world: World) -> None:
    worker = world.run(world.request(), sandbox_time_scale="fast")

    assert worker.process.returncode == 2
    assert "could not convert string to float: 'fast'" in worker.log
    assert worker.run.claimants == []


def test_a_lock_that_is_soon_free_is_waited_for(world: World) -> None:
    key = world.request("resource-group")
    world.peer.states["shop"].lock = {"ID": "of-a-run-that-ends"}
    worker = world.start(key)

    worker.until(lambda: worker.state.locks_refused)
    worker.state.lock = None

    assert worker.wait() == 0
    assert worker.finish["outcome"] == "succeeded"
