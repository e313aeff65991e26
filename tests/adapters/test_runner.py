"""What every runner promises, whatever is behind it; and how the local one keeps its processes."""

import json
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from portal.adapters.embedded.runner import LocalRunner
from portal.env import ROOT
from portal.ports import Liveness

TOKEN = "a-token-that-nobody-may-see"


@pytest.fixture
def closed_port() -> Iterator[int]:
    """Nobody listens here, so a worker asks again and again."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        yield reserved.getsockname()[1]


@pytest.fixture
def make_runner(tmp_path: Path, closed_port: int) -> Iterator[Callable[[], LocalRunner]]:
    made: list[LocalRunner] = []

    def make() -> LocalRunner:
        runner = LocalRunner(
            folder=tmp_path / "runs",
            project=ROOT,
            portal_url=f"http://127.0.0.1:{closed_port}",
            terraform="embedded",
            sandbox_store="",
        )
        made.append(runner)
        return runner

    yield make
    for runner in made:
        for key in runner.live_runs():
            runner.stop(key)
            wait_for(lambda key=key, runner=runner: runner.find(key).liveness is Liveness.ENDED)


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "this did not happen"
        time.sleep(0.05)


def identity(tmp_path: Path, key: str) -> dict:
    path = tmp_path / "runs" / key / "worker.json"
    wait_for(path.exists)
    return json.loads(path.read_text())


def test_a_run_that_was_never_started_is_not_found(make_runner):
    assert make_runner().find("1-a1") is None


def test_a_started_run_is_found_alive_and_ends_when_it_is_told_to(make_runner, tmp_path):
    runner = make_runner()
    runner.dispatch("1-a1", TOKEN)
    identity(tmp_path, "1-a1")
    assert runner.find("1-a1").liveness is Liveness.ALIVE

    runner.stop("1-a1")

    wait_for(lambda: runner.find("1-a1").liveness is Liveness.ENDED)


def test_a_run_outlives_the_runner_that_started_it_and_is_found_again(make_runner, tmp_path):
    make_runner().dispatch("1-a1", TOKEN)
    identity(tmp_path, "1-a1")

    assert make_runner().find("1-a1").liveness is Liveness.ALIVE


def test_a_killed_worker_is_found_ended(make_runner, tmp_path):
    runner = make_runner()
    runner.dispatch("1-a1", TOKEN)

    os.kill(identity(tmp_path, "1-a1")["pid"], signal.SIGKILL)

    wait_for(lambda: runner.find("1-a1").liveness is Liveness.ENDED)


def test_a_worker_has_a_session_of_its_own(make_runner, tmp_path):
    make_runner().dispatch("1-a1", TOKEN)

    worker = identity(tmp_path, "1-a1")

    assert os.getsid(worker["pid"]) == worker["pid"] != os.getsid(0)


def test_a_worker_inherits_nothing_and_shows_its_token_to_nobody(make_runner, tmp_path, monkeypatch):
    monkeypatch.setenv("GROUNDWORK_SECRET_KEY", "k" * 50)
    make_runner().dispatch("1-a1", TOKEN)

    pid = identity(tmp_path, "1-a1")["pid"]

    process = Path(f"/proc/{pid}")
    environment = (process / "environ").read_bytes()
    assert b"SECRET_KEY" not in environment
    assert TOKEN.encode() not in environment + (process / "cmdline").read_bytes()
    names = {line.partition(b"=")[0].decode() for line in environment.split(b"\0") if line}
    assert {name for name in names if not name.startswith("GROUNDWORK_")} <= {
        "PATH",
        "HOME",
        "LANG",
        "LC_CTYPE",
    }


def test_a_pid_that_was_used_again_is_not_taken_for_the_worker(make_runner, tmp_path):
    folder = tmp_path / "runs" / "1-a1"
    folder.mkdir(parents=True)
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    somebody_else = {"pid": os.getpid(), "pgid": os.getpgrp(), "started": 1, "boot": boot}
    (folder / "worker.json").write_text(json.dumps(somebody_else))
    runner = make_runner()

    assert runner.find("1-a1").liveness is Liveness.ENDED
    runner.stop("1-a1")  # and this process lives on
