"""What every tracker promises, whatever is behind it."""

import pytest
from django.utils.timezone import now

from portal.adapters.embedded.tracker import DatabaseTracker
from portal.errors import VersionConflict
from portal.ports import Entry, Phase, RunDocument, Tracker


@pytest.fixture(params=["database"])
def tracker(request: pytest.FixtureRequest, db: None) -> Tracker:
    return {"database": DatabaseTracker}[request.param]()


@pytest.fixture
def document() -> RunDocument:
    return RunDocument(key="1-a1", token_digest="0" * 64, created_at=now())


def lines(*sequences: int) -> list[Entry]:
    return [Entry(sequence, now(), "apply", "info", f"line {sequence}") for sequence in sequences]


def test_a_document_is_written_once(tracker, document):
    assert tracker.create_run(document)
    assert not tracker.create_run(document)


def test_a_document_comes_back_as_it_was_written(tracker, document):
    tracker.create_run(document)

    found = tracker.get_run("1-a1")

    assert (found.key, found.token_digest, found.created_at) == ("1-a1", "0" * 64, document.created_at)
    assert found.phase is Phase.CREATED
    assert not found.finished


def test_there_is_no_document_of_an_unknown_run(tracker):
    assert tracker.get_run("2-a1") is None


def test_an_update_returns_the_new_document(tracker, document):
    tracker.create_run(document)

    changed = tracker.update_run(tracker.get_run("1-a1"), phase=Phase.APPLY, heartbeat_at=now())

    assert changed == tracker.get_run("1-a1")
    assert changed.phase is Phase.APPLY


def test_of_two_that_read_the_same_version_only_the_first_changes_it(tracker, document):
    tracker.create_run(document)
    first, second = tracker.get_run("1-a1"), tracker.get_run("1-a1")
    tracker.update_run(first, claimant="first")

    with pytest.raises(VersionConflict):
        tracker.update_run(second, claimant="second")

    assert tracker.get_run("1-a1").claimant == "first"


def test_entries_come_in_the_order_of_their_sequence(tracker):
    tracker.append("1-a1", lines(2, 3))
    tracker.append("1-a1", lines(1))

    assert [entry.text for entry in tracker.entries("1-a1")] == ["line 1", "line 2", "line 3"]


def test_an_entry_that_is_written_again_is_there_once(tracker):
    tracker.append("1-a1", lines(1, 2))
    tracker.append("1-a1", lines(2, 3))

    assert [entry.sequence for entry in tracker.entries("1-a1")] == [1, 2, 3]


def test_entries_can_be_read_on_from_where_one_was(tracker):
    tracker.append("1-a1", lines(1, 2, 3, 4))
    tracker.append("1-a2", lines(1))

    assert [entry.sequence for entry in tracker.entries("1-a1", after=1, limit=2)] == [2, 3]
