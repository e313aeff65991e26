"""Whatever dies, the request ends in a true state by itself."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils.timezone import now

from consumer import runs, sweep
from consumer.handler import handle
from consumer.models import StateLock
from portal import ports
from portal.models import TrackedRun
from portal.ports import Phase
from requests_app import services
from requests_app.models import ServiceRequest
from requests_app.states import State

LONG_AGO = timedelta(hours=1)


@pytest.fixture
def claimed(delivery, approved, runner):
    """A worker has the run, is at work, and was heard of just now."""
    handle(delivery)
    run = ports.tracker().get_run(approved.run_key)
    ports.tracker().update_run(run, claimant="one", phase=Phase.APPLY, heartbeat_at=now())
    approved.refresh_from_db()
    return approved


def turned_silent(key: str, **changes) -> None:
    run = ports.tracker().get_run(key)
    changes = {"heartbeat_at": now() - LONG_AGO, "created_at": now() - LONG_AGO, **changes}
    ports.tracker().update_run(run, **changes)


def state_of(service_request: ServiceRequest) -> str:
    service_request.refresh_from_db()
    return service_request.state


def test_a_run_that_is_heard_of_is_left_alone(claimed, runner):
    runner.alive.clear()

    sweep.reconcile()

    assert state_of(claimed) == State.RUNNING


def test_a_silent_run_that_is_alive_is_left_alone(claimed):
    turned_silent(claimed.run_key)

    sweep.reconcile()

    assert state_of(claimed) == State.RUNNING


def test_a_run_whose_worker_died_fails_and_its_state_is_free_again(claimed, runner):
    StateLock.objects.create(deployment=claimed.deployment, lock_id="1", run_key=claimed.run_key, info={})
    turned_silent(claimed.run_key)
    runner.alive.clear()

    sweep.reconcile()

    assert state_of(claimed) == State.FAILED
    assert claimed.failure == runs.LOST
    assert claimed.deployment.state == "incomplete"
    assert not StateLock.objects.exists()


def test_the_lock_of_another_run_is_never_broken(claimed, runner):
    StateLock.objects.create(deployment=claimed.deployment, lock_id="1", run_key="77-a1", info={})
    turned_silent(claimed.run_key)
    runner.alive.clear()

    sweep.reconcile()

    assert StateLock.objects.exists()


def test_a_run_that_no_worker_took_fails_without_a_change(delivery, approved, runner):
    handle(delivery)
    turned_silent(approved.run_key, heartbeat_at=None)
    runner.alive.clear()

    sweep.reconcile()

    assert (state_of(approved), approved.failure) == (State.FAILED, runs.NOT_CLAIMED)
    assert approved.deployment.state == "abandoned"


def test_a_report_that_the_portal_kept_and_did_not_settle_is_settled(claimed):
    report = runs.Report(outcome="succeeded", outputs={"fqdn": "x"}, resources=[])
    run = ports.tracker().get_run(claimed.run_key)
    ports.tracker().update_run(run, phase=Phase.FINISHED, report=report.model_dump())

    sweep.reconcile()

    assert state_of(claimed) == State.SUCCEEDED
    assert claimed.deployment.outputs == {"fqdn": "x"}


def test_a_request_that_runs_without_a_document_fails_in_the_end(approved, runner):
    services.start(approved.run_key)
    ServiceRequest.objects.update(started_at=now() - LONG_AGO)

    sweep.reconcile()

    assert state_of(approved) == State.FAILED


def test_a_run_that_takes_too_long_is_asked_to_stop(claimed, runner):
    ServiceRequest.objects.update(started_at=now() - timedelta(days=1))

    sweep.reconcile()

    assert state_of(claimed) == State.STOPPING
    assert runner.stopped == [claimed.run_key]


def test_a_run_that_shall_stop_is_asked_again(claimed, people, runner):
    services.stop(claimed, actor=people.anna)

    sweep.reconcile()

    assert runner.stopped == [claimed.run_key] * 2


def test_a_run_that_was_given_up_takes_no_more_words(claimed, runner):
    turned_silent(claimed.run_key)
    runner.alive.clear()
    sweep.reconcile()

    late = replace(ports.tracker().get_run(claimed.run_key), version="1")
    runs.finish(late, runs.Report(outcome="succeeded"))

    assert state_of(claimed) == State.FAILED


def test_one_broken_document_does_not_keep_the_sweep_from_the_rest(
    claimed, people, postgres_for_staging, runner
):
    second = services.submit(requester=people.anna, **{**postgres_for_staging, "name": "second"})
    services.approve(second, actor=people.bert)
    services.enqueue_approved()
    handle(ports.queue().receive(0))
    turned_silent(claimed.run_key)
    turned_silent(second.run_key, heartbeat_at=None)
    runner.alive.clear()
    TrackedRun.objects.filter(key=claimed.run_key).update(version=5)

    sweep.reconcile()

    assert state_of(second) == State.FAILED
