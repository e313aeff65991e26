"""
What a worker may ask and tell: claim, entries, plan, finish.

Every call is safe to repeat. The run document says how far the run is; the request's state says what that means for
people. The document is finished first: a portal that dies in between leaves a document that the sweep settles.
"""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from django.conf import settings
from django.utils.timezone import now
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from catalog_app import policy
from catalog_app import services as catalog
from consumer import states
from portal import ports
from portal.errors import VersionConflict, WrongState
from portal.ports import Entry, Phase, RunDocument
from requests_app import proposal, services
from requests_app.models import ServiceRequest
from requests_app.states import ACTIVE, Kind, State

HEARTBEAT_SECONDS = 5
LONGEST_TEXT = 4000
ATTEMPTS = 5  # at a change that somebody else was quicker with
MAY_HAVE_CHANGED = (Phase.APPLY, Phase.OUTPUTS)
LOST = "The worker ended without a word, and what it was doing may be half done."
NOT_CLAIMED = "No worker took the run."


class Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ClaimBody(Message):
    claimant: str = Field(min_length=8, max_length=80)
    worker: dict[str, str | int] = Field(max_length=10)


class EntryBody(Message):
    sequence: int = Field(ge=1)
    at: AwareDatetime
    phase: Phase
    level: Literal["info", "warn", "error"]
    text: str = Field(max_length=LONGEST_TEXT)


class EntriesBody(Message):
    phase: Phase
    entries: list[EntryBody] = Field(max_length=500)


class PlanBody(Message):
    add: int = Field(ge=0)
    change: int = Field(ge=0)
    destroy: int = Field(ge=0)
    replace: int = Field(ge=0)
    resources: list[dict[str, Any]]
    engine: str = Field(max_length=100)


class Report(Message):
    """How a run ended; `resources` is what exists after it, None when the worker did not look."""

    outcome: Literal["succeeded", "failed", "stopped"]
    error: str = Field(default="", max_length=LONGEST_TEXT)
    outputs: dict[str, Any] = {}
    resources: list[dict[str, Any]] | None = None
    changed: bool = False


def new_token() -> tuple[str, str]:
    """A one-time token of a run, and its digest, which is all that is kept."""
    token = secrets.token_urlsafe(32)
    return token, digest(token)


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def claim(run: RunDocument, body: ClaimBody, *, with_token: bool = False) -> dict[str, Any]:
    """
    The inputs of the run. The first worker gets them, again if it has to ask again; any other one is refused.

    `with_token`: and a token of the run, for one who has come without.
    """
    service_request = _running(run.key)
    if run.finished or (run.claimant and run.claimant != body.claimant):
        raise WrongState(f"Run {run.key} belongs to another worker.")
    token, token_digest = new_token() if with_token else ("", run.token_digest)
    if with_token or not run.claimant:
        claimed = {"claimant": body.claimant, "worker": body.worker, "token_digest": token_digest}
        try:
            ports.tracker().update_run(run, **claimed, phase=Phase.CLAIMED, heartbeat_at=now())
        except VersionConflict:
            return claim(_read(run.key), body, with_token=with_token)
    return _inputs(service_request) | ({"token": token} if token else {})


def listen(run: RunDocument, body: EntriesBody) -> bool:
    """Keep what the worker says; true when it shall stop. An empty list is a sign of life."""
    service_request = _running(run.key)
    if run.finished:
        raise WrongState(f"Run {run.key} has ended.")
    entries = [Entry(e.sequence, e.at, e.phase, e.level, e.text) for e in body.entries]
    if entries:
        ports.tracker().append(run.key, entries)
    _update(run, phase=body.phase, heartbeat_at=now())
    return service_request.state == State.STOPPING


def plan(run: RunDocument, body: PlanBody) -> dict[str, Any]:
    """Ask the rules about the plan, and keep its summary."""
    service_request = _running(run.key)
    # The facts are those that were approved; only the time is that of the change itself.
    facts = {**_facts(service_request), "now": proposal.clock(now())}
    verdict = policy.decide("plan", facts, body.resources)
    summary = {
        **body.model_dump(exclude={"resources"}),
        "resources": [
            {
                "address": r.get("address"),
                "type": r.get("type"),
                "actions": (r.get("change") or {}).get("actions", []),
            }
            for r in body.resources
        ],
    }
    services.planned(service_request, summary, verdict)
    _update(run, plan=summary, phase=Phase.CHECK, heartbeat_at=now())
    reason = " ".join(finding.sentence for finding in verdict.findings if finding.effect == "deny")
    return {"proceed": not verdict.blocked, "reason": reason, "verdict": verdict.as_json()}


def finish(run: RunDocument, report: Report) -> None:
    """Keep the report, then settle the request. The first report counts."""
    if not run.finished:
        run = _update(run, phase=Phase.FINISHED, heartbeat_at=now(), report=report.model_dump(mode="json"))
    states.break_lock(run.key)  # Terraform has ended; where it was killed, it could not unlock
    settle(run)


def settle(run: RunDocument) -> None:
    """Bring the request to the state that the finished document tells of. Safe to repeat."""
    service_request = services.by_run_key(run.key)
    if service_request is None or service_request.state not in ACTIVE:
        return
    report = Report.model_validate(run.report)
    resources = report.resources
    if report.outcome == "succeeded":
        services.succeed(service_request, outputs=report.outputs, resources=resources or [])
    elif report.outcome == "stopped" and service_request.state == State.STOPPING:
        services.stopped(service_request, changed=report.changed, resources=resources)
    else:
        why = report.error or "The run was stopped from outside, before its work was done."
        services.fail(service_request, why, changed=report.changed, resources=resources)


def give_up(run: RunDocument, why: str) -> None:
    """Close the document of a run that nobody executes any more, free its state, and settle the request."""
    report = Report(outcome="failed", error=why, changed=run.phase in MAY_HAVE_CHANGED)
    run = _update(run, phase=Phase.FINISHED, report=report.model_dump(mode="json"))
    states.break_lock(run.key)
    settle(run)


def _running(key: str) -> ServiceRequest:
    service_request = services.by_run_key(key)
    if service_request is None or service_request.state not in ACTIVE:
        raise WrongState(f"Run {key} is not running.")
    return service_request


def _read(key: str) -> RunDocument:
    run = ports.tracker().get_run(key)
    if run is None:
        raise WrongState(f"Run {key} is not there any more.")
    return run


def _update(run: RunDocument, **changes: Any) -> RunDocument:
    """Change the document, over the changes of others, unless it is finished."""
    for _ in range(ATTEMPTS):
        try:
            return ports.tracker().update_run(run, **changes)
        except VersionConflict:
            run = _read(run.key)
            if run.finished:
                return run
    raise VersionConflict(f"Run {run.key} changes too quickly: try again.")


def _facts(service_request: ServiceRequest) -> dict[str, Any]:
    """What the rules saw when it was asked for, and what is known only since then."""
    deployment = service_request.deployment
    return proposal.injected_facts(
        service_request.facts, suffix=deployment.unique_suffix, request=deployment.made_by.ref
    )


def _inputs(service_request: ServiceRequest) -> dict[str, Any]:
    version = service_request.item_version
    base = proposal.landing_zone(service_request.business_unit, service_request.environment)
    values = catalog.inject(version, service_request.parameters, request=_facts(service_request), base=base)
    state = f"{settings.PORTAL_URL}/api/v1/runs/{service_request.run_key}/state"
    return {
        "key": service_request.run_key,
        "kind": service_request.kind,
        "item": version.item.slug,
        "version": version.version,
        "digest": version.digest,
        "files": version.files,
        "values": values,
        "sensitive": _sensitive(version.schema["properties"]),
        "outputs": [] if service_request.kind == Kind.DESTROY else [o.name for o in version.parsed.outputs],
        "allow_replace": service_request.allow_replace,
        "state": {"address": state, "lock_address": state, "unlock_address": state},
        "base_groups": _base_groups(base, service_request.region),
        "heartbeat_seconds": HEARTBEAT_SECONDS,
        "deadline_seconds": settings.RUN_LIMIT,
    }


def _sensitive(properties: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return sorted(name for name, schema in properties.items() if schema.get("writeOnly"))


def _base_groups(base: Mapping[str, Any], region: str) -> Sequence[Mapping[str, str]]:
    """The group of the landing zone, which is there before any run (the sandbox cannot know it otherwise)."""
    name = base.get("resource_group_name")
    return [{"name": name, "location": base.get("location", region)}] if name else []
