"""How a command can end other than well. Each error knows its exit code."""

from collections.abc import Mapping
from typing import Any, ClassVar


class CliError(Exception):
    exit_code: ClassVar[int]

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        problems: Mapping[str, str] | None = None,
        verdict: Mapping[str, Any] | None = None,
        fix: str = "",
    ) -> None:
        super().__init__(message)
        self.code = code or type(self).__name__
        self.problems = dict(problems or {})
        self.verdict = verdict
        self.fix = fix

    def as_json(self) -> dict[str, Any]:
        """The same form as the API's errors, with what to do about it."""
        body = {"code": self.code, "message": str(self), "problems": self.problems, "fix": self.fix}
        return {**body, "verdict": self.verdict} if self.verdict else body


class Refused(CliError):
    """The answer is no; asking again changes nothing."""

    exit_code = 1


class NoAnswer(CliError):
    """There was no answer, or none in time; it may work later."""

    exit_code = 2
    wait: float = 0  # seconds, where the portal says how long


class RunFailed(CliError):
    """The request was accepted, and its run failed."""

    exit_code = 3
