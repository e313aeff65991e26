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

PROJECT = Path(__file__).resolve().parents[2]
MODULES = PROJECT / "terraform" / "modules"
GUID = "11111111-1111-1111-1111-111111111111"
GROUP = "rg-retail-dev-001"
VALUES: dict[str, dict[str, Any]] = {
    "resource-group": {},
    "storage-account": {"resource_group_name": GROUP, "containers": ["invoices"]},
    "postgresql": {
        "resource_group_name": GROUP,
        "entra_admin": {"tenant_id": GUID, "object_id": GUID, "name": "dba"},
        "databases": ["orders"],
    },
}


class Worker:
    """The real worker as a process, and what it may be asked from outside."""

    def __init__(self, process: "subprocess.Popen[str]", run: PeerRun, directory: Path, state: State):
        self.process, self.run, self.directory, self.state = process, run, directory, state

    def wait(self, seconds: float = 60) -> int:
        return self.process.wait(seconds)

    def until(self, happened: Callable[[], object], seconds: float = 40) -> None:
        """Wait for something; fail with the worker's log when it does not come."""
        end = time.monotonic() + seconds
        while not happened():
            assert time.monotonic() < end, "\n".join(self.run.log)
            time.sleep(0.05)

    def until_logged(self, text: str) -> None:
        self.until(lambda: any(text in line for line in self.run.log))

    @property
    def finish(self) -> dict[str, Any]:
        assert self.run.finish is not None, "\n".join(self.run.log)
        return self.run.finish

    @property
    def identity(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.directory / "worker.json").read_text())
        return found


class World:
    """A portal, a pretend Azure, and workers that are started in them."""

    def __init__(self, peer: Peer, folder: Path):
        self.peer, self.folder = peer, folder
        self.store = folder / "azure.json"
        self._numbers = itertools.count(1)
        self._processes: list[subprocess.Popen[str]] = []

    def request(self, item: str = "storage-account", deployment: str = "shop", **claim: Any) -> str:
        """Make a run that a worker can claim; returns its key. `values` are added to the item's usual ones."""
        key = f"{next(self._numbers)}-a1"
        files = {path.name: path.read_text() for path in sorted((MODULES / item).glob("*.tf"))}
        common = {"name": "shop", "environment": "dev", "location": "northeurope", "tags": {"owner": "anna"}}
        answer = {
            "key": key,
            "request": f"REQ-{key.partition('-')[0]}",
            "kind": "create",
            "item": item,
            "version": "1.0.0",
            "files": files,
            "sensitive": [],
            "outputs": ["id", "name"],
            "allow_replace": False,
            "state": self.peer.state_address(deployment),
            "base_groups": [{"name": GROUP, "location": "northeurope"}],
            "heartbeat_seconds": 0.5,
            "deadline_seconds": 120,
            **claim,
            "values": {**common, **VALUES.get(item, {}), **claim.get("values", {})},
        }
        answer.setdefault("digest", digest(answer["files"]))
        self.peer.runs[key] = PeerRun(answer)
        return key

    def start(self, key: str, *, token: str = TOKEN, **settings: Any) -> Worker:
        """Start the worker as a runner does: in a session of its own, with an environment built from nothing."""
        directory = self.folder / f"run-{len(self._processes) + 1}"
        directory.mkdir(mode=0o700)
        environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        environment |= {
            "GROUNDWORK_URL": self.peer.url,
            "GROUNDWORK_RUN_KEY": key,
            "GROUNDWORK_RUN_DIRECTORY": str(directory),
            "GROUNDWORK_TERRAFORM": "embedded",
            "GROUNDWORK_SANDBOX_STORE": str(self.store),
            "GROUNDWORK_PATIENCE": "30",
        }
        environment |= {f"GROUNDWORK_{name.upper()}": str(value) for name, value in settings.items()}
        with (directory / "worker.log").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "consumer.worker"],
                cwd=PROJECT,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        self._processes.append(process)
        assert process.stdin is not None
        process.stdin.write(f"{token}\n")
        process.stdin.close()
        state = State()
        if key in self.peer.runs:
            address = self.peer.runs[key].answer["state"]["address"]
            state = self.peer.states[address.rpartition("/")[2]]
        return Worker(process, self.peer.runs.get(key, PeerRun({})), directory, state)

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
        for process in self._processes:
            if process.poll() is None:
                process.terminate()
                process.wait(30)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with Peer() as peer:
        world = World(peer, tmp_path)
        yield world
        world.end()
