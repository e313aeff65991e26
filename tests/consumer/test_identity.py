"""A job of GitHub Actions speaks for the run that was dispatched, and nobody else does."""

import base64
import io
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.cache import cache
from django.db import connection
from django.test import Client

from consumer.handler import handle
from consumer.worker.identity import first_token
from consumer.worker.settings import BadSettings
from portal import ports
from portal.env import ROOT
from portal.models import Event
from portal.ports import Liveness, Run
from tests.consumer.issuer import AUDIENCE, REPOSITORY_ID, REQUEST_SECRET, WORKFLOW, issuer
from tests.consumer.test_runs import REPORT

CLAIM = {"claimant": "claimant-one", "worker": {"host": "pod-1", "pid": 1}}
SIGN_OF_LIFE = {"phase": "plan", "entries": []}


class Actions:
    """A runner like GitHub's: it knows a run by its key, and gives it an id of its own."""

    ids: dict[str, str] = {}

    def dispatch(self, key: str, token: str) -> None:
        """The token stays here: inputs of a workflow are for all to read."""

    def find(self, key: str) -> Run | None:
        return Run(key, Liveness.ALIVE, id=self.ids[key]) if key in self.ids else None

    def stop(self, key: str) -> None: ...


@pytest.fixture
def github(settings):
    with issuer() as server:
        settings.GITHUB_ISSUER = server.url
        settings.GITHUB_REPOSITORY_ID, settings.GITHUB_WORKFLOW = REPOSITORY_ID, WORKFLOW
        settings.GITHUB_AUDIENCE = AUDIENCE
        settings.GITHUB_KEYS_EVERY = 60
        cache.clear()
        yield server


@pytest.fixture
def key(github, approved, settings, delivery) -> str:
    """Of a run that GitHub has started."""
    settings.PORTS = {**settings.PORTS, "runner": {"BACKEND": f"{__name__}.Actions"}}
    Actions.ids = {approved.run_key: github.run_id}
    handle(delivery)
    return approved.run_key


def call(key: str, name: str, token: str, body: Any) -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    return Client().post(f"/api/v1/runs/{key}/{name}", body, "application/json", headers=headers)


def state(key: str, password: str) -> Any:
    basic = base64.b64encode(f"{key}:{password}".encode()).decode()
    return Client().get(f"/api/v1/runs/{key}/state", headers={"Authorization": f"Basic {basic}"})


def test_the_job_that_was_dispatched_claims_and_gets_a_token_of_the_run(github, key):
    claimed = call(key, "claim", github.token(), CLAIM)
    token = claimed.json()["token"]

    assert claimed.status_code == 200
    assert claimed.json()["files"]["main.tf"]
    assert call(key, "entries", token, SIGN_OF_LIFE).json() == {"stop": False}
    assert state(key, token).status_code == 204  # there is none yet
    assert call(key, "finish", token, REPORT).status_code == 200
    document = ports.tracker().get_run(key)
    assert (document.run_id, document.finished) == (github.run_id, True)
    assert token not in str(document)
    assert github.fetches == 1


def test_another_job_of_the_same_run_may_finish_it_with_a_token_of_its_own(github, key, approved):
    """The worker's machine is gone; the last job of the workflow runs always, and tells."""
    call(key, "claim", github.token(), CLAIM)

    told = call(key, "finish", github.token(), {"outcome": "failed", "error": "The machine is gone."})

    assert told.status_code == 200
    approved.refresh_from_db()
    assert (approved.state, approved.failure) == ("failed", "The machine is gone.")


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("issuer", {"iss": "https://token.actions.elsewhere.example"}),
    ("audience", {"aud": "https://other.example"}),
    ("audience", {"aud": [AUDIENCE, "https://other.example"]}),
    ("audience", {"aud": "sts.amazonaws.com"}),
    ("expired", {"exp": int(time.time()) - 3600, "iat": int(time.time()) - 3900, "nbf": None}),
    ("early", {"nbf": int(time.time()) + 3600}),
    ("early", {"iat": int(time.time()) + 3600, "nbf": None}),
    ("repository", {"repository_id": "111"}),
    ("repository", {"repository_id": "111", "repository": "example/platform"}),
    ("workflow", {"job_workflow_ref": WORKFLOW.replace("main", "feature")}),
    ("workflow", {"job_workflow_ref": WORKFLOW.replace("provision", "evil")}),
    ("workflow", {"job_workflow_ref": WORKFLOW + "2"}),
    ("event", {"event_name": "pull_request"}),
    ("event", {"event_name": None}),
    ("run", {"run_id": "42"}),
    ("attempt", {"run_attempt": "2"}),
    ("malformed", {"run_attempt": "one"}),
    *(("malformed", {name: None}) for name in ("iss", "aud", "exp", "iat", "jti", "repository_id", "run_id")),
    ("malformed", {"run_attempt": None}),
    ("malformed", {"job_workflow_ref": None}),
]


def test_every_token_that_is_not_of_this_run_is_refused_with_its_reason(github, key, approved):
    for reason, changes in WRONG:
        refused = call(key, "claim", github.token(**changes), CLAIM)
        assert (refused.status_code, refused.json()["code"]) == (403, "TokenRefused"), changes
        assert refused.json()["reason"] == reason, changes
        assert refused.json()["message"]

    told = Event.objects.filter(
        action="run.refused", subject=approved.ref, business_unit=approved.business_unit
    )
    assert {event.data["reason"] for event in told} == {reason for reason, _ in WRONG}
    assert told.count() == len({reason for reason, _ in WRONG}), "each once, however often it is tried"
    assert ports.tracker().get_run(key).claimant == ""
    assert call(key, "claim", github.token(), CLAIM).status_code == 200


def test_tokens_that_nobody_signed_are_refused(github, key):
    good = github.token()
    header, claims, signature = good.split(".")
    other = github.claims(run_id=github.run_id)
    foreign = rsa.generate_private_key(65537, 2048)
    public = github.keys["key-1"].public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    forged = base64.urlsafe_b64encode(json.dumps(other).encode()).rstrip(b"=").decode()

    for reason, token in [
        ("signature", jwt.encode(other, foreign, "RS256", {"kid": "key-1"})),
        ("signature", f"{header}.{forged}.{signature}"),
        ("key", jwt.encode(other, foreign, "RS256", {"kid": "key-9"})),
        ("malformed", jwt.encode(other, foreign, "RS256")),
        ("malformed", jwt.encode(other, None, "none", {"kid": "key-1"})),
        ("malformed", _hs256(other, pem)),
        ("malformed", "a.b.c"),
        ("wrong", "not-three-parts"),
        ("missing", ""),
    ]:
        refused = call(key, "claim", token, CLAIM)
        assert (refused.status_code, refused.json()["reason"]) == (403, reason), token


def _hs256(claims: dict[str, Any], secret: bytes) -> str:
    """Signed with the public key as if it were a secret; the library itself refuses to do that."""
    jws = jwt.api_jws.PyJWS()
    jws.get_algorithm_by_name("HS256").prepare_key = lambda key: key  # type: ignore[method-assign]
    return jws.encode(json.dumps(claims).encode(), secret, "HS256", {"kid": "key-1"})


def test_a_token_is_good_for_one_call(github, key):
    token = github.token()
    call(key, "claim", token, CLAIM)

    for name, body in [
        ("claim", {**CLAIM, "claimant": "somebody-else"}),
        ("entries", SIGN_OF_LIFE),
        ("finish", REPORT),
    ]:
        assert call(key, name, token, body).json()["reason"] == "replayed"
    assert state(key, token).json()["reason"] == "wrong"


def test_a_claim_whose_answer_was_lost_may_be_repeated_until_the_worker_goes_on(github, key):
    token = github.token()
    first = call(key, "claim", token, CLAIM).json()["token"]
    second = call(key, "claim", token, CLAIM).json()["token"]

    assert call(key, "entries", first, SIGN_OF_LIFE).json()["reason"] == "wrong"
    assert call(key, "entries", second, SIGN_OF_LIFE).status_code == 200
    assert call(key, "claim", token, CLAIM).json()["reason"] == "replayed"


def test_a_second_job_cannot_claim_what_is_claimed(github, key):
    call(key, "claim", github.token(), CLAIM)

    refused = call(key, "claim", github.token(), {**CLAIM, "claimant": "somebody-else"})

    assert (refused.status_code, refused.json()["code"]) == (409, "WrongState")


def test_a_token_of_one_run_opens_no_other(github, key):
    for other in ("999-a1", f"{key.partition('-')[0]}-a2", "x" * 60):
        refused = call(other, "claim", github.token(), CLAIM)
        assert (refused.status_code, refused.json()["reason"]) == (403, "run")


def test_a_run_that_the_runner_does_not_know_yet_is_asked_for_again(github, key):
    Actions.ids = {}

    away = call(key, "claim", github.token(), CLAIM)

    assert (away.status_code, away.json()["code"]) == (503, "Unavailable")


def test_a_run_of_the_local_runner_is_not_for_github(github, delivery, approved, runner):
    handle(delivery)

    refused = call(approved.run_key, "claim", github.token(), CLAIM)
    own = call(approved.run_key, "claim", runner.tokens[approved.run_key], CLAIM)

    assert refused.json()["reason"] == "run"
    assert own.status_code == 200
    assert "token" not in own.json()


def test_without_a_repository_no_token_of_github_is_looked_at(github, key, settings):
    settings.GITHUB_REPOSITORY_ID = ""

    assert call(key, "claim", github.token(), CLAIM).json()["reason"] == "wrong"
    assert github.fetches == 0


# ── keys ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_key_is_fetched_once_and_used_at_once(github, key, settings):
    settings.GITHUB_KEYS_EVERY = 0.01
    cache.clear()
    call(key, "claim", github.token(), CLAIM)
    time.sleep(0.05)
    github.roll_over("key-2")

    assert call(key, "entries", github.token(), SIGN_OF_LIFE).status_code == 200
    assert call(key, "entries", github.token(kid="key-1"), SIGN_OF_LIFE).status_code == 200
    assert github.fetches == 2


def test_forged_keys_cause_no_flood(github, key):
    call(key, "claim", github.token(), CLAIM)
    fetched = github.fetches
    github.roll_over("of-another")
    tokens = [github.token() for _ in range(10)]
    del github.keys["of-another"]

    cache.delete(f"keys:{github.url}/.well-known/jwks:asked")  # a while later
    assert {call(key, "entries", token, SIGN_OF_LIFE).json()["reason"] for token in tokens} == {"key"}
    assert github.fetches == fetched + 1


def test_known_keys_are_used_on_when_github_does_not_answer(github, key):
    call(key, "claim", github.token(), CLAIM)
    github.status = 500
    known = f"keys:{github.url}/.well-known/jwks"
    cache.set(known, {**cache.get(known), "at": 0.0})
    cache.delete(f"{known}:asked")

    assert call(key, "entries", github.token(), SIGN_OF_LIFE).status_code == 200
    assert github.fetches == 2


def test_without_any_keys_nobody_can_say(github, key):
    github.status = 500

    away = call(key, "claim", github.token(), CLAIM)

    assert (away.status_code, away.json()["code"]) == (503, "Unavailable")


# ── several at once ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db(transaction=True)
def test_of_many_who_replay_a_captured_token_one_is_let_in(github, key):
    token = github.token()
    call(key, "claim", github.token(run_id="42"), CLAIM)  # the keys are known

    def claim(number: int) -> int:
        try:
            return call(key, "claim", token, {**CLAIM, "claimant": f"claimant-{number}"}).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        statuses = sorted(pool.map(claim, range(6)))

    assert statuses == [200, 403, 403, 403, 403, 403]


# ── the worker's side ───────────────────────────────────────────────────────────────────────────────────────


def test_the_worker_asks_github_for_a_token_for_this_portal(github, key):
    environment = {
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"{github.url}/token?api-version=2.0",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": REQUEST_SECRET,
    }
    token = first_token(environment, AUDIENCE, io.StringIO(""))

    assert call(key, "claim", token, CLAIM).status_code == 200


def test_without_an_audience_the_token_comes_on_standard_input():
    assert first_token({}, "", io.StringIO("one-time\n")) == "one-time"


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "id-token: write"),
        (
            {"ACTIONS_ID_TOKEN_REQUEST_URL": "{url}/token", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "wrong"},
            "KeyError",
        ),
        (
            {"ACTIONS_ID_TOKEN_REQUEST_URL": "http://127.0.0.1:9/", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "x"},
            "Error",
        ),
    ],
)
def test_a_job_that_gets_no_token_says_so_and_tells_no_secret(github, environment, words):
    environment = {name: value.replace("{url}", github.url) for name, value in environment.items()}
    with pytest.raises(BadSettings) as refused:
        first_token(environment, AUDIENCE, io.StringIO(""))

    assert words in str(refused.value)
    assert "127.0.0.1" not in str(refused.value)


@pytest.mark.django_db(transaction=True)
def test_a_whole_run_in_a_job_of_github(github, key, approved, live_server, settings, tmp_path):
    """The real worker with real Terraform: GitHub's token for the claim, the run's for the rest and for the state."""
    settings.PORTAL_URL = live_server.url
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "GROUNDWORK_URL": live_server.url,
        "GROUNDWORK_RUN_KEY": key,
        "GROUNDWORK_RUN_DIRECTORY": str(tmp_path),
        "GROUNDWORK_SANDBOX_STORE": str(tmp_path / "azure.json"),
        "GROUNDWORK_AUDIENCE": AUDIENCE,
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"{github.url}/token?api-version=2.0",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": REQUEST_SECRET,
    }
    ended = subprocess.run(
        [sys.executable, "-m", "consumer.worker"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
    )

    assert ended.returncode == 0, ended.stderr
    approved.refresh_from_db()
    assert (approved.state, approved.deployment.state) == ("succeeded", "ready")
    assert approved.deployment.state_versions.exists()
    assert len(ports.tracker().get_run(key).tokens) == 1
    assert REQUEST_SECRET not in ended.stderr
