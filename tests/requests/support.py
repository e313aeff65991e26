"""What the consumer and the worker would do, without them."""

from typing import Any

from requests_app import services
from requests_app.models import Deployment, ServiceRequest
from requests_app.states import State


def start(service_request: ServiceRequest, approver: Any = None) -> ServiceRequest:
    """Approve it, where a rule has not done that, and begin its run."""
    if service_request.state == State.SUBMITTED:
        services.approve(service_request, actor=approver)
    services.start(service_request.run_key)
    service_request.refresh_from_db()
    return service_request


def make_ready(service_request: ServiceRequest, approver: Any = None) -> Deployment:
    services.succeed(start(service_request, approver), outputs={}, resources=[])
    return Deployment.objects.with_names().get(pk=service_request.deployment_id)
