"""One verdict: page, API, command line and worker show the same rule, field, value, reason and fix."""

import pytest

from cli import output
from consumer.worker import checks
from portal.errors import PolicyRefused
from requests_app import services

SHOWN = ["own", "name", "orders", "This is not good.", "Do something else."]
PLANNED = {
    "address": "azurerm_subnet.this",
    "type": "azurerm_subnet",
    "change": {"actions": ["create"], "before": None, "after": {"location": "eastus"}},
}
SHOWN_OF_PLAN = [
    "own",
    "azurerm_subnet.this",
    "location",
    "eastus",
    "This is not good.",
    "Do something else.",
]


@pytest.fixture
def body(postgres_for_staging):
    return {**postgres_for_staging, "kind": "create"}


@pytest.fixture
def approved(ask, people):
    service_request = ask()
    services.approve(service_request, actor=people.bert)
    return service_request


def plan_rule(rules, effect, mode="enforce"):
    rules(
        stage="plan", effect=effect, mode=mode, field="change.after.location",
        check="request.name == 'good' || request.item == 'postgresql' && resource.change.after.location == 'here'",
        when="true",
    )  # fmt: skip


def has(text, parts):
    return [part for part in parts if part not in text] == []


def test_the_api_refuses_with_rule_field_value_and_fix(rules, people, catalog, api_for, body):
    rules()

    refused = api_for(people.anna).post("/api/v1/requests/", body, format="json")

    assert refused.status_code == 422
    (finding,) = refused.json()["verdict"]["findings"]
    assert finding == {
        "rule": "own",
        "version": 3,
        "title": "The rule own",
        "effect": "deny",
        "message": "This is not good.",
        "hint": "Do something else.",
        "field": "name",
        "value": "orders",
        "address": "",
        "approver": "",
        "fault": False,
    }
    assert refused.json()["problems"] == {"name": "This is not good. Do something else."}


def test_a_check_says_the_same_as_the_request(rules, people, catalog, api_for, body):
    rules()
    anna = api_for(people.anna)

    checked = anna.post("/api/v1/requests/check/", body, format="json").json()
    refused = anna.post("/api/v1/requests/", body, format="json").json()

    assert checked["verdict"] == refused["verdict"]


def test_the_page_shows_it_before_and_after(rules, people, ask, client_for):
    rules(effect="warn")
    service_request = ask()

    page = client_for(people.anna).get(service_request.get_absolute_url()).content.decode()

    assert has(page, SHOWN)


def test_the_form_shows_it_while_it_is_filled_in(rules, people, catalog, client_for, postgres_for_staging):
    rules()
    typed = {
        "business_unit": "payments",
        "environment": "dev",
        "region": "northeurope",
        "param-name": "orders",
        "param-sku": "B_Standard_B2s",
        "param-storage_gb": "32",
        "param-postgres_version": "17",
        "param-backup_retention_days": "7",
        "param-databases": "",
    }

    panel = client_for(people.anna).post("/catalog/postgresql/request/check/", typed).content.decode()

    assert has(panel, SHOWN)
    assert "Go to the field" in panel


def test_the_command_line_prints_it(rules, people, catalog, api_for, body, capsys):
    rules(effect="warn")
    request = api_for(people.anna).post("/api/v1/requests/", body, format="json").json()

    output.verdict(request["verdict"])

    assert has(capsys.readouterr().out, SHOWN)


def test_a_warning_about_a_plan_is_kept_and_shown_everywhere(
    rules, people, approved, plan_of, client_for, api_for, capsys
):
    plan_rule(rules, "warn")

    answer = plan_of(approved, PLANNED)

    assert answer["proceed"]
    (finding,) = answer["verdict"]["findings"]
    assert approved.plan["verdict"]["findings"] == [finding]
    assert has(checks.in_words(finding), SHOWN_OF_PLAN)
    assert has(client_for(people.anna).get(approved.get_absolute_url()).content.decode(), SHOWN_OF_PLAN)
    told = api_for(people.anna).get(f"/api/v1/requests/{approved.pk}/").json()["plan"]["verdict"]
    assert told["findings"] == [finding]
    output.findings(told)
    assert has(capsys.readouterr().out, ["own", "eastus", "This is not good.", "Do something else."])


def test_a_denial_of_a_plan_names_everything_in_the_reason(rules, approved, plan_of):
    plan_rule(rules, "deny")

    answer = plan_of(approved, PLANNED)

    assert not answer["proceed"]
    assert has(answer["reason"], SHOWN_OF_PLAN[:3] + SHOWN_OF_PLAN[4:])
    assert approved.plan["verdict"]["outcome"] == "deny"


def test_a_rule_that_breaks_refuses_and_says_whose_fault_it_is(rules, ask):
    rules(check="request.params.colour == 'red' || request.name == 'good'", message="Never said.")

    with pytest.raises(PolicyRefused) as refused:
        ask()

    (finding,) = refused.value.verdict["findings"]
    assert (finding["rule"], finding["fault"], finding["effect"]) == ("own", True, "deny")
    assert "could not be checked: there is no colour in" in finding["message"]
    assert "Tell the platform team." in finding["message"]
