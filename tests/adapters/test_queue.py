"""What every queue promises, whatever is behind it."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils.timezone import now

from portal.adapters.embedded.queue import AGEING, DatabaseQueue
from portal.models import QueuedMessage
from portal.ports import Priority, Queue


@pytest.fixture(params=["database"])
def queue(request: pytest.FixtureRequest, db: None) -> Queue:
    return {"database": lambda: DatabaseQueue(lock_seconds=60, max_deliveries=3)}[request.param]()


def lock_runs_out(run_key: str) -> None:
    QueuedMessage.objects.filter(run_key=run_key).update(visible_at=now())


def test_what_was_sent_is_delivered_once(queue):
    queue.send("1-a1", Priority.DEV)

    delivery = queue.receive(0)

    assert (delivery.run_key, delivery.priority, delivery.count) == ("1-a1", Priority.DEV, 1)
    assert queue.receive(0) is None


def test_an_empty_queue_delivers_nothing(queue):
    assert queue.receive(0) is None


def test_sending_again_changes_nothing(queue):
    queue.send("1-a1", Priority.DEV)
    queue.send("1-a1", Priority.DEV)

    assert [depth.waiting for depth in queue.depths()] == [0, 0, 1]


def test_production_goes_before_staging_before_development(queue):
    for number, priority in enumerate([Priority.DEV, Priority.STAGING, Priority.PROD], start=1):
        queue.send(f"{number}-a1", priority)

    assert [queue.receive(0).priority for _ in range(3)] == [Priority.PROD, Priority.STAGING, Priority.DEV]


def test_what_has_waited_long_overtakes_what_is_more_urgent(queue):
    queue.send("1-a1", Priority.DEV)
    long_ago = now() - AGEING[Priority.DEV] - timedelta(seconds=1)
    QueuedMessage.objects.update(sent_at=long_ago, rank_at=long_ago + AGEING[Priority.DEV])
    queue.send("2-a1", Priority.PROD)

    assert queue.receive(0).run_key == "1-a1"


def test_a_completed_delivery_never_comes_back(queue):
    queue.send("1-a1", Priority.DEV)
    queue.complete(queue.receive(0))

    assert queue.receive(0) is None
    assert [depth.waiting for depth in queue.depths()] == [0, 0, 0]


def test_a_delivery_that_is_not_settled_comes_back_when_its_lock_runs_out(queue):
    queue.send("1-a1", Priority.DEV)
    queue.receive(0)
    lock_runs_out("1-a1")

    assert queue.receive(0).count == 2


def test_who_has_lost_the_lock_settles_nothing(queue):
    queue.send("1-a1", Priority.DEV)
    slow = queue.receive(0)
    lock_runs_out("1-a1")
    quick = queue.receive(0)

    queue.complete(slow)
    queue.dead_letter(slow, "too slow")

    queue.release(quick)
    assert queue.receive(0).run_key == "1-a1"


def test_a_released_delivery_comes_again_after_its_delay(queue):
    queue.send("1-a1", Priority.DEV)
    queue.release(queue.receive(0), delay_seconds=60)
    assert queue.receive(0) is None

    lock_runs_out("1-a1")
    assert queue.receive(0).count == 2


def test_the_last_allowed_delivery_becomes_a_dead_letter(queue):
    queue.send("1-a1", Priority.STAGING)
    for _ in range(3):
        queue.release(queue.receive(0))

    assert queue.receive(0) is None
    (dead,) = queue.dead_letters()
    assert (dead.run_key, dead.reason) == ("1-a1", "delivered too often")


def test_a_consumer_that_dies_every_time_ends_in_a_dead_letter(queue):
    queue.send("1-a1", Priority.STAGING)
    for _ in range(3):
        queue.receive(0)
        lock_runs_out("1-a1")

    assert queue.receive(0) is None
    assert [depth.dead for depth in queue.depths()] == [0, 1, 0]


def test_a_dead_letter_says_why(queue):
    queue.send("1-a1", Priority.PROD)
    queue.dead_letter(queue.receive(0), "not readable")

    assert [(dead.run_key, dead.reason) for dead in queue.dead_letters()] == [("1-a1", "not readable")]
    assert queue.receive(0) is None


@pytest.mark.django_db(transaction=True)
def test_many_consumers_at_once_get_every_message_once(queue):
    for number in range(12):
        queue.send(f"{number}-a1", Priority.STAGING)
    received: list[str] = []

    def consume() -> None:
        try:
            while delivery := queue.receive(0):
                received.append(delivery.run_key)
                queue.complete(delivery)
        finally:
            connection.close()

    consumers = [threading.Thread(target=consume) for _ in range(4)]
    for consumer in consumers:
        consumer.start()
    for consumer in consumers:
        consumer.join()

    assert sorted(received) == sorted(f"{number}-a1" for number in range(12))
