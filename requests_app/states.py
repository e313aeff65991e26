"""The life of a service request and of a deployment. TRANSITIONS is the whole state machine."""

from collections.abc import Set
from dataclasses import dataclass

from django.db.models import TextChoices


class Kind(TextChoices):
    CREATE = "create", "Create"
    UPDATE = "update", "Change"
    DESTROY = "destroy", "Remove"


class State(TextChoices):
    SUBMITTED = "submitted", "Waiting for approval"
    APPROVED = "approved", "Approved"
    QUEUED = "queued", "In the queue"
    RUNNING = "running", "Running"
    STOPPING = "stopping", "Stopping"
    SUCCEEDED = "succeeded", "Done"
    FAILED = "failed", "Failed"
    REJECTED = "rejected", "Rejected"
    CANCELLED = "cancelled", "Cancelled"
    EXPIRED = "expired", "Expired"


class DeploymentState(TextChoices):
    NEW = "new", "Being created"
    READY = "ready", "Ready"
    INCOMPLETE = "incomplete", "Incomplete"  # a run failed after it had changed something
    DESTROYED = "destroyed", "Removed"
    ABANDONED = "abandoned", "Never created"


class Who(TextChoices):
    REQUESTER = "requester"
    APPROVER = "approver"
    OPERATOR = "operator"
    SYSTEM = "system"


OPEN = frozenset({State.SUBMITTED, State.APPROVED, State.QUEUED, State.RUNNING, State.STOPPING})
ACTIVE = frozenset({State.RUNNING, State.STOPPING})
SETTLED = frozenset({DeploymentState.READY, DeploymentState.INCOMPLETE})  # what can be changed
LIVE = frozenset({DeploymentState.NEW, *SETTLED})


@dataclass(frozen=True)
class Transition:
    sources: Set[State]
    target: State
    who: Set[Who]


TRANSITIONS = {
    "approve": Transition({State.SUBMITTED}, State.APPROVED, {Who.APPROVER, Who.SYSTEM}),
    "reject": Transition({State.SUBMITTED}, State.REJECTED, {Who.APPROVER}),
    "expire": Transition({State.SUBMITTED}, State.EXPIRED, {Who.SYSTEM}),
    "cancel": Transition(
        {State.SUBMITTED, State.APPROVED, State.QUEUED}, State.CANCELLED, {Who.REQUESTER, Who.OPERATOR}
    ),
    "enqueue": Transition({State.APPROVED}, State.QUEUED, {Who.SYSTEM}),
    # A fast consumer can start a request before it is marked as queued.
    "start": Transition({State.APPROVED, State.QUEUED}, State.RUNNING, {Who.SYSTEM}),
    "stop": Transition({State.RUNNING}, State.STOPPING, {Who.REQUESTER, Who.OPERATOR, Who.SYSTEM}),
    "stopped": Transition({State.STOPPING}, State.CANCELLED, {Who.SYSTEM}),
    "succeed": Transition({State.RUNNING, State.STOPPING}, State.SUCCEEDED, {Who.SYSTEM}),
    # From the queue too: a delivery can be given up before it runs.
    "fail": Transition({State.QUEUED, State.RUNNING, State.STOPPING}, State.FAILED, {Who.SYSTEM}),
    "retry": Transition({State.FAILED}, State.APPROVED, {Who.REQUESTER, Who.OPERATOR}),
}

# What people may do, in the order of buttons.
STEPS = ("approve", "reject", "retry", "cancel", "stop")
