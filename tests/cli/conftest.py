"""The client as a person runs it: with arguments and an environment, against a portal that listens."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from cli.main import main
from portal.identity import tokens
from portal.identity.models import User
from tests.conftest import People

SUBMIT = ("submit", "postgresql", "--unit", "payments", "--env", "staging", "--region", "northeurope")
PRIVATE = (
    '{"subnet_id": "/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/rg-network/providers'
    '/Microsoft.Network/virtualNetworks/vnet-hub/subnets/endpoints"}'
)


@dataclass
class Answer:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Groundwork = Callable[..., Answer]


@pytest.fixture
def groundwork(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Groundwork:
    """Run a command. GROUNDWORK_URL and GROUNDWORK_TOKEN are what the test has set."""
    for name in ("GROUNDWORK_URL", "GROUNDWORK_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TZ", "UTC")

    def run(*arguments: str) -> Answer:
        code = main(arguments)
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        return Answer(code, captured.out, captured.err)

    return run


@pytest.fixture
def signed_in(
    live_server: Any, people: People, catalog: None, groundwork: Groundwork, monkeypatch: pytest.MonkeyPatch
) -> Callable[[User], Groundwork]:
    """The client with the token of somebody."""

    def as_somebody(user: User) -> Groundwork:
        _, plain = tokens.issue(user, "tests")

        def run(*arguments: str) -> Answer:
            monkeypatch.setenv("GROUNDWORK_URL", live_server.url)
            monkeypatch.setenv("GROUNDWORK_TOKEN", plain)
            return groundwork(*arguments)

        return run

    return as_somebody


@pytest.fixture
def anna(signed_in: Callable[[User], Groundwork], people: People) -> Groundwork:
    return signed_in(people.anna)


@pytest.fixture
def bert(signed_in: Callable[[User], Groundwork], people: People) -> Groundwork:
    return signed_in(people.bert)


@pytest.fixture
def asked(anna: Groundwork) -> str:
    """The reference of a request that waits for a decision."""
    answer = anna(*SUBMIT, "--name", "orders", "-p", f"private_endpoint={PRIVATE}", "--json")
    assert answer.code == 0, answer.out
    return str(answer.json["ref"])
