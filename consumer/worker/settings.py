"""What the runner tells the worker in environment variables; the run token comes on standard input."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path


class BadSettings(Exception):
    """An environment variable is missing or wrong."""


@dataclasses.dataclass(frozen=True)
class Settings:
    url: str  # of the portal, without the path
    key: str  # of the run, for example 17-a1
    directory: Path  # of the run: exists, mode 0700
    terraform: str  # embedded, terraform, tofu or a path
    sandbox_store: str  # empty: the real provider
    sandbox_time_scale: float
    sandbox_faults: str
    patience: float  # seconds for which a portal that does not answer is asked again
    audience: str = ""  # set in GitHub Actions: whom the token of the job is for

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Settings":
        """Raise BadSettings naming the variable."""
        try:
            directory = Path(environment["GROUNDWORK_RUN_DIRECTORY"]).absolute()
            settings = cls(
                url=environment["GROUNDWORK_URL"].rstrip("/"),
                key=environment["GROUNDWORK_RUN_KEY"],
                directory=directory,
                terraform=environment.get("GROUNDWORK_TERRAFORM") or "embedded",
                sandbox_store=environment.get("GROUNDWORK_SANDBOX_STORE", ""),
                sandbox_time_scale=float(environment.get("GROUNDWORK_SANDBOX_TIME_SCALE") or 0),
                sandbox_faults=environment.get("GROUNDWORK_SANDBOX_FAULTS", ""),
                patience=float(environment.get("GROUNDWORK_PATIENCE") or 600),
                audience=environment.get("GROUNDWORK_AUDIENCE", ""),
            )
        except KeyError as error:
            raise BadSettings(f"{error.args[0]} is not set") from error
        except ValueError as error:
            raise BadSettings(f"a number is expected: {error}") from error
        if not directory.is_dir():
            raise BadSettings(f"GROUNDWORK_RUN_DIRECTORY is no directory: {directory}")
        return settings
