"""Every environment variable the portal reads, with its type and its default for a laptop."""

import os
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

ROOT = Path(__file__).resolve().parent.parent
GUID_OR_NOTHING = r"^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})?$"


def _time_zone(name: str) -> str:
    if name != "UTC" and name not in available_timezones():
        raise ValueError("this is no time zone, such as Europe/Helsinki")
    return name


class Env(BaseModel):
    """Read once at start. With DEBUG off nothing may be left to a default (see `OPTIONAL`)."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)  # values can be secrets

    DEBUG: bool = True
    SECRET_KEY: str = Field(default="insecure-key-for-a-laptop-only-" + "x" * 32, min_length=50)
    ALLOWED_HOSTS: str = "localhost,127.0.0.1"
    CSRF_TRUSTED_ORIGINS: str = ""
    DATA_DIR: Path = ROOT / "var"
    # Empty: SQLite below DATA_DIR. Else postgresql://user:password@host:port/name.
    DATABASE_URL: str = ""
    # How workers on this machine reach the portal.
    PORTAL_URL: str = "http://127.0.0.1:8000"
    # How many reverse proxies of ours stand in front: without them nobody is believed who says where a call comes from.
    TRUSTED_PROXIES: int = Field(default=0, ge=0, le=5)
    # Browsers keep all subdomains of this host to TLS as well.
    HSTS_SUBDOMAINS: bool = True
    CURRENCY: Literal["EUR", "USD"] = "USD"
    # Of the pages, and of rules about weekdays and hours: for example Europe/Helsinki.
    TIME_ZONE: Annotated[str, AfterValidator(_time_zone)] = "UTC"
    # Where `refresh_prices` reads the price list. Empty: the file that Groundwork ships. Else the address of Azure's
    # Retail Prices API, https://prices.azure.com/api/retail/prices, which needs no account.
    PRICES_URL: str = ""
    LOG_LEVEL: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    # Sign-in with Entra ID: on when there is a tenant (docs/identity.md). The ids are GUIDs.
    ENTRA_TENANT_ID: str = Field(default="", pattern=GUID_OR_NOTHING)
    ENTRA_CLIENT_ID: str = Field(default="", pattern=GUID_OR_NOTHING)
    # How the portal proves to Entra ID who it is: a secret, or a file with a token that Entra ID trusts (AKS makes it).
    ENTRA_CLIENT_SECRET: str = ""
    ENTRA_FEDERATED_TOKEN_FILE: str = ""
    # Other applications whose access tokens open the API: client ids, comma separated.
    ENTRA_CLIENTS: str = ""
    ENTRA_GUESTS: bool = False
    ENTRA_AUTHORITY: str = "https://login.microsoftonline.com"
    ENTRA_GRAPH_URL: str = "https://graph.microsoft.com"
    # Seconds after which the next page asks Entra ID again, and seconds after that in which all else still works.
    ENTRA_RENEW_AFTER: int = Field(default=900, ge=1)
    ENTRA_RENEW_GRACE: int = Field(default=900, ge=0)
    # Seconds between two fetches of Entra ID's signing keys that tokens with an unknown key can cause.
    ENTRA_KEYS_EVERY: int = Field(default=300, ge=1)

    # Keys for second factors and sessions at rest: as STATE_KEYS.
    ACCOUNT_KEYS: str = ""
    # On a laptop operators may do without a second factor unless this is set. Elsewhere they never may.
    SECOND_FACTOR: bool = False

    # "embedded" needs nothing outside this machine, and provisions nothing in Azure.
    BACKENDS: Literal["embedded"] = "embedded"
    # Keys for Terraform states and secrets of webhooks at rest: Fernet keys, newest first, comma separated.
    # Empty: derived from SECRET_KEY.
    STATE_KEYS: str = ""
    # The engine of the local runner: embedded | terraform | tofu | a path.
    TERRAFORM: str = "embedded"
    # Part of Azure's typical creation time that the sandbox provider waits; 0 does not wait.
    SANDBOX_TIME_SCALE: float = Field(default=0.0, ge=0, le=1)
    # A JSON file of faults for the sandbox provider to inject (see terraform/sandbox).
    SANDBOX_FAULTS: str = ""

    # Runs in GitHub Actions prove who they are with GitHub's own tokens (docs/runs.md), where there is a repository id.
    # The workflow is the job_workflow_ref of its tokens: owner/name/.github/workflows/provision.yml@refs/heads/main.
    GITHUB_REPOSITORY_ID: str = Field(default="", pattern=r"^[0-9]*$")
    GITHUB_WORKFLOW: str = ""
    GITHUB_AUDIENCE: str = ""
    GITHUB_ISSUER: str = "https://token.actions.githubusercontent.com"
    # Seconds between two fetches of GitHub's signing keys that tokens with an unknown key can cause.
    GITHUB_KEYS_EVERY: int = Field(default=10, ge=1)

    # Seconds after which a sweep looks for a run that went silent.
    SILENT_AFTER: int = Field(default=60, ge=2)
    # Seconds that a dispatched run may take until its worker claims it.
    CLAIM_WITHIN: int = Field(default=120, ge=2)
    # Seconds after which a running request that is still alive is asked to stop.
    RUN_LIMIT: int = Field(default=6 * 3600, ge=10)
    # Seconds for which a delivery is hidden from other consumers.
    DELIVERY_LOCK: int = Field(default=60, ge=1)
    # Calls of the API that one token may make in a minute.
    API_READS_PER_MINUTE: int = Field(default=1200, ge=1)
    API_WRITES_PER_MINUTE: int = Field(default=240, ge=1)
    # Webhooks may also call addresses of private networks.
    WEBHOOKS_PRIVATE: bool = False
    # Days until an undecided request expires.
    DECIDE_WITHIN_DAYS: int = Field(default=14, ge=1)

    @model_validator(mode="after")
    def production_leaves_nothing_out(self) -> Self:
        left_out = sorted(set(Env.model_fields) - self.model_fields_set - OPTIONAL)
        if left_out and not self.DEBUG:
            raise ValueError(f"DEBUG is off, so these must be set: {', '.join(left_out)}")
        return self

    @model_validator(mode="after")
    def entra_is_whole_or_absent(self) -> Self:
        if bool(self.ENTRA_TENANT_ID) != bool(self.ENTRA_CLIENT_ID):
            raise ValueError("ENTRA_TENANT_ID and ENTRA_CLIENT_ID belong together: set both or none.")
        if self.ENTRA_TENANT_ID and bool(self.ENTRA_CLIENT_SECRET) == bool(self.ENTRA_FEDERATED_TOKEN_FILE):
            raise ValueError("With a tenant, set either ENTRA_CLIENT_SECRET or ENTRA_FEDERATED_TOKEN_FILE.")
        for name in ("ENTRA_AUTHORITY", "ENTRA_GRAPH_URL"):
            if not self.DEBUG and not getattr(self, name).startswith("https://"):
                raise ValueError(f"{name} begins with https:// outside of a laptop.")
        return self

    @model_validator(mode="after")
    def run_identity_is_whole_or_absent(self) -> Self:
        wanted = [self.GITHUB_REPOSITORY_ID, self.GITHUB_WORKFLOW, self.GITHUB_AUDIENCE]
        if any(wanted) and not all(wanted):
            raise ValueError("GITHUB_REPOSITORY_ID, GITHUB_WORKFLOW and GITHUB_AUDIENCE belong together.")
        if not self.DEBUG and not self.GITHUB_ISSUER.startswith("https://"):
            raise ValueError("GITHUB_ISSUER begins with https:// outside of a laptop.")
        return self


# Knobs whose default is right in production as well.
OPTIONAL = {
    "CSRF_TRUSTED_ORIGINS", "PRICES_URL", "SANDBOX_TIME_SCALE", "SANDBOX_FAULTS", "SILENT_AFTER", "CLAIM_WITHIN",
    "RUN_LIMIT", "API_READS_PER_MINUTE", "API_WRITES_PER_MINUTE", "WEBHOOKS_PRIVATE",
    "DELIVERY_LOCK", "DECIDE_WITHIN_DAYS", "LOG_LEVEL", "TIME_ZONE", "SECOND_FACTOR", "HSTS_SUBDOMAINS",
    *(name for name in Env.model_fields if name.startswith(("ENTRA_", "GITHUB_"))),
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
