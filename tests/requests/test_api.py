from datetime import timedelta

import pytest
from django.utils.timezone import now
from rest_framework.test import APIClient

from portal.identity import tokens
from portal.identity.models import ApiToken

URL = "/api/v1/requests/"


@pytest.fixture
def anna(people, catalog, api_for):
    return api_for(people.anna)


@pytest.fixture
def bert(people, api_for):
    return api_for(people.bert)


def test_a_request_is_made_and_read(anna, postgres_for_staging):
    made = anna.post(URL, postgres_for_staging)

    assert made.status_code == 201
    assert made.json()["state"] == "submitted"
    assert made.json()["steps"] == ["cancel"]
    assert anna.get(f"{URL}{made.json()['id']}/").json() == made.json()
    assert anna.get(f"{URL}REQ-{made.json()['id']}/").json() == made.json()


def test_it_can_be_checked_without_asking(anna, postgres_for_staging):
    checked = anna.post(f"{URL}check/", postgres_for_staging).json()

    assert checked["problems"] == {}
    assert checked["estimate"]["complete"]
    assert checked["verdict"]["outcome"] == "allow"
    assert (checked["automatic"], checked["approvers"]) == (False, ["bert"])
    assert len(anna.get(URL).json()["results"]) == 0


@pytest.mark.parametrize(
    ("change", "status", "code", "field"),
    [
        ({"item": "mainframe"}, 400, "InvalidInput", "item"),
        ({"business_unit": "retail"}, 400, "InvalidInput", "business_unit"),
        ({"parameters": {"sku": 7}}, 400, "InvalidInput", "sku"),
        ({"name": ""}, 400, "InvalidInput", "name"),
        ({"parameters": {"sku": "B_Standard_B2s", "extra": 1}}, 400, "InvalidInput", "extra"),
        ({"parameters": "x"}, 400, "InvalidInput", "parameters"),
        ({"surprise": 1}, 400, "InvalidInput", "surprise"),
        ({"kind": "explode"}, 400, "InvalidInput", "kind"),
        (
            {"environment": "prod", "parameters": {"sku": "GP_Standard_D2ds_v5"}},
            422,
            "PolicyRefused",
            "private_endpoint",
        ),
    ],
)
def test_every_refusal_has_the_same_body(anna, postgres_for_staging, change, status, code, field):
    refused = anna.post(URL, {**postgres_for_staging, **change})

    assert refused.status_code == status
    assert refused.json()["code"] == code
    assert field in refused.json()["problems"]
    assert refused.json()["message"]


@pytest.mark.parametrize("missing", ["item", "name", "business_unit", "environment", "region"])
def test_what_is_missing_is_named(anna, postgres_for_staging, missing):
    body = {name: value for name, value in postgres_for_staging.items() if name != missing}

    refused = anna.post(URL, body)

    assert refused.status_code == 400
    assert missing in refused.json()["problems"]


@pytest.mark.parametrize("raw", ["{", "[1, 2]", '"text"', "null", '{"item": }'])
def test_malformed_json_is_said_to_be_that(anna, raw):
    refused = anna.post(URL, raw, content_type="application/json")

    assert refused.status_code == 400
    assert refused.json()["code"] in {"ParseError", "InvalidInput"}


def test_an_expired_token_says_so(people):
    _, plain = tokens.issue(people.anna, "old")
    ApiToken.objects.update(expires_at=now() - timedelta(seconds=1))
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {plain}")

    refused = client.get(URL)

    assert refused.status_code == 401
    assert "expired" in refused.json()["message"]


def test_a_revoked_token_says_so(people):
    _, plain = tokens.issue(people.anna, "gone")
    ApiToken.objects.update(revoked_at=now())

    refused = APIClient().get(URL, HTTP_AUTHORIZATION=f"Bearer {plain}")

    assert (refused.status_code, "revoked" in refused.json()["message"]) == (401, True)


@pytest.mark.parametrize("header", ["", "Bearer gwk_x", "Bearer nonsense", "Basic abc"])
def test_without_a_token_there_is_nothing(db, header):
    refused = APIClient().get(URL, HTTP_AUTHORIZATION=header)

    assert refused.status_code == 401
    assert refused.json()["code"]


def test_a_token_for_reading_only_reads(people, catalog, postgres_for_staging):
    _, plain = tokens.issue(people.anna, "reader", scopes=[tokens.READ])
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {plain}")

    assert client.get(URL).status_code == 200
    assert client.post(URL, postgres_for_staging).status_code == 403


def test_anna_cannot_approve_her_own_request_and_bert_can(anna, bert, postgres_for_staging):
    pk = anna.post(URL, postgres_for_staging).json()["id"]

    refused = anna.post(f"{URL}{pk}/approve/", {})
    assert (refused.status_code, refused.json()["code"]) == (403, "NotAllowed")

    approved = bert.post(f"{URL}{pk}/approve/", {"note": "fine"})
    assert (approved.status_code, approved.json()["state"]) == (200, "approved")
    again = bert.post(f"{URL}{pk}/approve/", {})
    assert (again.status_code, again.json()["code"]) == (409, "WrongState")


def test_a_rejection_needs_a_reason(anna, bert, postgres_for_staging):
    pk = anna.post(URL, postgres_for_staging).json()["id"]

    assert "reason" in bert.post(f"{URL}{pk}/reject/", {}).json()["problems"]
    assert bert.post(f"{URL}{pk}/reject/", {"reason": "too big"}).json()["decision_note"] == "too big"


def test_what_one_may_not_see_is_not_there(anna, api_for, people, postgres_for_staging):
    made = anna.post(URL, postgres_for_staging).json()
    carol = api_for(people.carol)

    assert len(carol.get(URL).json()["results"]) == 0
    for path in ("", "entries/", "events/"):
        assert carol.get(f"{URL}{made['id']}/{path}").status_code == 404
    for step in ("approve", "cancel", "retry", "stop"):
        assert carol.post(f"{URL}{made['id']}/{step}/", {}).status_code == 404
    assert carol.get(f"/api/v1/deployments/{made['deployment']}/").status_code == 404
    refused = carol.post(URL, {"kind": "destroy", "deployment": made["deployment"]})
    assert "deployment" in refused.json()["problems"]


def test_a_list_is_narrowed(anna, bert, postgres_for_staging):
    anna.post(URL, postgres_for_staging)

    assert len(anna.get(URL, {"state": "submitted", "mine": "true"}).json()["results"]) == 1
    assert len(anna.get(URL, {"state": "running"}).json()["results"]) == 0
    assert len(anna.get(URL, {"search": "ord"}).json()["results"]) == 1
    assert len(anna.get(URL, {"waiting_for_me": "true"}).json()["results"]) == 0
    assert len(bert.get(URL, {"waiting_for_me": "true"}).json()["results"]) == 1
    refused = anna.get(URL, {"state": "asleep"})
    assert (refused.status_code, "state" in refused.json()["problems"]) == (400, True)


def test_a_list_costs_the_same_however_long_it_is(anna, postgres_for_staging, django_assert_max_num_queries):
    for number in range(8):
        anna.post(URL, {**postgres_for_staging, "name": f"orders-{number}"})

    with django_assert_max_num_queries(5):
        assert len(anna.get(URL).json()["results"]) == 8
    with django_assert_max_num_queries(5):
        assert len(anna.get("/api/v1/deployments/").json()["results"]) == 8


def test_unknown_addresses_of_the_api_answer_with_a_refusal(anna):
    assert anna.get(f"{URL}999/").status_code == 404
    assert anna.get(f"{URL}999/").json()["code"] == "NotFound"
    assert anna.get(f"{URL}1/entries/", {"after": "x"}).status_code == 400
    assert anna.delete(URL).json()["code"] == "MethodNotAllowed"


def test_the_catalog_is_told_with_the_schema_of_its_parameters(anna):
    titles = [item["title"] for item in anna.get("/api/v1/items/").json()["results"]]
    assert titles == sorted(titles)
    assert {"PostgreSQL database", "Resource group", "Storage account"} < set(titles)
    item = anna.get("/api/v1/items/postgresql/").json()
    assert item["schema"]["required"] == ["name"]
    assert "tags" not in item["schema"]["properties"]
    assert anna.get("/api/v1/items/mainframe/").status_code == 404


def test_a_person_is_told_who_they_are(anna):
    assert anna.get("/api/v1/me/").json()["business_units"] == [
        {"slug": "payments", "name": "Payments", "roles": ["requester"]}
    ]
