"""Rules that compare two values: JSON Schema cannot say them, so Terraform itself is asked, wherever one asks."""

import pytest

from requests_app.models import ServiceRequest
from tests.parity.edges import on_page

NETWORK = {
    "item": "virtual-network",
    "name": "orders",
    "business_unit": "payments",
    "environment": "dev",
    "region": "northeurope",
    "parameters": {
        "address_space": ["10.20.0.0/22"],
        "subnets": {"web": "10.20.0.0/26"},
        "delegations": {"web": "web-app"},
    },
}
WRONG = {**NETWORK, "parameters": {**NETWORK["parameters"], "delegations": {"api": "web-app"}}}
WHY = "Only a subnet of this network can belong to a service."


@pytest.fixture
def no_engine(settings):
    options = {"terraform": "/nowhere/terraform", "folder": settings.DATA_DIR / "probes"}
    settings.PORTS = {**settings.PORTS, "probe": {**settings.PORTS["probe"], "OPTIONS": options}}


def test_what_terraform_would_refuse_is_told_at_the_field_on_every_edge(edges):
    by_api, by_command = edges.api(WRONG), edges.command(WRONG)
    by_page, form = edges.page(WRONG)

    assert (by_api.outcome, by_api.problems) == ("refused", {"delegations": WHY})
    assert by_api == by_command
    assert by_page == on_page(by_api, form)


def test_what_terraform_takes_is_accepted_on_every_edge(edges):
    assert edges.api(NETWORK).outcome == "accepted"
    assert edges.command(NETWORK).outcome == "accepted"
    assert edges.page(NETWORK)[0].outcome == "accepted"


def test_the_panel_tells_it_before_anybody_submits(people, catalog, api_for):
    checked = api_for(people.anna).post("/api/v1/requests/check/", WRONG).json()

    assert checked["problems"] == {"delegations": WHY}
    assert checked["warnings"] == {}


def test_without_terraform_it_is_left_to_the_run_and_said_so(people, catalog, api_for, no_engine):
    anna = api_for(people.anna)

    checked = anna.post("/api/v1/requests/check/", WRONG).json()
    made = anna.post("/api/v1/requests/", WRONG)

    assert checked["problems"] == {}
    assert checked["warnings"]["parameters"].startswith("Some rules of this item could not be checked now.")
    assert made.status_code == 201
    assert ServiceRequest.objects.count() == 1


def test_an_item_without_such_rules_never_asks_terraform(people, catalog, api_for, no_engine):
    wanted = {**NETWORK, "item": "resource-group", "parameters": {}}

    checked = api_for(people.anna).post("/api/v1/requests/check/", wanted).json()

    assert (checked["problems"], checked["warnings"]) == ({}, {})


def test_a_body_that_goes_too_deep_is_refused(people, catalog, api_for):
    answer = api_for(people.anna).post("/api/v1/requests/", "[" * 100_000, content_type="application/json")

    assert answer.status_code == 400
    assert "too deep" in answer.json()["message"]
