from collections.abc import Callable
from typing import Any

import pytest

from requests_app import services
from requests_app.models import Deployment, ServiceRequest


@pytest.fixture
def submitted(people: Any, catalog: None, postgres_for_staging: dict[str, Any]) -> ServiceRequest:
    """Anna has asked, and nobody has decided."""
    return services.submit(requester=people.anna, **postgres_for_staging)


@pytest.fixture
def running(submitted: ServiceRequest, people: Any) -> ServiceRequest:
    services.approve(submitted, actor=people.bert)
    assert services.start(submitted.run_key)
    submitted.refresh_from_db()
    return submitted


@pytest.fixture
def ready(running: ServiceRequest) -> Deployment:
    """What anna asked for is there."""
    services.succeed(
        running, outputs={"fqdn": "psql-orders.example"}, resources=[{"address": "a", "type": "t"}]
    )
    return running.deployment


@pytest.fixture
def end_of(people: Any) -> Callable[..., ServiceRequest]:
    """Carry a submitted request to its end."""

    def end(service_request: ServiceRequest, outcome: str, **told: Any) -> ServiceRequest:
        services.approve(service_request, actor=people.bert)
        services.start(service_request.run_key)
        service_request.refresh_from_db()
        if outcome == "succeed":
            services.succeed(
                service_request, outputs=told.get("outputs", {}), resources=told.get("resources", [])
            )
        else:
            services.fail(service_request, "it broke", **told)
        return service_request

    return end
