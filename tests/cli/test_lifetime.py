"""How long it stays, and which version it has: on the command line."""

import pytest

from portal.identity import tokens
from requests_app import services
from requests_app.models import Deployment, ServiceRequest
from tests.requests.support import make_ready

WHERE = ("--unit", "payments", "--env", "dev", "--region", "northeurope")
MINOR = [{"version": "1.1.0", "text": "It can have a colour."}]


@pytest.fixture
def anna(live_server, shelf, people, groundwork, monkeypatch):
    _, plain = tokens.issue(people.anna, "tests")

    def run(*arguments):
        monkeypatch.setenv("GROUNDWORK_URL", live_server.url)
        monkeypatch.setenv("GROUNDWORK_TOKEN", plain)
        return groundwork(*arguments)

    return run


@pytest.fixture
def atlas(shelf, people):
    shelf.put()
    wanted = {"item": "space", "business_unit": "payments", "environment": "dev", "region": "northeurope"}
    return make_ready(services.submit(requester=people.anna, name="atlas", parameters={}, **wanted))


def test_it_is_asked_for_with_days(anna, shelf):
    shelf.put()

    asked = anna("submit", "space", *WHERE, "--name", "atlas", "--days", "7")
    refused = anna("submit", "space", *WHERE, "--name", "other", "--days", "91", "--check")

    assert (asked.code, "7 days" in asked.out) == (0, True)
    assert ServiceRequest.objects.get().ttl_days == 7
    assert refused.code == 1
    assert "ttl_days: Choose 1 to 90 days: Space stays no longer in Development." in refused.err


def test_it_is_extended(anna, atlas):
    extended = anna("extend", "atlas", "--days", "60")
    refused = anna("extend", "atlas", "--days", "5")

    until = Deployment.objects.get().expires_at
    assert extended.out == f"atlas stays until {until:%Y-%m-%d}.\n"
    assert (refused.code, "choose more days" in refused.err) == (1, True)
    assert f"{until:%Y-%m-%d}" in anna("deployments").out
    assert f"{until:%Y-%m-%d}" in anna("deployments", "atlas").out


def test_extending_tells_machines_the_new_end(anna, atlas):
    told = anna("extend", "atlas", "--json").json

    assert told["name"] == "atlas"
    assert told["expires_at"]


def test_an_upgrade_is_offered_and_asked_for(anna, atlas, shelf):
    shelf.put(version="1.1.0", changes=MINOR, asks={"colour": "blue"})

    assert "1.1.0  1.1.0: It can have a colour." in anna("deployments", "atlas").out
    unknown = anna("change", "atlas", "-p", "colour=red")
    asked = anna("change", "atlas", "--upgrade", "-p", "colour=red")

    assert (unknown.code, "colour: " in unknown.err) == (1, True)
    assert (asked.code, "1.0.0 → 1.1.0" in asked.out) == (0, True)
    assert ServiceRequest.objects.get(kind="update").parameters["colour"] == "red"


def test_without_a_newer_version_an_upgrade_is_refused(anna, atlas):
    refused = anna("change", "atlas", "--upgrade")

    assert refused.code == 1
    assert "upgrade: atlas has 1.0.0, and there is nothing newer for it." in refused.err


def test_what_is_retiring_says_so_before_and_when_it_is_asked_for(anna, shelf):
    shelf.write("annex").put(lifecycle="deprecated", replaced_by="annex")

    shown = anna("catalog", "space").out
    asked = anna("submit", "space", *WHERE, "--name", "atlas")
    checked = anna("submit", "space", *WHERE, "--name", "other", "--check")

    assert "deprecated" in shown
    assert "annex" in shown
    assert "dev 30 days (at most 90)" in shown
    assert "Note: Space is retiring. Use annex for new work." in asked.out
    assert "Note: Space is retiring. Use Annex (annex) for new work." in checked.out


def test_what_is_retired_is_refused_with_its_successor(anna, shelf):
    shelf.write("annex").put(lifecycle="retired", replaced_by="annex")

    refused = anna("submit", "space", *WHERE, "--name", "atlas")

    assert refused.code == 1
    assert "item: Space is retired and takes no new requests. Use Annex (annex) for new work." in refused.err
