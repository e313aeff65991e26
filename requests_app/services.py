"""
What happens to a service request, in the order in which it happens.

Only `_move` changes a state. Nothing here calls the outside world inside a transaction.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.timezone import now
from django_q.tasks import async_task

from catalog_app.policy import Verdict
from portal import audit, idempotency, ports
from portal.errors import HasChanged, InvalidInput, NotAllowed, OutsideError, PortalError, WrongState
from portal.identity.models import User
from portal.identity.roles import Permission
from portal.ports import Entry, Priority
from requests_app import approval, changing, money, proposal, settling
from requests_app.models import Deployment, ServiceRequest
from requests_app.proposal import Proposal
from requests_app.states import ACTIVE, SETTLED, STEPS, TRANSITIONS, Kind, State

logger = logging.getLogger(__name__)

TIME_IS_OVER = "Its time is over, as agreed when it was asked for."
# The same arguments as the three submits; they change nothing and refuse nothing.
preview = proposal.new
preview_update = changing.change
preview_destroy = changing.removal


# ── asking ──────────────────────────────────────────────────────────────────────────────────────────────────


def submit(*, requester: User, **wanted: Any) -> ServiceRequest:
    """Ask for something new; see `proposal.new` for the arguments. InvalidInput, PolicyRefused."""
    accepted = proposal.new(requester=requester, **wanted).accept()
    version, unit = accepted.version, accepted.business_unit
    assert version is not None  # accepted
    assert unit is not None
    try:
        with transaction.atomic():
            deployment = Deployment.objects.create(
                name=accepted.name,
                item=version.item,
                item_version=version,
                business_unit=unit,
                environment=accepted.environment,
                region=accepted.region,
                owner=requester,
                parameters=accepted.parameters,
                usage=accepted.usage,
            )
            return ask(accepted, deployment)
    except IntegrityError as error:
        raise InvalidInput({"name": proposal.name_is_taken(accepted.name)}) from error


def submit_update(*, requester: User, deployment: Deployment, **wanted: Any) -> ServiceRequest:
    """Ask for a change; see `changing.change`. InvalidInput, NotAllowed, PolicyRefused, WrongState."""
    check_changeable(deployment, requester)
    return ask_about(changing.change(requester=requester, deployment=deployment, **wanted), deployment)


def submit_destroy(*, requester: User, deployment: Deployment, **wanted: Any) -> ServiceRequest:
    """Ask for the removal; see `changing.removal`."""
    check_changeable(deployment, requester)
    return ask_about(changing.removal(requester=requester, deployment=deployment, **wanted), deployment)


def check_changeable(deployment: Deployment, requester: User) -> None:
    """NotAllowed or WrongState."""
    if not requester.can(Permission.REQUEST_CREATE, deployment.business_unit_id):
        raise NotAllowed(f"Only requesters of {deployment.business_unit} may change {deployment.name}.")
    if deployment.state not in SETTLED:
        raise WrongState(
            f"{deployment.name} is {deployment.get_state_display().lower()}: it cannot be changed now."
        )


def ask_about(wanted: Proposal, deployment: Deployment) -> ServiceRequest:
    accepted = wanted.accept()
    try:
        with transaction.atomic():
            return ask(accepted, deployment)
    except IntegrityError as error:
        raise WrongState(_one_at_a_time(deployment)) from error


def _one_at_a_time(deployment: Deployment) -> str:
    open_request = deployment.open_request
    which = f" ({open_request.ref})" if open_request else ""
    return f"{deployment.name} has an open request{which}: wait for it, or cancel it."


def ask(accepted: Proposal, deployment: Deployment) -> ServiceRequest:
    at = accepted.at
    assert accepted.version is not None  # accepted
    assert accepted.business_unit is not None
    service_request = ServiceRequest.objects.create(
        kind=accepted.kind,
        deployment=deployment,
        item_version=accepted.version,
        requester=accepted.requester,
        business_unit=accepted.business_unit,
        environment=accepted.environment,
        region=accepted.region,
        parameters=accepted.parameters,
        changes=accepted.changes,
        usage=accepted.usage,
        estimate=accepted.estimate.as_json() if accepted.estimate else {},
        monthly_cost=accepted.monthly_cost,
        cost_before=accepted.cost_before,
        facts=accepted.facts,
        verdict=accepted.verdict.as_json() if accepted.verdict else {},
        trial={"request": accepted.verdict.trial_as_json()} if accepted.verdict else {},
        approver_role=accepted.approver_role,
        allow_replace=accepted.allow_replace,
        upgrade_from=accepted.upgrade_from.version if accepted.upgrade_from else "",
        ttl_days=accepted.ttl_days,
        on_expiry=accepted.on_expiry,
        justification=accepted.justification,
        submitted_at=at,
        decide_before=at + timedelta(days=settings.DECIDE_WITHIN_DAYS),
    )
    idempotency.made(service_request.ref)
    budget = money.hold(service_request)
    if accepted.on_expiry:
        _record(service_request, "submit", None, f"In the name of {accepted.requester}: {TIME_IS_OVER}")
    else:
        _record(service_request, "submit", accepted.requester, accepted.justification)
    # Asked of the budget as well: others may have spent it since the proposal was judged.
    if accepted.automatic and not budget.asks_for_approval:
        why = TIME_IS_OVER if accepted.on_expiry else "A rule of the item allows it."
        _approve(service_request, None, why, decided_automatically=True)
    return service_request


# ── deciding ────────────────────────────────────────────────────────────────────────────────────────────────


def approve(service_request: ServiceRequest, *, actor: User, note: str = "") -> None:
    """NotAllowed for whoever is no approver, or asked for it; WrongState when it is decided."""
    _approve(service_request, actor, note)


@transaction.atomic
def _approve(service_request: ServiceRequest, actor: User | None, note: str, **fields: Any) -> None:
    _move(
        service_request,
        "approve",
        actor,
        note,
        decided_by=actor,
        decision_note=note,
        decided_at=now(),
        **fields,
    )
    transaction.on_commit(_send_soon)


@transaction.atomic
def reject(service_request: ServiceRequest, *, actor: User, reason: str) -> None:
    reason = reason.strip()
    if not reason:
        raise InvalidInput({"reason": "Say why, so that the requester knows what to change."})
    _move(service_request, "reject", actor, reason, decided_by=actor, decision_note=reason, decided_at=now())
    settling.nothing_happened(service_request)


@transaction.atomic
def cancel(service_request: ServiceRequest, *, actor: User) -> None:
    _move(service_request, "cancel", actor, finished_at=now())
    settling.nothing_happened(service_request)


def retry(service_request: ServiceRequest, *, actor: User) -> None:
    """The next attempt of what has failed. BudgetExceeded; WrongState while there is another open request."""
    try:
        with transaction.atomic():
            settling.tried_again(service_request)
            money.hold_again(service_request)
            _move(
                service_request, "retry", actor,
                attempt=service_request.attempt + 1, failure="", plan={}, started_at=None, finished_at=None,
            )  # fmt: skip
            transaction.on_commit(_send_soon)
    except IntegrityError as error:
        raise WrongState(_one_at_a_time(service_request.deployment)) from error


def stop(service_request: ServiceRequest, *, actor: User | None, note: str = "") -> None:
    """Ask a run to end. What really happened is known when it has."""
    _move(service_request, "stop", actor, note)
    ask_runner_to_stop(service_request)


def ask_runner_to_stop(service_request: ServiceRequest) -> None:
    """The worker also hears it with its next heartbeat, and the sweep asks again."""
    try:
        ports.runner().stop(service_request.run_key)
    except OutsideError as error:
        logger.warning("%s could not be asked to stop: %s", service_request.run_key, error)


def steps_for(service_request: ServiceRequest, user: User) -> set[str]:
    """What this person may do with it now."""
    return {
        step
        for step in STEPS
        if service_request.state in TRANSITIONS[step].sources and approval.may(step, user, service_request)
    }


def changes_for(deployment: Deployment, user: User) -> set[str]:
    """Of update, upgrade, destroy and extend, what this person may ask for now."""
    if not user.can(Permission.REQUEST_CREATE, deployment.business_unit_id):
        return set()
    if deployment.state not in SETTLED:
        return set()
    extend = {"extend"} if deployment.expires_at else set()
    if open_request := deployment.open_request:
        return set() if open_request.kind == Kind.DESTROY else extend
    kinds = (Kind.UPDATE, Kind.DESTROY)
    manifest = deployment.item_version.parsed
    possible = {str(kind) for kind in kinds if manifest.operations_of(kind, deployment.environment)}
    upgrade = {"upgrade"} if changing.newer_version(deployment, user) else set()
    return possible | upgrade | extend


# ── running ─────────────────────────────────────────────────────────────────────────────────────────────────


def _send_soon() -> None:
    # The sweep of every minute finds what this does not.
    async_task("requests_app.tasks.enqueue_approved")


def enqueue_approved() -> None:
    """Put every approved request on the queue. APPROVED is the outbox: decided, not yet sent."""
    each(ServiceRequest.objects.filter(state=State.APPROVED).order_by("submitted_at"), _enqueue)


def _enqueue(service_request: ServiceRequest) -> None:
    # Sent first, marked second: a crash between the two sends it twice, which is harmless.
    ports.queue().send(service_request.run_key, Priority(service_request.environment))
    _move(service_request, "enqueue")


def by_run_key(run_key: str) -> ServiceRequest | None:
    """The request whose present attempt this is."""
    number, _, attempt = run_key.partition("-a")
    if not (number.isdecimal() and attempt.isdecimal()):
        return None
    return ServiceRequest.objects.with_names().filter(pk=int(number), attempt=int(attempt)).first()


def start(run_key: str) -> ServiceRequest | None:
    """The request, now running; None when there is nothing left to run."""
    service_request = by_run_key(run_key)
    if service_request is None:
        return None
    try:
        _move(service_request, "start", started_at=now())
    except WrongState:
        # A second delivery of what already runs goes on with it.
        return service_request if service_request.state in ACTIVE else None
    return service_request


def planned(service_request: ServiceRequest, plan: Mapping[str, Any], verdict: Verdict) -> None:
    """Keep what the plan of the running attempt would do, and what the rules say of it."""
    ServiceRequest.objects.filter(
        pk=service_request.pk, attempt=service_request.attempt, state__in=ACTIVE
    ).update(
        plan={**plan, "verdict": verdict.as_json()},
        trial={**service_request.trial, "plan": verdict.trial_as_json()},
    )


@transaction.atomic
def succeed(service_request: ServiceRequest, *, outputs: Mapping[str, Any], resources: Sequence[Any]) -> None:
    _move(service_request, "succeed", finished_at=now())
    settling.done(service_request, outputs=outputs, resources=resources)


@transaction.atomic
def fail(
    service_request: ServiceRequest, why: str, *, changed: bool, resources: Sequence[Any] | None = None
) -> None:
    """`changed`: Terraform had begun to change something. `resources`: what exists now; None when nobody knows."""
    _move(service_request, "fail", note=why, failure=why, finished_at=now())
    settling.broken_off(service_request, changed=changed, resources=resources)


@transaction.atomic
def stopped(
    service_request: ServiceRequest, *, changed: bool, resources: Sequence[Any] | None = None
) -> None:
    """The run ended because it was asked to."""
    _move(service_request, "stopped", finished_at=now())
    settling.broken_off(service_request, changed=changed, resources=resources)


def expire_undecided() -> None:
    overdue = ServiceRequest.objects.filter(state=State.SUBMITTED, decide_before__lt=now())
    each(overdue.order_by("decide_before"), _expire)


@transaction.atomic
def _expire(service_request: ServiceRequest) -> None:
    _move(service_request, "expire", note="Nobody decided in time.", finished_at=now())
    settling.nothing_happened(service_request)


def entries(service_request: ServiceRequest, *, after: int = 0, limit: int = 500) -> Sequence[Entry]:
    """The log of the present attempt."""
    return ports.tracker().entries(service_request.run_key, after=after, limit=limit)


def phase(service_request: ServiceRequest) -> str:
    """How far the run of the present attempt is; empty before there is one."""
    if service_request.started_at is None:
        return ""
    run = ports.tracker().get_run(service_request.run_key)
    return str(run.phase) if run else ""


# ── the one step ────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def _move(
    service_request: ServiceRequest, step: str, actor: User | None = None, note: str = "", **fields: Any
) -> None:
    """Take one step of the state machine and record it, or raise NotAllowed or WrongState."""
    transition = TRANSITIONS[step]
    if not approval.may(step, actor, service_request):
        raise NotAllowed(approval.refusal(step, actor, service_request))
    # Whoever changes the row first wins; the other finds no row in a source state.
    rows = ServiceRequest.objects.filter(
        pk=service_request.pk, attempt=service_request.attempt, state__in=transition.sources
    )
    if step in approval.DECISIONS and actor:
        rows = rows.exclude(requester=actor)
    if service_request.seen is not None:
        rows = rows.filter(version=service_request.seen)
    moved = rows.update(state=transition.target, version=F("version") + 1, **fields)
    service_request.refresh_from_db(fields=["state", "attempt", "version", *fields])
    if not moved and service_request.seen not in (None, service_request.version):
        raise HasChanged(_changed(service_request))
    if not moved:
        state = service_request.get_state_display().lower()
        raise WrongState(f"{service_request.ref} is {state} now, so you cannot {step} it.")
    _record(service_request, step, actor, note)


def _changed(service_request: ServiceRequest) -> str:
    state = service_request.get_state_display().lower()
    return (
        f"{service_request.ref} has changed since you read it: it is {state} now, in version"
        f" {service_request.version}. Read it again, and decide on what it is now."
    )


def _record(service_request: ServiceRequest, step: str, actor: User | None, note: str = "") -> None:
    deployment = service_request.deployment
    audit.record(
        f"request.{step}",
        service_request.ref,
        actor=actor,
        business_unit=service_request.business_unit,
        note=note,
        data={
            "attempt": service_request.attempt,
            "deployment": str(deployment.pk),
            "kind": service_request.kind,
            "name": deployment.name,
            "state": service_request.state,
        },
    )


def each(found: Iterable[ServiceRequest], step: Callable[[ServiceRequest], None]) -> None:
    """Take one step with each; the next sweep meets again what did not work."""
    for service_request in found:
        try:
            step(service_request)
        except WrongState:
            logger.info("%s was moved by someone else", service_request)
        except PortalError as error:
            logger.warning("%s stays %s: %s", service_request, service_request.state, error)
