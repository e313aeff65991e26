"""Terraform as a child process, one per command, whichever engine it is."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

from consumer.worker.events import parse
from consumer.worker.stop import Reason, Stop
from terraform.engine import engine, environment

HERE: Final = Path(__file__).resolve().parent
POLL_SECONDS: Final = 0.05
GRACE_SECONDS: Final = 300.0  # from SIGINT to SIGKILL; a killed Terraform leaves its lock behind

OnEvent = Callable[[dict[str, Any]], None]


@dataclasses.dataclass
class Result:
    code: int
    output: str
    errors: str
    diagnostics: list[dict[str, Any]]  # those that are errors


def engine_version(name: str) -> tuple[str, str]:
    """("Terraform", "1.15.5"); the version is empty when the engine does not say."""
    command = [*engine(name), "version"]
    try:
        answer = subprocess.run(
            command,
            env=environment({}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return name, ""
    product, _, version = answer.stdout.partition("\n")[0].partition(" v")
    return product, version


class Terraform:
    def __init__(
        self,
        name: str,
        directory: Path,
        extra: Mapping[str, str],
        stop: Stop,
        *,
        keep_alive: int | None = None,
        deadline_seconds: float = 3600.0,
    ):
        """`keep_alive`: a file descriptor that Terraform holds open for the sandbox provider's sake; None
        with the real provider. The deadline is for all commands together."""
        self._command = [sys.executable, "-I", str(HERE / "launch.py"), str(os.getpid()), *engine(name)]
        self._directory, self._stop = directory, stop
        self._environment = environment(extra, real_provider=keep_alive is None)
        self._inherited = () if keep_alive is None else (keep_alive,)
        self._deadline = time.monotonic() + deadline_seconds

    def run(self, *arguments: str, on_event: OnEvent | None = None) -> Result:
        """Run one command and wait. With `on_event` (and -json among the arguments) a stop interrupts it.

        Call it from the main thread: the kernel ends Terraform when the *thread* that started it is gone.
        """
        # Files, not pipes: a worker that is killed must not take Terraform's output away.
        out, err = (self._directory / f"terraform.{suffix}" for suffix in ("out", "err"))
        try:
            with out.open("w") as stdout, err.open("w") as stderr, out.open("rb") as reader:
                process = subprocess.Popen(
                    [*self._command, f"-chdir={self._directory}", *arguments],
                    env=self._environment,
                    stdin=subprocess.DEVNULL,
                    stdout=stdout,
                    stderr=stderr,
                    pass_fds=self._inherited,
                )
                tail = _Tail(reader, on_event)
                self._wait(process, tail, interruptible=on_event is not None)
            return Result(process.returncode, _text(out), _text(err), tail.diagnostics)
        finally:
            out.unlink(missing_ok=True)  # the output of `show` has secrets in it
            err.unlink(missing_ok=True)

    def _wait(self, process: "subprocess.Popen[bytes]", tail: "_Tail", *, interruptible: bool) -> None:
        interrupted_at = 0.0
        while True:
            ended = process.poll() is not None
            tail.read()
            if ended:
                return
            now = time.monotonic()
            if now > self._deadline:
                self._stop.request(Reason.DEADLINE)
            # Before its first words Terraform does not listen yet and the signal would be lost.
            if interruptible and self._stop.requested and tail.has_begun and not interrupted_at:
                process.send_signal(signal.SIGINT)  # once: the second one would make it drop its calls
                interrupted_at = now
            if interrupted_at and now - interrupted_at > GRACE_SECONDS:
                process.kill()
            time.sleep(POLL_SECONDS)


class _Tail:
    """Follows the output file and hands over whole lines."""

    def __init__(self, reader: BinaryIO, on_event: OnEvent | None):
        self._reader, self._on_event = reader, on_event
        self._rest = b""
        self.has_begun = False
        self.diagnostics: list[dict[str, Any]] = []

    def read(self) -> None:
        if self._on_event is None:
            return
        data = self._rest + self._reader.read()
        self.has_begun = self.has_begun or bool(data)
        *whole, self._rest = data.split(b"\n")
        for line in whole:
            if not line.strip():
                continue
            event = parse(line.decode(errors="replace"))
            if event.get("type") == "diagnostic" and event["diagnostic"].get("severity") == "error":
                self.diagnostics.append(event["diagnostic"])
            self._on_event(event)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def state_environment(address: str, lock: str, unlock: str, *, key: str, token: str) -> dict[str, str]:
    """For the http backend; never in a file or an argument. It outlives some minutes without the portal."""
    return {
        "TF_HTTP_ADDRESS": address,
        "TF_HTTP_LOCK_ADDRESS": lock,
        "TF_HTTP_UNLOCK_ADDRESS": unlock,
        "TF_HTTP_USERNAME": key,
        "TF_HTTP_PASSWORD": token,
        "TF_HTTP_RETRY_MAX": "30",
        "TF_HTTP_RETRY_WAIT_MIN": "1",
        "TF_HTTP_RETRY_WAIT_MAX": "10",
    }


def read_json(result: Result) -> dict[str, Any]:
    """The document that `show -json` printed."""
    document: dict[str, Any] = json.loads(result.output)
    return document
