import pytest

from consumer.handler import handle
from portal import ports
from portal.errors import OutsideError
from portal.models import QueuedMessage
from requests_app import services
from requests_app.models import ServiceRequest
from requests_app.states import DeploymentState, State


def received_again() -> ports.Delivery:
    QueuedMessage.objects.update(visible_at=QueuedMessage.objects.get().sent_at)
    delivery = ports.queue().receive(0)
    assert delivery
    return delivery


def test_an_approved_request_is_sent_once_and_started(delivery, approved, runner):
    services.enqueue_approved()

    handle(delivery)

    approved.refresh_from_db()
    assert approved.state == State.RUNNING
    assert runner.dispatched == [approved.run_key]
    assert ports.queue().receive(0) is None


def test_a_request_in_production_goes_to_its_own_priority(delivery):
    assert delivery.priority == ports.Priority.STAGING


def test_a_second_delivery_starts_no_second_run(delivery, runner):
    handle(delivery)
    handle(delivery)

    assert len(runner.dispatched) == 1


def test_a_consumer_that_died_after_the_document_and_before_the_dispatch_is_made_up_for(
    delivery, approved, runner
):
    ports.tracker().create_run(
        ports.RunDocument(
            key=approved.run_key, token_digest="of a lost token", created_at=approved.submitted_at
        )
    )

    handle(delivery)

    assert runner.dispatched == [approved.run_key]
    assert ports.tracker().get_run(approved.run_key).token_digest != "of a lost token"


def test_a_consumer_that_died_after_the_dispatch_starts_no_second_run(delivery, approved, runner):
    handle(delivery)
    QueuedMessage.objects.create(run_key=approved.run_key, priority="staging", rank_at=approved.submitted_at)

    handle(ports.queue().receive(0))

    assert runner.dispatched == [approved.run_key]


def test_a_cancelled_request_is_not_started(delivery, approved, people, runner):
    services.cancel(ServiceRequest.objects.get(pk=approved.pk), actor=people.anna)

    handle(delivery)

    assert runner.dispatched == []
    assert ports.queue().receive(0) is None


def test_a_delivery_of_an_old_attempt_starts_nothing(delivery, approved, people, runner):
    services.start(approved.run_key)
    approved.refresh_from_db()
    services.fail(approved, "lost", changed=False)
    services.retry(approved, actor=people.anna)

    handle(delivery)

    assert runner.dispatched == []


@pytest.mark.parametrize("run_key", ["999-a1", "nonsense", "1-a", "-a1", "1-a1-a1"])
def test_a_delivery_of_nothing_is_completed(db, runner, run_key):
    ports.queue().send(run_key, ports.Priority.DEV)

    handle(ports.queue().receive(0))

    assert ports.queue().receive(0) is None


def test_a_runner_that_is_away_is_tried_again(delivery, approved, runner, away):
    runner.refuse.append(away())

    handle(delivery)
    assert runner.dispatched == []

    handle(received_again())
    assert runner.dispatched == [approved.run_key]


def test_a_runner_that_stays_away_fails_the_request(delivery, approved, runner, away):
    runner.refuse.extend(away() for _ in range(5))
    handle(delivery)
    for _ in range(4):
        handle(received_again())

    approved.refresh_from_db()
    assert (approved.state, approved.failure) == (
        State.FAILED,
        "The runner did not answer: the runner is away",
    )
    assert ports.queue().receive(0) is None


def test_a_runner_that_refuses_fails_the_request_at_once(delivery, approved, runner):
    runner.refuse.append(OutsideError("no such runner"))

    handle(delivery)

    approved.refresh_from_db()
    assert (approved.state, approved.failure) == (State.FAILED, "no such runner")
    assert approved.deployment.state == DeploymentState.ABANDONED
