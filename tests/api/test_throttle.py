"""Calls in a minute, for each token."""

import time
from types import SimpleNamespace

import pytest
from django.core.cache import cache

from portal.identity.models import ApiToken
from portal.throttle import COUNTS

ME = "/api/v1/me/"


@pytest.fixture(autouse=True)
def clock(settings, monkeypatch):
    """Twenty seconds into a minute, with nothing counted."""
    clock = SimpleNamespace(now=1_800_000_020.0)
    monkeypatch.setattr(time, "time", lambda: clock.now)
    COUNTS.forget()
    cache.clear()
    settings.API_READS_PER_MINUTE, settings.API_WRITES_PER_MINUTE = 3, 2
    yield clock
    COUNTS.forget()


@pytest.fixture
def anna(people, api_for):
    return api_for(people.anna)


def test_who_calls_too_often_is_told_how_long_to_wait(anna):
    answers = [anna.get(ME) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[-1].json()["code"] == "TooManyCalls"
    assert answers[-1]["Retry-After"] == "40"
    assert "40 seconds" in answers[-1].json()["message"]


def test_the_next_minute_is_a_new_one(anna, clock):
    for _ in range(4):
        anna.get(ME)
    clock.now += 41

    assert anna.get(ME).status_code == 200


def test_every_token_has_its_own_count_also_of_the_same_person(anna, people, api_for):
    for _ in range(4):
        anna.get(ME)

    assert api_for(people.anna).get(ME).status_code == 200


def test_writing_is_counted_apart_and_less(anna):
    for _ in range(3):
        anna.get(ME)
    answers = [anna.post("/api/v1/requests/check/", {"kind": "?"}).status_code for _ in range(3)]

    assert answers == [400, 400, 429]


def test_a_person_with_a_session_is_counted_as_well(people, client_for):
    browser = client_for(people.anna)

    assert [browser.get(ME).status_code for _ in range(4)] == [200, 200, 200, 429]


def test_processes_count_together(anna):
    for _ in range(2):
        anna.get(ME)
    COUNTS.forget()  # as another process

    assert [anna.get(ME).status_code for _ in range(2)] == [200, 429]


def test_a_large_limit_is_told_to_the_others_in_steps(anna, settings, clock):
    settings.API_READS_PER_MINUTE = 1000
    key = f"calls:r:token:{ApiToken.objects.get().pk}:{int(clock.now) // 60}"
    told = []

    for _ in range(41):
        anna.get(ME)
        told.append(cache.get(key))

    assert sorted(set(told)) == [1, 21, 41]
