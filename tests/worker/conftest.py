import contextlib
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from consumer.worker.claim import digest
from tests.worker.peer import TOKEN, Peer, PeerRun, State
from tests.worker.processes import Process, group

PROJECT = Path(__file__).resolve().parents[2]
MODULES = PROJECT / "terraform" / "modules"
GUID = "11111111-1111-1111-1111-111111111111"
GROUP = "rg-retail-dev-001"
COMMON = {"name": "shop", "environment": "dev", "location": "northeurope", "tags": {"owner": "anna"}}
VALUES: dict[str, dict[str, Any]] = {
    "resource-group": {"budget": {"amount": 100, "start_date": "2026-12-01T00:00:00Z"}},
    "storage-account": {"resource_group_name": GROUP, "containers": ["invoices"]},
    "postgresql": {
        "resource_group_name": GROUP,
        "entra_admin": {"tenant_id": GUID, "object_id": GUID, "name": "dba"},
        "databases": ["orders"],
    },
}


class Worker:
    """The real worker as a process, and what it may be asked from outside."""

    def __init__(self, world: "World", process: "subprocess.Popen[str]", run: PeerRun, directory: Path):
        self.world, self.process, self.run, self.directory = world, process, run, directory

    @property
    def state(self) -> State:
        return self.world.peer.states[self.run.deployment]

    def wait(self, seconds: float = 60) -> int:
        return self.process.wait(seconds)

    def until(self, happened: Callable[[], object], seconds: float = 40) -> None:
        """Wait for something; fail with the worker's log when it does not come."""
        end = time.monotonic() + seconds
        while not happened():
            assert time.monotonic() < end, "\n".join([*self.run.log, self.log])
            time.sleep(0.05)

    def until_logged(self, text: str) -> None:
        """Wait for a line that the portal hears while the worker works."""
        self.until(lambda: self.process.poll() is not None or any(text in line for line in self.run.log))
        assert self.process.poll() is None, "\n".join([*self.run.log, self.log])

    @property
    def finish(self) -> dict[str, Any]:
        assert self.run.finish is not None, "\n".join([*self.run.log, self.log])
        return self.run.finish

    @property
    def log(self) -> str:
        return (self.directory / "worker.log").read_text()

    @property
    def processes(self) -> list[Process]:
        """The worker and everything that it started, as long as they live."""
        return group(self.process.pid)

    def child(self, word: str) -> Process:
        """The one process that has this word in its command."""
        (found,) = (p for p in self.processes if any(word in argument for argument in p.arguments))
        return found


class World:
    """A portal, a pretend Azure, and workers that are started in them."""

    def __init__(self, peer: Peer, folder: Path):
        self.peer, self.folder = peer, folder
        self.store = folder / "azure.json"
        self._numbers = itertools.count(1)
        self._workers: list[Worker] = []

    def request(self, item: str = "storage-account", deployment: str = "shop", **claim: Any) -> str:
        """Make a run to be claimed; returns its key. `values` are added to the item's usual ones."""
        key = f"{next(self._numbers)}-a1"
        answer = {
            "key": key,
            "request": f"REQ-{key.partition('-')[0]}",
            "kind": "create",
            "item": item,
            "version": "1.0.0",
            "files": {path.name: path.read_text() for path in sorted((MODULES / item).glob("*.tf"))},
            "sensitive": [],
            "outputs": ["id", "name"],
            "allow_replace": False,
            "state": self.peer.state_address(deployment),
            "base_groups": [{"name": GROUP, "location": "northeurope"}],
            "heartbeat_seconds": 0.5,
            "deadline_seconds": 120,
            **claim,
            "values": {**COMMON, **VALUES.get(item, {}), **claim.get("values", {})},
        }
        answer.setdefault("digest", digest(answer["files"]))
        self.peer.runs[key] = PeerRun(answer, deployment)
        return key

    def start(
        self, key: str, *, token: str = TOKEN, environment: dict[str, str] | None = None, **settings: Any
    ) -> Worker:
        """Start the worker as a runner does: a session of its own, an environment built from nothing.

        `settings` without their prefix: patience=5 is GROUNDWORK_PATIENCE=5.
        """
        directory = self.folder / f"run-{len(self._workers) + 1}"
        directory.mkdir(mode=0o700)
        with (directory / "worker.log").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "consumer.worker"],
                cwd=PROJECT,
                env={**self._environment(key, directory, settings), **(environment or {})},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        assert process.stdin is not None
        with process.stdin as stdin:
            stdin.write(f"{token}\n")
        worker = Worker(self, process, self.peer.runs[key], directory)
        self._workers.append(worker)
        return worker

    def _environment(self, key: str, directory: Path, settings: dict[str, Any]) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "LANG": "C.UTF-8",
            "TMPDIR": str(self.folder),
            "GROUNDWORK_URL": self.peer.url,
            "GROUNDWORK_RUN_KEY": key,
            "GROUNDWORK_RUN_DIRECTORY": str(directory),
            "GROUNDWORK_TERRAFORM": "embedded",
            "GROUNDWORK_SANDBOX_STORE": str(self.store),
            "GROUNDWORK_PATIENCE": "30",
            **{f"GROUNDWORK_{name.upper()}": str(value) for name, value in settings.items()},
        }

    def run(self, key: str, **settings: Any) -> Worker:
        """Start a worker and wait for its end."""
        worker = self.start(key, **settings)
        worker.wait()
        return worker

    @property
    def resources(self) -> list[str]:
        """Types of what exists in the pretend Azure, sorted, without the base group."""
        if not self.store.exists():
            return []
        resources = json.loads(self.store.read_text())["resources"]
        return sorted(r["type"] for key, r in resources.items() if not key.endswith(f"/{GROUP}"))

    def end(self) -> None:
        for worker in self._workers:
            if worker.process.poll() is None:
                worker.process.terminate()
        for worker in self._workers:
            worker.wait()
            worker.until(lambda left=worker: not left.processes)


@contextlib.contextmanager
def new_world(folder: Path) -> Iterator[World]:
    with Peer() as peer:
        world = World(peer, folder)
        yield world
        world.end()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with new_world(tmp_path) as world:
        yield world


@pytest.fixture(scope="session")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Worker]]:
    """For each item a run that has created it, all in one world. Tests only look at them."""
    with new_world(tmp_path_factory.mktemp("applied")) as world:
        yield {item: world.run(world.request(item, deployment=item)) for item in VALUES}


@pytest.fixture(scope="session")
def planned_again(applied: dict[str, Worker]) -> dict[str, Worker]:
    """For each item an update with the same values, after its creation."""
    return {
        item: worker.world.run(worker.world.request(item, deployment=item, kind="update"))
        for item, worker in applied.items()
    }


@pytest.fixture(scope="session")
def pair() -> dict[str, str]:
    """A module of two resources: a group that is made fast, and in it an account that is made slowly."""
    return {path.name: path.read_text() for path in Path(__file__).with_name("pair").iterdir()}
