import pytest
from django.core.management import CommandError, call_command

from portal import audit
from portal.models import Event


@pytest.fixture
def three_events(people):
    for number in range(3):
        audit.record(
            "test.done", f"THING-{number}", actor=people.anna, business_unit=people.payments, note="by hand"
        )


def test_every_event_follows_the_one_before_it(three_events):
    first, second, third = Event.objects.order_by("sequence")

    assert first.previous == "0" * 64
    assert (second.previous, third.previous) == (first.hash, second.hash)
    assert audit.verify() == audit.Verified(3)


@pytest.mark.parametrize("field", ["note", "actor_label", "action", "subject"])
def test_a_changed_event_is_named(three_events, field):
    Event.objects.filter(sequence=2).update(**{field: "something else"})

    assert audit.verify().problem == "event 2 was changed"


def test_a_missing_event_is_named(three_events):
    Event.objects.filter(sequence=2).delete()

    assert audit.verify().problem == "event 2 is missing"


def test_missing_newest_events_are_noticed(three_events):
    Event.objects.filter(sequence=3).delete()

    assert "the newest events are missing" in audit.verify().problem


def test_an_event_that_was_made_up_does_not_fit(three_events):
    event = Event.objects.get(sequence=2)
    event.note = "made up"
    event.hash = audit.digest(event)
    event.save()

    assert audit.verify().problem == "event 3 does not follow the one before it"


def test_the_command_says_that_the_chain_is_whole(three_events, capsys):
    call_command("audit", "verify")

    assert "whole: 3 events" in capsys.readouterr().out


def test_the_command_fails_with_the_first_difference(three_events):
    Event.objects.filter(sequence=1).update(note="x")

    with pytest.raises(CommandError, match="event 1 was changed"):
        call_command("audit", "verify")


def test_auditors_see_the_events_of_their_business_unit_only(three_events, people):
    audit.record("test.done", "OTHER", actor=None, business_unit=people.retail)

    assert Event.objects.visible_to(people.dora).count() == 3
    assert Event.objects.visible_to(people.anna).count() == 0
    assert Event.objects.visible_to(people.olga).count() == 4
