"""What a request does to the budget of its business unit. Billing knows nothing of requests: it is told."""

from decimal import Decimal

from django.utils.timezone import now

from billing_app import services as billing
from billing_app.services import Purpose, Standing
from portal.errors import BudgetExceeded
from requests_app.models import ServiceRequest


def hold(service_request: ServiceRequest) -> Standing:
    """Set aside what it costs more than what is there; BudgetExceeded."""
    return _hold(purpose(service_request), service_request.cost_after)


def hold_again(service_request: ServiceRequest) -> None:
    """The same for the next attempt, which nobody decides on again; BudgetExceeded."""
    attempt = service_request.attempt + 1
    stands = _hold(purpose(service_request, attempt=attempt), service_request.cost_after)
    if stands.asks_for_approval and service_request.decided_by_id is None:
        raise BudgetExceeded(f"{stands.message} Ask for it anew, so that one can.")


def _hold(purpose: Purpose, monthly: Decimal) -> Standing:
    return billing.hold(purpose, monthly - billing.committed_to(purpose.deployment))


def release(service_request: ServiceRequest) -> None:
    """Nothing came of it."""
    billing.release(purpose(service_request))


def commit(service_request: ServiceRequest) -> None:
    """It is done: the deployment costs what was estimated, or nothing any more."""
    billing.commit(purpose(service_request), service_request.cost_after)


def commit_half(service_request: ServiceRequest) -> None:
    """It ended half-way: nobody knows what is there, so all that was held for it counts as spent."""
    ServiceRequest.objects.filter(pk=service_request.pk).update(half_done_at=now())
    billing.commit(purpose(service_request))


def purpose(service_request: ServiceRequest, attempt: int | None = None) -> Purpose:
    deployment = service_request.deployment
    return Purpose(
        business_unit=service_request.business_unit,
        environment=service_request.environment,
        request=service_request.pk,
        attempt=attempt or service_request.attempt,
        deployment=deployment.pk,
        name=deployment.name,
        item=service_request.item_version.item.slug,
    )
