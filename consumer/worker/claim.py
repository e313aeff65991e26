"""The answer to a claim: everything one run needs."""

import dataclasses
import hashlib
from collections.abc import Mapping
from typing import Any


class RunFailed(Exception):
    """The run cannot go on; the message is what people read as its error."""


@dataclasses.dataclass(frozen=True)
class StateAddress:
    """Where Terraform keeps the state of this deployment."""

    address: str
    lock_address: str
    unlock_address: str


@dataclasses.dataclass(frozen=True)
class Claim:
    key: str
    kind: str  # create, update or destroy
    item: str
    version: str
    digest: str
    files: Mapping[str, str]  # relative path: text
    values: Mapping[str, Any]  # all variables of the module
    sensitive: frozenset[str]  # names among the values
    outputs: tuple[str, ...]  # names to report
    allow_replace: bool
    state: StateAddress
    base_groups: tuple[tuple[str, str], ...]  # name, location; exist before the run (sandbox only)
    heartbeat_seconds: float
    deadline_seconds: float

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> "Claim":
        """Raise RunFailed when something is missing or of a wrong kind."""
        try:
            return cls._read(answer)
        except (KeyError, TypeError, ValueError) as error:
            raise RunFailed(f"The answer to the claim cannot be used: {error!r}.") from error

    @classmethod
    def _read(cls, answer: Mapping[str, Any]) -> "Claim":
        return cls(
            key=answer["key"],
            kind=answer["kind"],
            item=answer["item"],
            version=answer["version"],
            digest=answer["digest"],
            files=answer["files"],
            values=answer["values"],
            sensitive=frozenset(answer["sensitive"]),
            outputs=tuple(answer["outputs"]),
            allow_replace=bool(answer["allow_replace"]),
            state=StateAddress(
                address=answer["state"]["address"],
                lock_address=answer["state"]["lock_address"],
                unlock_address=answer["state"]["unlock_address"],
            ),
            base_groups=tuple((group["name"], group["location"]) for group in answer["base_groups"]),
            heartbeat_seconds=float(answer["heartbeat_seconds"]),
            deadline_seconds=float(answer["deadline_seconds"]),
        )

    def verify(self) -> None:
        """Raise RunFailed unless the files are the ones that were approved."""
        if digest(self.files) != self.digest:
            raise RunFailed(f"The files of {self.item} {self.version} are not the ones that were approved.")


def digest(files: Mapping[str, str]) -> str:
    """SHA-256 over path, NUL, text, NUL of every file in the order of the paths; the catalog's own rule."""
    total = hashlib.sha256()
    for path in sorted(files):
        total.update(path.encode() + b"\0" + files[path].encode() + b"\0")
    return total.hexdigest()
