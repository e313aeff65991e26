"""What the consumer and the worker would do, without them."""

from requests_app import services
from requests_app.models import Deployment, ServiceRequest


def run_starts(ref: str) -> ServiceRequest:
    services.enqueue_approved()
    service_request = ServiceRequest.objects.get(pk=ref.removeprefix("REQ-"))
    services.start(service_request.run_key)
    service_request.refresh_from_db()
    return service_request


def run_ends_well(ref: str) -> Deployment:
    service_request = run_starts(ref)
    services.succeed(service_request, outputs={"fqdn": "psql-orders.example"}, resources=[])
    return Deployment.objects.get(pk=service_request.deployment_id)


def run_fails(ref: str, why: str) -> None:
    services.fail(run_starts(ref), why, changed=False)
