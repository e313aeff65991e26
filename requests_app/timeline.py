"""How far a request is, as steps that people follow."""

from dataclasses import dataclass
from typing import Any

from portal.identity.roles import Role
from portal.ports import Phase
from requests_app.models import ServiceRequest
from requests_app.states import Kind, State

QUEUE, PLAN, APPLY = range(2, 5)  # places in the row of steps
LAST_WORD = {
    Kind.CREATE: ("Ready", "See its outputs"),
    Kind.UPDATE: ("Changed", "In effect"),
    Kind.DESTROY: ("Removed", "Nothing is left"),
}
STAGES = {
    Phase.CREATED: (PLAN, "Waiting for a worker"),
    Phase.CLAIMED: (PLAN, "Preparing"),
    Phase.INIT: (PLAN, "Preparing Terraform"),
    Phase.PLAN: (PLAN, "Planning"),
    Phase.CHECK: (PLAN, "Checking the plan"),
    Phase.APPLY: (APPLY, "Applying"),
    Phase.OUTPUTS: (APPLY, "Reading outputs"),
}
BROKEN_OFF = {State.FAILED: "Failed", State.CANCELLED: "Stopped"}


@dataclass
class Step:
    label: str
    state: str = ""  # done | now | bad; empty for what is still to come
    note: str = ""


def steps(service_request: ServiceRequest, phase: str, last_phase: str = "") -> list[Step]:
    """phase: of the run; last_phase: of its newest log line, for a run that is over."""
    row = [
        Step("Submitted", "done", str(service_request.requester)),
        Step("Approval"),
        Step("Queue"),
        Step("Plan"),
        Step("Apply"),
        Step(LAST_WORD[Kind(service_request.kind)][0]),
    ]
    _approval(service_request, row[1])
    if row[1].state != "done":
        return row if service_request.state == State.SUBMITTED else row[:2]
    _work(service_request, row, phase, last_phase)
    return row


def _approval(service_request: ServiceRequest, step: Step) -> None:
    state = service_request.state
    if state == State.SUBMITTED:
        reserved = service_request.approver_role == Role.BU_ADMIN
        step.state, step.note = "now", f"Waiting for {'a business unit admin' if reserved else 'an approver'}"
    elif state == State.REJECTED:
        step.state, step.note = "bad", f"Rejected by {service_request.decided_by}"
    elif state == State.EXPIRED:
        step.state, step.note = "bad", "Nobody decided in time"
    elif service_request.decided_at is None:
        step.state, step.note = "bad", "Cancelled"
    else:
        automatic = service_request.decided_automatically
        step.state, step.note = "done", "By a rule" if automatic else str(service_request.decided_by)


def _work(service_request: ServiceRequest, row: list[Step], phase: str, last_phase: str) -> None:
    state = service_request.state
    planned = summary(service_request.plan)
    if state in (State.APPROVED, State.QUEUED):
        row[QUEUE].state, row[QUEUE].note = "now", "Waiting for a worker"
        return
    if state == State.CANCELLED and service_request.started_at is None:
        row[QUEUE].state, row[QUEUE].note = "bad", "Cancelled"
        return
    at, note = _where(service_request, phase, last_phase)
    if state == State.SUCCEEDED:
        at = len(row)
        row[-1].note = LAST_WORD[Kind(service_request.kind)][1]
    for step in row[QUEUE:at]:
        step.state = "done"
    row[QUEUE].note, row[PLAN].note = "Done", planned if row[PLAN].state == "done" else ""
    row[APPLY].note = "Done" if row[APPLY].state == "done" else ""
    if at < len(row):
        over = state in BROKEN_OFF
        row[at].state, row[at].note = ("bad", BROKEN_OFF[State(state)]) if over else ("now", note)
        if state == State.STOPPING:
            row[at].note = "Stopping"


def _where(service_request: ServiceRequest, phase: str, last_phase: str) -> tuple[int, str]:
    """The step that a run is at, or was at when it ended."""
    for known in (phase, last_phase):
        if known in STAGES:
            return STAGES[Phase(known)]
    if service_request.started_at is None:
        return QUEUE, ""
    return (APPLY, "Applying") if service_request.plan else (PLAN, "Waiting for a worker")


def summary(plan: dict[str, Any]) -> str:
    """`3 to add, 1 to change`."""
    parts = [f"{plan[kind]} to {kind}" for kind in ("add", "change", "destroy") if plan.get(kind)]
    return ", ".join(parts) or ("No changes" if plan else "")
