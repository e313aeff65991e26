import pytest

from portal.errors import InvalidInput, NotAllowed, PolicyRefused, WrongState
from portal.models import Event
from requests_app import services
from requests_app.models import Deployment, ServiceRequest
from requests_app.states import DeploymentState, State


def test_a_request_keeps_what_was_asked_and_what_was_said_to_it(submitted, people):
    assert submitted.state == State.SUBMITTED
    assert submitted.parameters["sku"] == "B_Standard_B2s"
    assert submitted.parameters["storage_gb"] == 32  # the default of the module
    assert submitted.estimate["complete"]
    assert submitted.monthly_cost == pytest.approx(submitted.monthly_cost)
    assert submitted.verdict["outcome"] == "allow"
    assert submitted.deployment.state == DeploymentState.NEW
    assert [e.action for e in Event.objects.about(submitted.ref)] == ["request.submit"]


def test_small_things_in_development_need_nobody(people, catalog):
    service_request = services.submit(
        requester=people.anna, item="resource-group", business_unit="payments", environment="dev",
        region="northeurope", name="sandbox", parameters={},
    )  # fmt: skip

    assert service_request.state == State.APPROVED
    assert service_request.decided_automatically
    assert service_request.decided_by is None


@pytest.mark.parametrize(
    ("wrong", "field", "said"),
    [
        ({"item": "mainframe"}, "item", "There is no item 'mainframe' in the catalog. It has: aks-cluster"),
        ({"business_unit": "retail"}, "business_unit", "You cannot ask for the business unit 'retail'"),
        ({"business_unit": "nobody"}, "business_unit", "You can for: payments"),
        ({"environment": "moon"}, "environment", "Choose one of: dev, staging, prod"),
        ({"region": "mars"}, "region", "not offered in the region mars"),
        ({"name": "No Good"}, "name", "lower-case"),
        ({"name": "x"}, "name", "3 to 12"),
        ({"parameters": {"sku": "Huge"}}, "sku", "B_Standard_B1ms"),
        ({"parameters": {"storage_gb": "much"}}, "storage_gb", "number"),
        ({"parameters": {"colour": "red"}}, "colour", "not a parameter of postgresql"),
        ({"parameters": {"tags": {}}}, "tags", "filled in by the portal"),
        ({"justification": "x" * 2001}, "justification", "at most 2000"),
    ],
)
def test_bad_input_is_refused_by_field_and_nothing_is_written(
    people, catalog, postgres_for_staging, wrong, field, said
):
    with pytest.raises(InvalidInput) as refused:
        services.submit(requester=people.anna, **{**postgres_for_staging, **wrong})

    assert said in refused.value.problems[field]
    assert not Deployment.objects.exists()
    assert not ServiceRequest.objects.exists()


def test_all_problems_are_told_at_once(people, catalog, postgres_for_staging):
    wrong = {**postgres_for_staging, "environment": "moon", "parameters": {"sku": "Huge", "colour": "red"}}

    proposal = services.preview(requester=people.anna, **wrong)

    assert {"environment", "sku", "colour"} <= proposal.problems.keys()


def test_what_the_rules_forbid_is_refused_with_the_verdict(people, catalog, postgres_for_staging):
    public = {**postgres_for_staging, "environment": "prod", "parameters": {"sku": "GP_Standard_D2ds_v5"}}

    with pytest.raises(PolicyRefused) as refused:
        services.submit(requester=people.anna, **public)

    assert refused.value.verdict["outcome"] == "deny"
    assert "private_endpoint" in refused.value.problems
    assert not ServiceRequest.objects.exists()


def test_a_preview_writes_nothing(people, catalog, postgres_for_staging):
    proposal = services.preview(requester=people.anna, **postgres_for_staging)

    assert not proposal.problems
    assert proposal.estimate
    assert proposal.estimate.complete
    assert proposal.approvers == [people.bert]
    assert not ServiceRequest.objects.exists()


def test_a_name_is_taken_once_in_its_environment(submitted, people, postgres_for_staging):
    with pytest.raises(InvalidInput) as refused:
        services.submit(requester=people.anna, **postgres_for_staging)

    assert "choose another name" in refused.value.problems["name"]


def test_a_landing_zone_that_is_missing_is_said_before_anybody_waits(people, catalog, postgres_for_staging):
    people.payments.landing_zones.all().delete()

    with pytest.raises(InvalidInput, match="landing zone"):
        services.submit(requester=people.anna, **postgres_for_staging)


def test_an_update_says_what_it_changes(ready, people):
    service_request = services.submit_update(
        requester=people.anna, deployment=ready, parameters={"sku": "GP_Standard_D2ds_v5"}
    )

    assert service_request.changes == {"sku": {"from": "B_Standard_B2s", "to": "GP_Standard_D2ds_v5"}}
    assert ready.parameters["sku"] == "B_Standard_B2s"  # until it has happened


@pytest.mark.parametrize(
    ("parameters", "field"),
    [({"name": "other"}, "name"), ({"sku": "Huge"}, "sku"), ({}, "parameters"), ({"colour": 1}, "colour")],
)
def test_an_update_that_makes_no_sense_is_refused(ready, people, parameters, field):
    with pytest.raises(InvalidInput) as refused:
        services.submit_update(requester=people.anna, deployment=ready, parameters=parameters)

    assert field in refused.value.problems


def test_a_deployment_has_one_open_request(ready, people):
    services.submit_destroy(requester=people.anna, deployment=ready)

    with pytest.raises(WrongState, match="open request"):
        services.submit_destroy(requester=people.anna, deployment=ready)


def test_what_is_not_there_yet_cannot_be_changed(submitted, people):
    with pytest.raises(WrongState):
        services.submit_destroy(requester=people.anna, deployment=submitted.deployment)


def test_a_stranger_changes_nothing(ready, people):
    with pytest.raises(NotAllowed):
        services.submit_destroy(requester=people.carol, deployment=ready)
