"""What is wrong with the files of the catalog: always a file, a line and a reason."""

from collections.abc import Iterable
from dataclasses import dataclass

from portal.errors import PortalError


@dataclass(frozen=True, order=True)
class Problem:
    file: str  # relative to the folder that was read
    line: int  # from 1
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}"


class CatalogProblems(PortalError):
    """The files of the catalog cannot be used as they are. Nothing was changed."""

    status = 400

    def __init__(self, found: Iterable[Problem]) -> None:
        self.found = sorted(set(found))
        super().__init__("\n".join(map(str, self.found)))
