"""Every environment variable the portal reads, with its type and its default for a laptop."""

import os
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

ROOT = Path(__file__).resolve().parent.parent


class Env(BaseModel):
    """Read once at start. With DEBUG off nothing may be left to a default (see `OPTIONAL`)."""

    model_config = ConfigDict(frozen=True)

    DEBUG: bool = True
    SECRET_KEY: str = Field(default="insecure-key-for-a-laptop-only-" + "x" * 32, min_length=32)
    ALLOWED_HOSTS: str = "localhost,127.0.0.1"
    CSRF_TRUSTED_ORIGINS: str = ""
    DATA_DIR: Path = ROOT / "var"
    # Empty: SQLite below DATA_DIR. Else postgresql://user:password@host:port/name.
    DATABASE_URL: str = ""
    # How workers on this machine reach the portal.
    PORTAL_URL: str = "http://127.0.0.1:8000"
    CURRENCY: Literal["EUR", "USD"] = "USD"
    LOG_LEVEL: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    # "embedded" needs nothing outside this machine, and provisions nothing in Azure.
    BACKENDS: Literal["embedded"] = "embedded"
    # Keys for Terraform states at rest: Fernet keys, newest first, comma separated. Empty: derived from SECRET_KEY.
    STATE_KEYS: str = ""
    # The engine of the local runner: embedded | terraform | tofu | a path.
    TERRAFORM: str = "embedded"
    # Part of Azure's typical creation time that the sandbox provider waits; 0 does not wait.
    SANDBOX_TIME_SCALE: float = Field(default=0.0, ge=0, le=1)
    # A JSON file of faults for the sandbox provider to inject (see terraform/sandbox).
    SANDBOX_FAULTS: str = ""

    # Seconds after which a sweep looks for a run that went silent.
    SILENT_AFTER: int = Field(default=60, ge=2)
    # Seconds that a dispatched run may take until its worker claims it.
    CLAIM_WITHIN: int = Field(default=120, ge=2)
    # Seconds after which a running request that is still alive is asked to stop.
    RUN_LIMIT: int = Field(default=6 * 3600, ge=10)
    # Seconds for which a delivery is hidden from other consumers.
    DELIVERY_LOCK: int = Field(default=60, ge=1)
    # Days until an undecided request expires.
    DECIDE_WITHIN_DAYS: int = Field(default=14, ge=1)

    @model_validator(mode="after")
    def production_leaves_nothing_out(self) -> Self:
        left_out = sorted(set(Env.model_fields) - self.model_fields_set - OPTIONAL)
        if left_out and not self.DEBUG:
            raise ValueError(f"DEBUG is off, so these must be set: {', '.join(left_out)}")
        return self


# Knobs whose default is right in production as well.
OPTIONAL = {
    "CSRF_TRUSTED_ORIGINS", "SANDBOX_TIME_SCALE", "SANDBOX_FAULTS", "SILENT_AFTER", "CLAIM_WITHIN",
    "RUN_LIMIT", "DELIVERY_LOCK", "DECIDE_WITHIN_DAYS", "LOG_LEVEL",
}  # fmt: skip

PREFIX = "GROUNDWORK_"


def read(environ: dict[str, str]) -> Env:
    """The variables that begin with GROUNDWORK_; an unknown one is a typing error and is refused."""
    given = {name.removeprefix(PREFIX): value for name, value in environ.items() if name.startswith(PREFIX)}
    unknown = sorted(set(given) - set(Env.model_fields) - FOR_OTHERS)
    if unknown:
        raise ValueError(f"unknown environment variables: {', '.join(PREFIX + name for name in unknown)}")
    return Env.model_validate({name: value for name, value in given.items() if name in Env.model_fields})


# Read by the CLI (cli/), not by the portal.
FOR_OTHERS = {"URL", "TOKEN"}

env = read(dict(os.environ))
