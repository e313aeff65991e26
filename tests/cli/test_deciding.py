"""approve, reject, cancel, retry, stop, whoami; and how the program ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from portal.env import ROOT
from portal.identity import tokens
from requests_app.models import ServiceRequest
from tests.cli.conftest import Groundwork
from tests.cli.steps import run_fails, run_starts
from tests.conftest import People

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_approver_approves(bert: Groundwork, asked: str) -> None:
    answer = bert("approve", asked, "--note", "fine")

    assert answer.code == 0
    assert f"{asked} is approved now." in answer.out
    assert ServiceRequest.objects.get().decision_note == "fine"


def test_nobody_approves_their_own_request(anna: Groundwork, asked: str) -> None:
    answer = anna("approve", asked)

    assert answer.code == 1
    assert "never the person who asked" in answer.err
    assert "Fix:" in answer.err


def test_a_decision_on_what_has_changed_since_it_was_seen_is_refused(
    anna: Groundwork, bert: Groundwork, asked: str
) -> None:
    seen = str(bert("show", asked, "--json").json["version"])
    anna("cancel", asked)

    answer = bert("approve", asked, "--version", seen)

    assert answer.code == 1
    assert "has changed since you read it: it is cancelled now" in answer.err
    assert "Repeat the command if you still mean it" in answer.err


def test_a_second_decision_is_refused(bert: Groundwork, asked: str) -> None:
    bert("approve", asked)

    answer = bert("reject", asked, "--reason", "too late")

    assert answer.code == 1
    assert asked in answer.err


def test_a_rejection_needs_a_reason(bert: Groundwork, asked: str) -> None:
    assert bert("reject", asked).code == 1
    empty = bert("reject", asked, "--reason", " ")

    assert empty.code == 1
    assert "reason" in empty.err


def test_a_request_is_taken_back(anna: Groundwork, asked: str) -> None:
    assert anna("cancel", asked, "--json").json["state"] == "cancelled"
    assert anna("cancel", asked).code == 1


def test_a_failed_request_is_tried_again(anna: Groundwork, bert: Groundwork, asked: str) -> None:
    assert anna("retry", asked).code == 1
    bert("approve", asked)
    run_fails(asked, "no answer")

    answer = anna("retry", asked, "--json")

    assert (answer.json["state"], answer.json["attempt"]) == ("approved", 2)


def test_a_run_is_asked_to_stop(anna: Groundwork, bert: Groundwork, asked: str) -> None:
    assert anna("stop", asked).code == 1
    bert("approve", asked)
    run_starts(asked)

    assert "stopping" in anna("stop", asked).out


def test_whoami_shows_the_roles(anna: Groundwork) -> None:
    assert "requester" in anna("whoami").out
    assert anna("whoami", "--json").json["username"] == "anna"


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda row: setattr(row, "expires_at", row.created_at - timedelta(days=1)), "has expired"),
        (lambda row: setattr(row, "revoked_at", row.created_at), "was revoked"),
        (lambda row: setattr(row, "digest", "0" * 64), "is not known"),
    ],
)
def test_a_token_that_is_not_valid_is_refused_with_the_reason(
    live_server: Any,
    people: People,
    groundwork: Groundwork,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[Any], None],
    why: str,
) -> None:
    row, plain = tokens.issue(people.anna, "tests")
    spoil(row)
    row.save()
    monkeypatch.setenv("GROUNDWORK_URL", live_server.url)
    monkeypatch.setenv("GROUNDWORK_TOKEN", plain)

    answer = groundwork("whoami")

    assert answer.code == 1
    assert why in answer.err
    assert "create_token" in answer.err


def test_a_command_that_does_not_exist_is_refused_and_help_is_not(groundwork: Groundwork) -> None:
    wrong = groundwork("aprove")

    assert wrong.code == 1
    assert "Did you mean 'approve'" in wrong.err
    assert groundwork("--help").code == 0


def test_ctrl_c_ends_a_wait_without_a_traceback(live_server: Any, people: People, asked: str) -> None:
    _, plain = tokens.issue(people.anna, "tests")
    variables = {**os.environ, "GROUNDWORK_URL": live_server.url, "GROUNDWORK_TOKEN": plain}
    command = [sys.executable, "-u", "-m", "cli", "wait", asked]
    with subprocess.Popen(
        command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout
        assert child.stderr
        assert "is submitted" in child.stdout.readline()
        child.send_signal(signal.SIGINT)
        code, errors = child.wait(30), child.stderr.read()

    assert code == 130
    assert "Traceback" not in errors
