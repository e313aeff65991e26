"""`manage.py run`, started and stopped as people do it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from portal.env import ROOT
from portal.processes import Supervisor, answers, environment, free_port, running
from tests.journey.support import SETTINGS, RunningPortal, manage, own_database, prepare, wait_until

STATE_OF = "from requests_app.models import ServiceRequest; print(ServiceRequest.objects.get(pk={}).state)"


@dataclass
class Run:
    """`manage.py run` as a child of the test."""

    child: "subprocess.Popen[str]"
    portal: RunningPortal

    def pid(self, process: str) -> int:
        commands = {"web": "gunicorn", "tasks": "qcluster", "consumer": "consume"}
        found = running(self.portal.folder)
        return min(pid for pid, command in found.items() if commands[process] in command)

    def end(self) -> str:
        """What it printed."""
        output, _ = self.child.communicate(timeout=90)
        return output


@pytest.fixture
def start(tmp_path: Path, running_portal: RunningPortal) -> Iterator[Callable[[], Run]]:
    folder = tmp_path / "data"
    # Collecting the static files takes seconds, and they are the same.
    shutil.copytree(running_portal.folder / "staticfiles", folder / "staticfiles")
    with own_database() as database:
        variables = environment(data_dir=folder, port=free_port(), **SETTINGS, **database)
        prepare(variables)
        with started(folder, variables) as run:
            yield lambda: ready(run)


@contextmanager
def started(folder: Path, variables: dict[str, str]) -> Iterator[Run]:
    command = [sys.executable, "manage.py", "run", "--port", variables["PORT"]]
    with subprocess.Popen(
        command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as child:
        try:
            yield Run(child, RunningPortal(Supervisor(variables, sys.stdout), folder))
        finally:
            child.kill()


def ready(run: Run) -> Run:
    wait_until(lambda: answers(f"{run.portal.url}/healthz/ready/"), 60)
    return run


def test_ctrl_c_lets_runs_end_and_leaves_no_process(start: Callable[[], Run]) -> None:
    run = start()
    request = run.portal.ask_for_a_server()
    run.portal.wait_for_phase(request, "apply")

    run.child.send_signal(signal.SIGINT)
    output = run.end()

    assert run.child.returncode == 0, output
    assert running(run.portal.folder) == {}
    assert "Traceback" not in output
    state = manage(run.portal.environment, "shell", "-v0", "-c", STATE_OF.format(request["id"]))
    assert state in ("cancelled", "failed", "succeeded")


def test_a_process_that_dies_stops_the_rest_and_is_named(start: Callable[[], Run]) -> None:
    run = start()

    os.kill(run.pid("tasks"), signal.SIGKILL)
    output = run.end()

    assert run.child.returncode == 1, output
    assert "the process “tasks” was killed by SIGKILL" in output
    assert running(run.portal.folder) == {}


def test_a_port_in_use_is_said_before_anything_is_started(
    running_portal: RunningPortal, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        variables = {**running_portal.environment, "GROUNDWORK_DATA_DIR": str(tmp_path / "data")}
        done = subprocess.run(
            [sys.executable, "manage.py", "run", "--port", port],
            cwd=ROOT,
            env=variables,
            capture_output=True,
            text=True,
        )

    assert done.returncode == 1
    assert f"Port {port} is in use" in done.stderr
    assert "Traceback" not in done.stderr


def test_one_folder_has_one_portal(running_portal: RunningPortal) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "run", "--port", str(free_port())],
        cwd=ROOT,
        env=running_portal.environment,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 1
    assert "is running already" in done.stderr
