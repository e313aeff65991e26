"""What the end of a service request means for its deployment, and for the money that was held for it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.utils.timezone import now

from requests_app import money
from requests_app.models import Deployment, ServiceRequest
from requests_app.states import DeploymentState, Kind


def nothing_happened(service_request: ServiceRequest) -> None:
    """It ended before any run: what was never made is given up, so that its name is free again."""
    money.release(service_request)
    if service_request.kind == Kind.CREATE:
        _change(service_request, only=DeploymentState.NEW, state=DeploymentState.ABANDONED)


def tried_again(service_request: ServiceRequest) -> None:
    if service_request.kind == Kind.CREATE:
        _change(service_request, only=DeploymentState.ABANDONED, state=DeploymentState.NEW)


def done(service_request: ServiceRequest, *, outputs: Mapping[str, Any], resources: Sequence[Any]) -> None:
    money.commit(service_request)
    if service_request.kind == Kind.DESTROY:
        _change(
            service_request, state=DeploymentState.DESTROYED, destroyed_at=now(), outputs={}, resources=[],
            monthly_cost=None,
        )  # fmt: skip
        return
    _change(
        service_request,
        **_end(service_request),
        state=DeploymentState.READY,
        item_version=service_request.item_version_id,
        parameters=service_request.parameters,
        usage=service_request.usage,
        monthly_cost=service_request.monthly_cost,
        outputs=dict(outputs),
        resources=list(resources),
    )


def broken_off(service_request: ServiceRequest, *, changed: bool, resources: Sequence[Any] | None) -> None:
    """It failed or was stopped. What a run has begun stays visible, and can be tried again or removed."""
    if resources is not None and (changed or resources):
        _change(service_request, resources=list(resources))
    if not changed:
        nothing_happened(service_request)
    elif service_request.kind == Kind.DESTROY and resources == []:
        money.commit(service_request)
        _change(
            service_request,
            state=DeploymentState.DESTROYED,
            destroyed_at=now(),
            outputs={},
            monthly_cost=None,
        )
    elif service_request.kind == Kind.CREATE and resources == []:
        nothing_happened(service_request)
    else:
        money.commit_half(service_request)
        # Only this version of the module surely knows what it has begun to make.
        _change(
            service_request,
            # What a create has left behind has an end as well; another one keeps the end it has.
            **(_end(service_request) if service_request.kind == Kind.CREATE else {}),
            state=DeploymentState.INCOMPLETE,
            item_version=service_request.item_version_id,
        )


def _end(service_request: ServiceRequest) -> dict[str, Any]:
    """The days count from now on, and not from the day it was asked for."""
    days = service_request.ttl_days
    return {"expires_at": now() + timedelta(days=days)} if days else {}


def _change(service_request: ServiceRequest, only: DeploymentState | None = None, **fields: Any) -> None:
    rows = Deployment.objects.filter(pk=service_request.deployment_id)
    if only:
        rows = rows.filter(state=only)
    rows.update(updated_at=now(), **fields)
    service_request.deployment.refresh_from_db(
        fields=["state", "updated_at", *(f for f in fields if f != "item_version")]
    )
