"""A portal of real processes on a free port, with its own data, for tests that come in over HTTP."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
import requests
from psycopg import sql

from portal.env import ROOT, env
from portal.processes import Supervisor, environment, free_port, running

PASSWORD = "a-long-password-for-journeys"
# Short deadlines, and a cloud in which a PostgreSQL server takes some seconds.
SETTINGS = {
    "GROUNDWORK_SILENT_AFTER": "4",
    "GROUNDWORK_CLAIM_WITHIN": "20",
    "GROUNDWORK_DELIVERY_LOCK": "5",
    "GROUNDWORK_SANDBOX_TIME_SCALE": "0.012",
}
SUBNET = (
    "/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/rg-network/providers/Microsoft.Network"
    "/virtualNetworks/vnet-hub/subnets/endpoints"
)
OVER = {"succeeded", "failed", "rejected", "cancelled", "expired"}
numbers = itertools.count(1)


@dataclass
class RunningPortal:
    supervisor: Supervisor
    folder: Path
    password: str = PASSWORD
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        return self.supervisor.environment

    @property
    def url(self) -> str:
        return self.environment["GROUNDWORK_PORTAL_URL"]

    def token(self, username: str) -> str:
        if username not in self.tokens:
            self.tokens[username] = manage(self.environment, "create_token", username, "--name", "journey")
        return self.tokens[username]

    def kill(self, process: str) -> None:
        """kill -9, with everything it has started but the runs."""
        self.supervisor.members[process].kill()

    def start(self, process: str) -> None:
        self.supervisor.start(process)
        self.supervisor.wait_until_ready(60)

    def call(self, who: str, path: str, body: dict[str, Any] | None = None) -> requests.Response:
        """GET, or POST when there is a body."""
        headers = {"Authorization": f"Bearer {self.token(who)}"}
        method = "GET" if body is None else "POST"
        return requests.request(method, f"{self.url}/api/v1/{path}", json=body, headers=headers, timeout=30)

    def get(self, who: str, path: str) -> Any:
        answer = self.call(who, path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ask(self, **body: Any) -> dict[str, Any]:
        """Anna asks, Bert approves."""
        answer = self.call("anna", "requests/", body)
        assert answer.status_code == 201, answer.text
        request = answer.json()
        answer = self.call("bert", f"requests/{request['id']}/approve/", {})
        assert answer.status_code == 200, answer.text
        return request

    def ask_for_a_server(self, **parameters: Any) -> dict[str, Any]:
        return self.ask(**a_server(f"shop{next(numbers)}", **parameters))

    def request(self, request: dict[str, Any]) -> dict[str, Any]:
        return self.get("anna", f"requests/{request['id']}/")

    def deployment(self, request: dict[str, Any]) -> dict[str, Any]:
        return self.get("anna", f"deployments/{request['deployment']}/")

    def wait_for_phase(self, request: dict[str, Any], phase: str) -> None:
        wait_until(lambda: self.request(request)["phase"] == phase, 60)

    def wait_for_end(self, request: dict[str, Any], seconds: float = 60) -> dict[str, Any]:
        wait_until(lambda: self.request(request)["state"] in OVER, seconds)
        return self.request(request)

    def log(self, request: dict[str, Any]) -> list[str]:
        return [entry["text"] for entry in self.get("anna", f"requests/{request['id']}/entries/")["entries"]]

    def actions(self, request: dict[str, Any]) -> list[str]:
        return [event["action"] for event in self.get("anna", f"requests/{request['id']}/events/")["results"]]

    def kill_worker(self, request: dict[str, Any]) -> None:
        run_key = self.request(request)["run_key"]
        identity = json.loads((self.folder / "runs" / run_key / "worker.json").read_text())
        os.kill(identity["pid"], signal.SIGKILL)


@pytest.fixture(scope="session")
def running_portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPortal]:
    folder = tmp_path_factory.mktemp("portal")
    with own_database() as database, (folder / "processes.log").open("w") as log:
        variables = environment(data_dir=folder, port=free_port(), **SETTINGS, **database)
        prepare(variables)
        supervisor = Supervisor(variables, log)
        try:
            supervisor.start()
            supervisor.wait_until_ready(60)
            yield RunningPortal(supervisor, folder)
        finally:
            supervisor.stop()
        assert running(folder) == {}


def prepare(variables: dict[str, str]) -> None:
    manage(variables, "prepare")
    manage(variables, "seed_demo", "--password-stdin", told=PASSWORD)


def a_server(name: str, **parameters: Any) -> dict[str, Any]:
    """The body of a request that somebody has to approve."""
    given = {"sku": "B_Standard_B2s", "private_endpoint": {"subnet_id": SUBNET}, **parameters}
    where = {"business_unit": "payments", "environment": "staging", "region": "northeurope"}
    return {"kind": "create", "item": "postgresql", "name": name, "parameters": given, **where}


def manage(variables: dict[str, str], *arguments: str, told: str = "") -> str:
    """What a management command prints."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=variables,
        input=told,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"it did not happen within {seconds} seconds"
        time.sleep(0.1)


@contextmanager
def own_database() -> Iterator[dict[str, str]]:
    """Settings for a portal of its own. SQLite needs none: it lives in the data folder."""
    if not env.DATABASE_URL:
        yield {}
        return
    parts = urlsplit(env.DATABASE_URL)
    name = f"{parts.path.lstrip('/')}_journey_{os.getpid()}_{next(numbers)}"
    server = parts._replace(path="/postgres").geturl()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield {"GROUNDWORK_DATABASE_URL": parts._replace(path=f"/{name}").geturl()}
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
