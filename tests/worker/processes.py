"""What runs on this machine, as /proc tells it."""

import dataclasses
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Process:
    pid: int
    arguments: list[str]
    environment: dict[str, str]


def group(number: int) -> list[Process]:
    """The processes of a process group that have not ended."""
    found = [_read(path) for path in Path("/proc").iterdir() if path.name.isdigit() and _is_in(path, number)]
    return [process for process in found if process]


def _is_in(path: Path, number: int) -> bool:
    try:
        state, _, process_group, *_ = (path / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return int(process_group) == number and state not in "ZX"


def _read(path: Path) -> Process | None:
    try:
        arguments = (path / "cmdline").read_bytes().decode().split("\0")
        variables = (path / "environ").read_bytes().decode().split("\0")
    except OSError:
        return None
    environment = dict(variable.split("=", 1) for variable in variables if "=" in variable)
    return Process(int(path.name), arguments, environment)
