"""
Runs as child processes of this machine.

Each run has a folder, a session of its own and an environment built from nothing. It outlives whoever started it, and
is found again through its folder: by the process group, with boot and start time against a pid that was used again.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from portal.errors import OutsideError, Unavailable
from portal.ports import Liveness, Run

IDENTITY = "worker.json"  # written by the worker itself
SETTLE_SECONDS = 10.0  # until a worker has written it

# Started by this process; kept so that those that have ended are collected.
CHILDREN: list[subprocess.Popen[bytes]] = []


class LocalRunner:
    def __init__(
        self,
        folder: Path,
        project: Path,
        portal_url: str,
        terraform: str,
        sandbox_store: Path | str,
        sandbox_time_scale: float = 0.0,
        sandbox_faults: str = "",
        patience: float = 600,
    ) -> None:
        self._folder = Path(folder)
        self._project = project
        self._variables = {
            "GROUNDWORK_URL": portal_url,
            "GROUNDWORK_TERRAFORM": terraform,
            "GROUNDWORK_SANDBOX_STORE": str(sandbox_store),
            "GROUNDWORK_SANDBOX_TIME_SCALE": str(sandbox_time_scale),
            "GROUNDWORK_SANDBOX_FAULTS": str(sandbox_faults),
            "GROUNDWORK_PATIENCE": str(patience),
        }

    def dispatch(self, key: str, token: str) -> None:
        directory = self._folder / key
        try:
            if directory.exists():
                shutil.rmtree(directory)  # of a worker that has ended without a claim
            directory.mkdir(parents=True, mode=0o700)
            with (directory / "worker.log").open("ab") as log:
                child = subprocess.Popen(
                    [sys.executable, "-m", "consumer.worker"],
                    cwd=self._project,
                    env=self._environment(key, directory),
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
        except OSError as error:
            raise OutsideError(f"The worker of run {key} could not be started: {error}") from error
        CHILDREN.append(child)
        try:
            _tell(child, token)
        except OSError as error:
            raise Unavailable(f"The worker of run {key} ended at once: {error}") from error

    def find(self, key: str) -> Run | None:
        directory = self._folder / key
        if not directory.is_dir():
            return None
        _collect()
        return Run(key, Liveness.ALIVE if self._is_alive(directory) else Liveness.ENDED)

    def stop(self, key: str) -> None:
        """SIGTERM to the worker alone: it asks Terraform to end."""
        identity = _identity(self._folder / key)
        if identity and _is_same(identity):
            try:
                os.kill(identity["pid"], signal.SIGTERM)
            except ProcessLookupError:
                return

    def live_runs(self) -> list[str]:
        """Keys of the runs that have processes, for the supervisor."""
        if not self._folder.is_dir():
            return []
        return sorted(path.name for path in self._folder.iterdir() if path.is_dir() and self._is_alive(path))

    def _environment(self, key: str, directory: Path) -> dict[str, str]:
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(directory),
            "LANG": "C.UTF-8",
            "GROUNDWORK_RUN_KEY": key,
            "GROUNDWORK_RUN_DIRECTORY": str(directory),
            **self._variables,
        }

    @staticmethod
    def _is_alive(directory: Path) -> bool:
        identity = _identity(directory)
        if identity is None:
            return time.time() - directory.stat().st_mtime < SETTLE_SECONDS
        if identity["boot"] != _boot():
            return False
        leader = _stat(identity["pid"])
        if leader and leader["started"] != identity["started"]:
            return False  # the number belongs to another process now
        return any(True for _ in _members(identity["pgid"]))


def _collect() -> None:
    CHILDREN[:] = [child for child in CHILDREN if child.poll() is None]


def _tell(child: subprocess.Popen[bytes], token: str) -> None:
    assert child.stdin  # asked for above
    with child.stdin as stdin:
        stdin.write(token.encode() + b"\n")


def _identity(directory: Path) -> dict[str, Any] | None:
    try:
        identity: dict[str, Any] = json.loads((directory / IDENTITY).read_text())
    except (FileNotFoundError, ValueError):
        return None
    return identity


def _is_same(identity: dict[str, Any]) -> bool:
    stat = _stat(identity["pid"])
    return bool(stat and stat["started"] == identity["started"] and identity["boot"] == _boot())


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _members(group: int) -> Iterator[int]:
    """Processes of the group that have not ended."""
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            stat = _stat(int(path.name))
            if stat and stat["group"] == group and stat["state"] not in "ZX":
                yield int(path.name)


def _stat(pid: int) -> dict[str, Any] | None:
    """State, process group and start time (ticks since boot) of a process; see proc(5)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return {"state": fields[0], "group": int(fields[2]), "started": int(fields[19])}
