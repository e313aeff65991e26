"""Requests in every state that a page can show, made through the services."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils.timezone import now

from catalog_app.policy import Verdict
from portal import ports
from portal.identity.models import User
from portal.ports import Entry, Phase, RunDocument
from requests_app import services
from requests_app.models import Deployment, ServiceRequest
from tests.conftest import SUBNET, People

OUTPUTS = {"fqdn": "psql-orders.example.net", "name": "psql-orders", "id": "/subscriptions/0/psql-orders"}
RESOURCES = [
    {"address": "azurerm_postgresql_flexible_server.this", "type": "server", "id": "/subscriptions/0"}
]
PLAN = {
    "add": 1, "change": 0, "destroy": 0, "replace": 0, "engine": "Terraform 1.15.5",
    "resources": [{"address": RESOURCES[0]["address"], "type": "server", "change": {"actions": ["create"]}}],
}  # fmt: skip

Ask = Callable[..., ServiceRequest]


@pytest.fixture
def ask(people: People, catalog: None) -> Ask:
    """Anna asks for a PostgreSQL server for staging."""

    def submit(name: str = "orders", *, requester: User | None = None, **wanted: Any) -> ServiceRequest:
        defaults = {
            "item": "postgresql",
            "business_unit": "payments",
            "environment": "staging",
            "region": "northeurope",
            "parameters": {"sku": "B_Standard_B2s", "private_endpoint": {"subnet_id": SUBNET}},
        }
        return services.submit(requester=requester or people.anna, name=name, **{**defaults, **wanted})

    return submit


@pytest.fixture
def waiting(ask: Ask) -> ServiceRequest:
    return ask()


def write_log(
    service_request: ServiceRequest, *texts: str, phase: Phase = Phase.APPLY, start: int = 1
) -> None:
    key = service_request.run_key
    if ports.tracker().get_run(key) is None:
        ports.tracker().create_run(RunDocument(key=key, token_digest="", created_at=now(), phase=phase))
    lines = [Entry(number, now(), str(phase), "info", text) for number, text in enumerate(texts, start)]
    ports.tracker().append(key, lines)


def run(service_request: ServiceRequest, approver: User) -> ServiceRequest:
    if service_request.state == "submitted":
        services.approve(service_request, actor=approver, note="Go ahead.")
    services.enqueue_approved()
    started = services.start(service_request.run_key)
    assert started
    return started


@pytest.fixture
def running(ask: Ask, people: People) -> ServiceRequest:
    started = run(ask("running"), people.bert)
    services.planned(started, PLAN, Verdict("allow"))
    write_log(started, "Terraform 1.15.5", "server: Creating...")
    started.refresh_from_db()
    return started


@pytest.fixture
def failed(ask: Ask, people: People) -> ServiceRequest:
    started = run(ask("broken"), people.bert)
    write_log(started, "Error: SkuNotAvailable", phase=Phase.PLAN)
    services.fail(started, "SkuNotAvailable: there is none in northeurope", changed=False)
    return started


@pytest.fixture
def ready(ask: Ask, people: People) -> Deployment:
    started = run(ask("ledger"), people.bert)
    services.planned(started, PLAN, Verdict("allow"))
    services.succeed(started, outputs=OUTPUTS, resources=RESOURCES)
    started.deployment.refresh_from_db()
    return started.deployment
