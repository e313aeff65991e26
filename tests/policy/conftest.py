"""Rules of the tests' own beside the real ones, and requests that they are asked about."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils.timezone import now

from catalog_app.sync import sync
from consumer import runs
from consumer.runs import PlanBody
from portal import ports
from portal.ports import Phase, RunDocument
from requests_app import services
from requests_app.models import ServiceRequest
from tests.catalog.conftest import MODULES

SUBNET = {"address": "a.b", "type": "azurerm_subnet", "change": {"actions": ["create"], "after": {}}}

RULE = """\
rules:
  - id: {id}
    version: 3
    title: {title}
    stage: {stage}
    effect: {effect}
    mode: {mode}
    {more}
    assert: {check}
    field: {field}
    message: "{message}"
    hint: Do something else.
    tests:
      - {{name: good, request: {{name: good, kind: create}}, {resource} expect: pass}}
      - {{name: bad, request: {{name: bad, kind: update}}, {resource} expect: fail}}
"""


@pytest.fixture
def one_item(tmp_path: Path) -> Path:
    """Of the real items the one that is asked for here: reading all of them takes seconds."""
    shutil.copytree(MODULES / "postgresql", tmp_path / "modules" / "postgresql")
    return tmp_path / "modules"


@pytest.fixture
def catalog(db: None, one_item: Path) -> None:
    call_command("sync_prices", verbosity=0)
    sync(one_item)


@pytest.fixture
def rules(settings: Any, tmp_path: Path) -> Callable[..., Path]:
    """Only these rules from now on, one for each call; the folder that they are in."""
    texts: dict[str, str] = {}

    def add(name: str = "own", **given: str) -> Path:
        plan = given.get("stage") == "plan"
        text = {
            "id": name,
            "title": f"The rule {name}",
            "stage": "request",
            "effect": "deny",
            "mode": "enforce",
            "more": "when: 'true'",
            "check": "request.name == 'good'",
            "field": "name",
            "message": "This is not good.",
            "resource": "resource: {address: a, type: t, change: {actions: [create]}}," if plan else "",
        }
        texts[f"{name}.yaml"] = RULE.format(**{**text, **given})
        folder = (
            tmp_path / f"rules-{len(list(tmp_path.glob('rules-*')))}"
        )  # a folder is read once in a process
        folder.mkdir()
        for file, content in texts.items():
            (folder / file).write_text(content)
        settings.POLICY_FOLDER = folder
        return folder

    return add


@pytest.fixture
def ask(people: Any, catalog: None, postgres_for_staging: dict[str, Any]) -> Callable[..., ServiceRequest]:
    """Anna asks for a PostgreSQL server for staging, or for something a little different."""

    def submit(**change: Any) -> ServiceRequest:
        return services.submit(**{"requester": people.anna, **postgres_for_staging, **change})

    return submit


@pytest.fixture
def plan_of() -> Callable[..., dict[str, Any]]:
    """What the portal answers to a worker that has planned an approved request."""

    def plan(service_request: ServiceRequest, *resources: dict[str, Any]) -> dict[str, Any]:
        key = service_request.run_key
        services.start(key)
        ports.tracker().create_run(
            RunDocument(key=key, token_digest="", created_at=now(), phase=Phase.CREATED)
        )
        run = ports.tracker().get_run(key)
        assert run
        body = PlanBody(
            add=1, change=0, destroy=0, replace=0, resources=list(resources or [SUBNET]), engine="Terraform"
        )
        answer = runs.plan(run, body)
        service_request.refresh_from_db()
        return answer

    return plan
