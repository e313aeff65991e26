"""Every answer that schemathesis can provoke is in docs/openapi.yaml, and none of them is a 5xx."""

import itertools
from typing import Any

import pytest
import schemathesis
import yaml
from django.conf import settings
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as effort
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from portal.identity import tokens
from portal.throttle import COUNTS
from portal.webhooks import services as webhooks
from portal.wsgi import application
from requests_app import services

FILE = settings.BASE_DIR / "docs" / "openapi.yaml"
DESCRIPTION: dict[str, Any] = yaml.safe_load(FILE.read_text())
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
# For each operation, one that makes sense and one that does not in turn. All of them together take less than a minute.
EXAMPLES = 10

SCHEMA = schemathesis.openapi.from_path(FILE)
SCHEMA.app = lambda environ, start: application({**environ, "REMOTE_ADDR": "127.0.0.1"}, start)
OPERATIONS = {
    f"{method.upper()} {path}": SCHEMA[path][method.upper()]
    for path, methods in DESCRIPTION["paths"].items()
    for method in methods
}


@pytest.fixture
def world(people, catalog, postgres_for_staging, settings):
    """One request, one deployment, one webhook, and the token of somebody who may see and do much."""
    settings.API_READS_PER_MINUTE = settings.API_WRITES_PER_MINUTE = 100_000
    COUNTS.forget()
    asked = services.submit(requester=people.anna, **postgres_for_staging)
    hook, _ = webhooks.create(
        actor=people.emil, business_unit=people.payments, url="https://hooks.example.com/1"
    )
    _, plain = tokens.issue(people.emil, "schemathesis")
    ids = {
        "requests": str(asked.pk),
        "deployments": str(asked.deployment_id),
        "webhooks": str(hook.pk),
        "items": "postgresql",
    }
    return plain, ids


@pytest.fixture
def connected(db):
    """As Django's own test client: a call does not end the connection, in whose transaction the test lives."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_every_answer_is_described_and_none_is_a_failure(connected, world, subtests, mode):
    plain, ids = world
    for name, operation in OPERATIONS.items():
        with subtests.test(operation=name):
            with transaction.atomic():
                met = _try(operation, mode, plain, ids.get(name.split("/")[3], ""))
                transaction.set_rollback(True)  # so that what one takes away is there for the next
            assert met - {401, 403}, "it came as far as the view"
            if mode.is_positive and name.startswith("GET"):
                assert 200 in met


def _try(operation: APIOperation, mode: GenerationMode, plain: str, there: str) -> set[int]:
    """The statuses that were met."""
    turns, met = itertools.count(), set[int]()

    @effort(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def attempt(case: Case) -> None:
        if there and next(turns) % 2:  # every other time it is about something that is there
            case.path_parameters = dict.fromkeys(case.path_parameters, there)
        case.headers["Authorization"] = f"Bearer {plain}"
        answer = case.call()
        met.add(answer.status_code)
        case.validate_response(answer, checks=CHECKS)

    attempt()
    return met
