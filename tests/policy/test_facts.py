"""What rules know of a request is gathered once, kept with it, and used again for its plan."""

from datetime import UTC, datetime
from importlib import import_module

import pytest
from django.apps import apps
from django.utils import timezone

from billing_app.models import Action, Budget
from catalog_app.rules import FACTS, PARTS
from portal.errors import PolicyRefused
from requests_app import lifetime, services
from requests_app.models import ServiceRequest
from requests_app.states import State

FRIDAY_NIGHT = datetime(2026, 10, 16, 22, 30, tzinfo=UTC)


@pytest.fixture
def approved(ask, people):
    service_request = ask()
    services.approve(service_request, actor=people.bert)
    return service_request


def test_the_facts_that_the_rules_saw_are_kept_with_the_request(ask):
    facts = ask(at=FRIDAY_NIGHT, ttl_days=30, justification="For the audit").facts

    assert facts.keys() == FACTS
    assert all(
        facts[path.removeprefix("request.")].keys() == names for path, names in PARTS.items() if "." in path
    )
    assert (facts["kind"], facts["item"], facts["lifecycle"]) == ("create", "postgresql", "ga")
    assert facts["params"]["sku"] == "B_Standard_B2s"
    assert (facts["ttl_days"], facts["justification"]) == (30, "For the audit")
    assert facts["now"] == {"weekday": 5, "hour": 22, "date": "2026-10-16"}
    assert facts["deployment"] == {"monthly": 0.0, "version": ""}
    assert facts["estimate"]["extra"] == facts["estimate"]["monthly"] > 0


def test_the_time_is_that_of_the_portal(ask):
    with timezone.override("Europe/Helsinki"):
        facts = ask(at=FRIDAY_NIGHT).facts

    assert facts["now"] == {"weekday": 6, "hour": 1, "date": "2026-10-17"}


def test_a_preview_gathers_the_same_facts(people, catalog, postgres_for_staging):
    wanted = {"requester": people.anna, "at": FRIDAY_NIGHT, **postgres_for_staging}

    assert services.preview(**wanted).facts == services.submit(**wanted).facts


def test_a_change_is_about_what_comes_on_top(approved, people):
    services.start(approved.run_key)
    services.succeed(approved, outputs={}, resources=[])
    approved.deployment.refresh_from_db()

    change = services.submit_update(
        requester=people.anna, deployment=approved.deployment, parameters={"storage_gb": 64}, at=FRIDAY_NIGHT
    )

    monthly = approved.facts["estimate"]["monthly"]
    assert change.facts["deployment"] == {"monthly": monthly, "version": approved.item_version.version}
    assert change.facts["estimate"]["extra"] == pytest.approx(change.facts["estimate"]["monthly"] - monthly)
    assert 0 < change.facts["estimate"]["extra"] < monthly
    removal_facts = services.preview_destroy(requester=people.anna, deployment=approved.deployment).facts
    assert removal_facts["estimate"] == {"monthly": 0.0, "extra": -monthly, "complete": True}


def test_the_budget_is_a_fact(ask, people):
    Budget.objects.create(
        business_unit=people.payments, environment="staging", amount=10, currency="USD", action=Action.WARN
    )

    service_request = ask()

    assert service_request.facts["budget"]["exists"]
    assert service_request.facts["budget"]["after"] < 0
    (finding,) = service_request.verdict["findings"]
    assert (finding["rule"], finding["effect"]) == ("budget-watched", "warn")
    assert finding["message"] == service_request.facts["budget"]["message"]


def test_a_plan_is_judged_by_the_facts_that_were_approved(approved, people, rules, plan_of):
    people.payments.cost_center = "CC-9999"
    people.payments.save()
    rules(stage="plan", check="request.name == 'bad' || request.cost_center == 'CC-1001'")
    rules("tags", stage="plan", check="request.name == 'good' || request.tags.request == 'REQ-1'".replace(
        "REQ-1", approved.ref
    ))  # fmt: skip
    approved.refresh_from_db()

    assert plan_of(approved)["proceed"]


def test_a_plan_is_judged_at_the_time_of_the_run(ask, people, rules, plan_of):
    service_request = ask(at=FRIDAY_NIGHT)
    services.approve(service_request, actor=people.bert)
    rules(
        stage="plan", check="request.name == 'good' || has(request.now) && request.now.date != '2026-10-16'"
    )

    assert plan_of(service_request)["proceed"]


def test_requests_from_before_get_what_can_still_be_known(ask, plan_of):
    service_request = ask(at=FRIDAY_NIGHT)
    known = service_request.facts
    ServiceRequest.objects.update(facts={}, state=State.APPROVED)

    import_module("requests_app.migrations.0005_facts_of_requests").keep_known_facts(apps, None)

    service_request.refresh_from_db()
    lost = {"budget"}  # of that day
    assert {name: value for name, value in service_request.facts.items() if name not in lost} == {
        name: value for name, value in known.items() if name not in lost
    }
    assert service_request.facts["budget"].keys() == known["budget"].keys()
    assert plan_of(service_request)["proceed"]


def test_nothing_is_extended_while_the_rules_cannot_be_read(ask, people, settings, tmp_path):
    service_request = ask(ttl_days=30)
    services.approve(service_request, actor=people.bert)
    services.start(service_request.run_key)
    services.succeed(service_request, outputs={}, resources=[])
    deployment = service_request.deployment
    deployment.refresh_from_db()
    settings.POLICY_FOLDER = tmp_path / "none"

    with pytest.raises(PolicyRefused, match="The rules cannot be read"):
        lifetime.extend(deployment, actor=people.anna, ttl_days=60)
