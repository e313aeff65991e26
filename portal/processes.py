"""
The portal's processes on one machine: started from the Procfile, watched, and stopped in order.

`manage.py run`, `manage.py demo` and the journey tests share it.
"""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Final, TextIO

from honcho.environ import parse_procfile
from honcho.printer import Message, Printer

from portal.env import ROOT

# First nothing new is started, then what runs comes to its end, and whom it reports to goes last.
STOPPING_ORDER: Final = ("consumer", "tasks", "web")
COLOURS: Final = {"web": "32", "tasks": "36", "consumer": "35"}
SECONDS_TO_END: Final = 15.0
SECONDS_FOR_RUNS: Final = 30
PR_SET_PDEATHSIG: Final = 1
PRCTL: Final = getattr(ctypes.CDLL(None), "prctl", None)
# Tells a process of ours from any other; the value is the data folder.
MARK: Final = "PORTAL_PROCESS_OF"


class NotReady(Exception):
    """The portal did not come up; says why."""


@dataclass(frozen=True)
class Ended:
    """A process came to its end without having been asked to."""

    name: str
    code: int

    def __str__(self) -> str:
        how = (
            f"was killed by {signal.Signals(-self.code).name}" if self.code < 0 else f"ended with {self.code}"
        )
        return f"the process “{self.name}” {how}"


def _end_with_parent() -> None:
    """Have the kernel send SIGTERM when the supervisor dies, even if it was killed. Linux only."""
    if PRCTL:
        PRCTL(PR_SET_PDEATHSIG, signal.SIGTERM)


class Member:
    """One line of the Procfile, running in a session of its own."""

    def __init__(self, name: str, command: str, environment: Mapping[str, str]) -> None:
        self.name = name
        self.stopping = False
        self.child = subprocess.Popen(
            ["/bin/sh", "-c", command],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_end_with_parent,
        )
        self.relaying: threading.Thread | None = None

    @property
    def alive(self) -> bool:
        return self.child.poll() is None

    def relay(self, write: Callable[[str, bytes], None]) -> None:
        """Hand on each line it prints, from now on."""

        def loop(lines: IO[bytes]) -> None:
            with lines:
                for line in lines:
                    write(self.name, line)

        self.relaying = threading.Thread(target=loop, args=(self.child.stdout,), daemon=True)
        self.relaying.start()

    def terminate(self) -> None:
        self.stopping = True
        self.child.terminate()

    def kill(self) -> None:
        """It and what it started, except for runs: these have sessions of their own."""
        self.stopping = True
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait()
        if self.relaying:
            self.relaying.join(1)


class Supervisor:
    """Runs the processes of the Procfile. Their output goes to `output`, each line with the name in front."""

    def __init__(self, environment: Mapping[str, str], output: TextIO) -> None:
        self.environment = dict(environment)
        self.commands: dict[str, str] = parse_procfile((ROOT / "Procfile").read_text()).processes
        self.members: dict[str, Member] = {}
        self._printer = Printer(output, width=max(map(len, self.commands)))
        self._printing = threading.Lock()
        self._news: SimpleQueue[Ended | None] = SimpleQueue()
        self._times_asked = 0

    def start(self, *names: str) -> None:
        """Those named, or all."""
        for name in names or self.commands:
            member = self.members[name] = Member(name, self.commands[name], self.environment)
            member.relay(self.write)
            threading.Thread(target=self._watch, args=(member,), daemon=True).start()

    def ask_to_stop(self, *_: object) -> None:
        """For signal handlers: the first time stops in order, the second time at once."""
        self._times_asked += 1
        self._news.put(None)

    def wait(self) -> Ended | None:
        """Until somebody asks to stop (None), or a process ends by itself."""
        return self._news.get()

    def wait_until_ready(self, seconds: float) -> None:
        """Until the portal answers. Raise NotReady when a process ends or the time is over."""
        until = time.monotonic() + seconds
        while not answers(f"{self.environment['GROUNDWORK_PORTAL_URL']}/healthz/ready/"):
            for member in self.members.values():
                if not member.alive:
                    raise NotReady(f"{Ended(member.name, member.child.wait())} before the portal was ready")
            if self._hurried(1):
                return
            if time.monotonic() > until:
                raise NotReady(f"the portal was not ready after {seconds:.0f} seconds")
            time.sleep(0.1)

    def stop(self) -> None:
        """In order: no new runs, live runs end in a true state, then everybody else."""
        for name in STOPPING_ORDER:
            if name in self.members:
                self._stop(self.members[name])
            if name == "consumer":
                self._stop_runs()

    def write(self, name: str, line: str | bytes) -> None:
        with self._printing, contextlib.suppress(ValueError, BrokenPipeError):  # nobody reads it any more
            self._printer.write(Message("line", line, datetime.now(), name, COLOURS.get(name)))  # noqa: DTZ005

    def _watch(self, member: Member) -> None:
        code = member.child.wait()
        if not member.stopping:
            self._news.put(Ended(member.name, code))

    def _stop(self, member: Member) -> None:
        if member.alive:
            member.terminate()
            self._wait_for(lambda: not member.alive, SECONDS_TO_END)
        member.kill()

    def _stop_runs(self) -> None:
        """Only while the web answers: without it a run cannot report, and goes on until it is back."""
        web = self.members.get("web")
        if web is None or not web.alive or self._hurried(2):
            return
        command = [sys.executable, "manage.py", "stop_runs", "--wait", str(SECONDS_FOR_RUNS)]
        with subprocess.Popen(
            command,
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as stopper:
            self._wait_for(lambda: stopper.poll() is not None, SECONDS_FOR_RUNS + SECONDS_TO_END)
            stopper.kill()
            assert stopper.stdout is not None
            for line in stopper.stdout:
                self.write("runs", line)

    def _wait_for(self, done: Callable[[], bool], seconds: float) -> None:
        until = time.monotonic() + seconds
        while not done() and not self._hurried(2) and time.monotonic() < until:
            time.sleep(0.05)

    def _hurried(self, times: int) -> bool:
        return self._times_asked >= times


def environment(*, data_dir: Path, port: int, **more: str) -> dict[str, str]:
    """For the portal's processes: this one's, with the folder and the port."""
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PYTHONUNBUFFERED": "1",
        "PORT": str(port),
        "GROUNDWORK_DATA_DIR": str(data_dir),
        "GROUNDWORK_PORTAL_URL": f"http://127.0.0.1:{port}",
        MARK: str(data_dir),
        **more,
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def running(data_dir: Path) -> dict[int, str]:
    """Processes that belong to this data folder, runs and their Terraform included: {pid: command}."""
    found = {}
    for pid in _pids():
        with contextlib.suppress(OSError):  # ended meanwhile, or somebody else's
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
            variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            if pid != os.getpid() and _belongs(words, variables, str(data_dir).encode()):
                found[pid] = words.replace(b"\0", b" ").decode(errors="replace").strip()
    return found


def _pids() -> Iterator[int]:
    """Of all processes, where the system shows them in /proc."""
    with contextlib.suppress(FileNotFoundError):
        yield from (int(entry) for entry in os.listdir("/proc") if entry.isdigit())


def _belongs(words: bytes, variables: list[bytes], folder: bytes) -> bool:
    runs = folder + b"/runs/"
    return f"{MARK}=".encode() + folder in variables or any(runs in text for text in (words, *variables))
