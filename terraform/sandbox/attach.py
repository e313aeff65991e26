"""Start the sandbox provider for one Terraform run, without importing it."""

import contextlib
import dataclasses
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).resolve().parents[2]
SECONDS_TO_END: Final = 5.0


class SandboxFailed(Exception):
    """The sandbox provider did not start; says what it printed."""


@dataclasses.dataclass(frozen=True)
class Attachment:
    """`environment` goes to Terraform. So must `keep_alive`, a file descriptor: the provider lives as long as
    anybody holds it, which lets Terraform end in order when whoever started it was killed."""

    environment: Mapping[str, str]
    keep_alive: int
    pid: int


@contextlib.contextmanager
def attached(
    store: Path | str,
    *,
    faults: str = "",
    time_scale: float = 0.0,
    lax: bool = False,
    groups: Sequence[tuple[str, str]] = (),
    schema: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Attachment]:
    """Terraform attaches to the provider by the yielded environment. See `serve` for the options."""
    # Paths of sockets are limited to about 100 characters, so not in the run's own directory.
    with (
        tempfile.TemporaryDirectory(prefix="sbx-", ignore_cleanup_errors=True) as folder,
        tempfile.TemporaryFile("w+") as errors,
    ):
        command = [sys.executable, "-m", "terraform.sandbox"]
        command += ["--schema", str(schema)] if schema else []
        command += ["serve", "--store", str(Path(store).absolute()), "--socket", f"{folder}/s"]
        command += ["--time-scale", str(time_scale), "--faults", faults]
        command += ["--lax"] if lax else []
        for name, location in groups:
            command += ["--group", name, location]
        process = subprocess.Popen(
            command,
            cwd=PROJECT,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        with _ended(process):
            assert process.stdin is not None
            assert process.stdout is not None
            line = process.stdout.readline().strip()
            if not line:
                process.wait()
                errors.seek(0)
                raise SandboxFailed(f"the sandbox provider did not start: {errors.read()[-2000:].strip()}")
            yield Attachment({"TF_REATTACH_PROVIDERS": line}, process.stdin.fileno(), process.pid)


@contextlib.contextmanager
def _ended(process: "subprocess.Popen[str]") -> Iterator[None]:
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield
    finally:
        process.stdin.close()  # the provider ends when its standard input ends
        try:
            process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
