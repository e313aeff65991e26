"""catalog, submit, change, destroy: against a portal that listens."""

import json
from pathlib import Path

import pytest

from requests_app.models import Deployment, ServiceRequest
from requests_app.states import DeploymentState
from tests.cli.conftest import PRIVATE, SUBMIT, Groundwork
from tests.cli.steps import run_ends_well

pytestmark = pytest.mark.django_db(transaction=True)
DEV = ("submit", "postgresql", "--unit", "payments", "--env", "dev", "--region", "northeurope")


@pytest.fixture
def ready(asked: str, bert: Groundwork) -> Deployment:
    """What was asked for is there."""
    assert bert("approve", asked).code == 0
    return run_ends_well(asked)


def test_the_catalog_lists_the_items(anna: Groundwork) -> None:
    answer = anna("catalog")

    assert answer.code == 0
    assert all(slug in answer.out for slug in ("postgresql", "resource-group", "storage-account"))


def test_an_item_shows_what_it_takes(anna: Groundwork) -> None:
    answer = anna("catalog", "postgresql")

    assert answer.code == 0
    assert "B_Standard_B1ms, B_Standard_B2s" in answer.out
    assert "storage_gb" in answer.out


def test_the_catalog_can_be_searched_and_read_by_machines(anna: Groundwork) -> None:
    assert [item["slug"] for item in anna("catalog", "--search", "blob", "--json").json] == [
        "storage-account"
    ]
    assert "Nothing in the catalog matches" in anna("catalog", "--search", "blockchain").out
    assert anna("catalog", "postgresql", "--json").json["schema"]["type"] == "object"


@pytest.mark.parametrize("item", ["mysql", "../me", "post gres"])
def test_an_item_that_is_not_there_is_refused(anna: Groundwork, item: str) -> None:
    answer = anna("catalog", item)

    assert answer.code == 1
    assert "Fix:" in answer.err


def test_a_request_shows_estimate_verdict_and_reference(anna: Groundwork) -> None:
    answer = anna(
        *SUBMIT, "--name", "orders", "-p", "sku=B_Standard_B2s", "-p", f"private_endpoint={PRIVATE}"
    )

    assert answer.code == 0, answer.err
    service_request = ServiceRequest.objects.get()
    assert f"{service_request.ref} is asked for: http" in answer.out
    assert "USD a month" in answer.out
    assert "Verdict: policy has nothing against it" in answer.out
    assert service_request.parameters["sku"] == "B_Standard_B2s"


def test_parameters_can_come_from_a_file(anna: Groundwork, tmp_path: Path) -> None:
    file = tmp_path / "params.json"
    file.write_text(json.dumps({"storage_gb": 64, "private_endpoint": json.loads(PRIVATE)}))

    answer = anna(*SUBMIT, "--name", "orders", "--file", str(file), "-p", "storage_gb=128", "--json")

    assert answer.json["parameters"]["storage_gb"] == 128


def test_a_check_asks_for_nothing(anna: Groundwork) -> None:
    answer = anna(*DEV, "--name", "orders", "--check")

    assert answer.code == 0, answer.err
    assert "It can be asked for" in answer.out
    assert not ServiceRequest.objects.exists()


def test_a_check_says_who_decides(anna: Groundwork) -> None:
    answer = anna(*SUBMIT, "--name", "orders", "-p", f"private_endpoint={PRIVATE}", "--check")

    assert "decided by bert" in answer.out


def test_a_check_ends_like_the_request_would(anna: Groundwork) -> None:
    refused_by_policy = anna(*SUBMIT, "--name", "orders", "--check")
    refused_by_schema = anna(*DEV, "--name", "O", "--check")

    assert (refused_by_policy.code, refused_by_schema.code) == (1, 1)
    assert "Policy would refuse it" in refused_by_policy.err
    assert "3 to 12" in refused_by_schema.err


def test_a_refusal_by_policy_shows_rule_field_reason_and_fix(anna: Groundwork) -> None:
    answer = anna(*SUBMIT, "--name", "orders")

    assert answer.code == 1
    assert "private_endpoint" in answer.err
    assert "there is no public network access" in answer.err
    assert "Give a private endpoint" in answer.err
    assert "[rule private-outside-development 2]" in answer.err
    assert "Fix:" in answer.err
    assert not ServiceRequest.objects.exists()


def test_a_refusal_can_be_read_by_machines(anna: Groundwork) -> None:
    answer = anna(*SUBMIT, "--name", "orders", "--json")

    assert answer.code == 1
    assert answer.json["code"] == "PolicyRefused"
    assert answer.json["verdict"]["outcome"] == "deny"
    assert answer.err == ""


@pytest.mark.parametrize(
    ("arguments", "field", "why"),
    [
        (("--name", "orders", "-p", "sku=Huge"), "sku", "one of: B_Standard_B1ms"),
        (("--name", "orders", "-p", "storage_gb=33"), "storage_gb", "one of: 32, 64"),
        (("--name", "orders", "-p", "storage_gb=much"), "storage_gb", "must be a number"),
        (("--name", "orders", "-p", "skuu=x"), "skuu", "did you mean sku?"),
        (("--name", "orders", "--usage", "hours=many"), "usage", "hours"),
        (("--name", "ORDERS"), "name", "3 to 12"),
        (("--name", "orders", "--unit", "retail"), "business_unit", "retail"),
        (("--name", "orders", "--unit", "nowhere"), "business_unit", "nowhere"),
        (("--name", "orders", "--env", "lab"), "environment", "dev, staging, prod"),
        (("--name", "orders", "--region", "mars"), "region", "mars"),
    ],
)
def test_a_wrong_value_is_refused_with_its_field_and_the_reason(
    anna: Groundwork, arguments: tuple[str, ...], field: str, why: str
) -> None:
    answer = anna(*DEV, *arguments)

    assert answer.code == 1
    assert field in answer.err
    assert why in answer.err
    assert "Fix:" in answer.err
    assert not ServiceRequest.objects.exists()


def test_a_change_shows_from_and_to(anna: Groundwork, ready: Deployment) -> None:
    answer = anna("change", "orders", "-p", "sku=GP_Standard_D2ds_v5")

    assert answer.code == 0, answer.err
    assert "B_Standard_B2s → GP_Standard_D2ds_v5" in answer.out


def test_a_deployment_is_found_by_name_id_and_beginning_of_the_id(
    anna: Groundwork, ready: Deployment
) -> None:
    for typed in ("orders", str(ready.pk), str(ready.pk)[:8]):
        assert anna("deployments", typed, "--json").json["id"] == str(ready.pk)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("change", "orders", "-p", "name=other"), "cannot be changed"),
        (("change", "orders", "-p", "sku=B_Standard_B2s"), "Nothing would change"),
        (("change", "orders"), "Nothing would change"),
        (("change", "nothing", "-p", "storage_gb=64"), "You see no deployment"),
        (("destroy", "nothing"), "You see no deployment"),
        (("destroy", "11111111-1111-4111-8111-111111111111"), "It is not there, or you may not see it"),
        (("deployments", "nothing"), "You see no deployment"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(
    anna: Groundwork, ready: Deployment, arguments: tuple[str, ...], why: str
) -> None:
    answer = anna(*arguments)

    assert answer.code == 1
    assert why in answer.err
    assert "Fix:" in answer.err


def test_a_name_that_two_deployments_have_is_refused_with_both_ids(
    anna: Groundwork, ready: Deployment
) -> None:
    other = Deployment.objects.get(pk=ready.pk)
    other.pk, other.environment = None, "prod"
    other.save(force_insert=True)

    answer = anna("destroy", "orders")

    assert answer.code == 1
    assert str(ready.pk) in answer.err
    assert "Use its id" in answer.err


def test_a_deployment_has_one_open_request(anna: Groundwork, ready: Deployment) -> None:
    first = anna("destroy", "orders", "--json")

    second = anna("destroy", "orders")

    assert first.code == 0, first.out
    assert second.code == 1
    assert first.json["ref"] in second.err


def test_a_removal_is_asked_for_and_waited_for(anna: Groundwork, bert: Groundwork, ready: Deployment) -> None:
    ref = anna("destroy", "orders", "--why", "not needed", "--json").json["ref"]
    bert("approve", ref)
    run_ends_well(ref)

    assert anna("wait", ref).code == 0
    assert Deployment.objects.get(pk=ready.pk).state == DeploymentState.DESTROYED
