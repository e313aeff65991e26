import json
import re
from html import unescape

import pytest

from requests_app.models import ServiceRequest
from tests.conftest import SUBNET

NEW, CHECK = "/catalog/postgresql/request/", "/catalog/postgresql/request/check/"
TYPED = {
    "name": "orders",
    "business_unit": "payments",
    "environment": "staging",
    "region": "northeurope",
    "param-sku": "B_Standard_B2s",
    "param-storage_gb": "64",
    "param-postgres_version": "17",
    "param-databases": "orders\r\ninvoices",
    "param-backup_retention_days": "7",
    "param-private_endpoint": "on",
    "param-private_endpoint-subnet_id": SUBNET,
    "justification": "Load tests",
}
IN_PRODUCTION = {**TYPED, "environment": "prod", "param-sku": "GP_Standard_D2ds_v5"}


@pytest.fixture
def anna(people, catalog, client_for):
    return client_for(people.anna)


def text_of(response) -> str:
    return unescape(response.content.decode())


def test_the_form_asks_for_every_parameter_with_its_default(anna):
    page = text_of(anna.get(NEW))

    for label in ("Name", "Business unit", "Environment", "Region", "Size", "Storage (GB)", "Databases"):
        assert label in page
    assert 'name="param-backup_retention_days" value="7"' in page
    assert 'name="environment" value="dev"' in page
    assert "param-name" not in page


def test_a_request_is_submitted_and_shown(anna, people):
    response = anna.post(NEW, TYPED)

    asked = ServiceRequest.objects.get()
    assert response["Location"] == f"/requests/{asked.pk}/"
    assert asked.requester == people.anna
    assert asked.parameters["storage_gb"] == 64
    assert asked.parameters["databases"] == ["orders", "invoices"]
    assert asked.parameters["private_endpoint"]["subnet_id"] == SUBNET
    assert asked.parameters["name"] == asked.deployment.name == "orders"
    assert f"{asked.ref} was submitted." in text_of(anna.get(response["Location"]))


def test_a_small_request_for_development_is_approved_at_once(anna):
    anna.post(
        "/catalog/resource-group/request/",
        {"name": "scratch", "business_unit": "payments", "environment": "dev", "region": "northeurope"},
    )

    asked = ServiceRequest.objects.get()
    assert asked.decided_automatically
    assert "By a rule" in text_of(anna.get(f"/requests/{asked.pk}/"))


def test_problems_stand_beside_their_fields_and_nothing_typed_is_lost(anna):
    response = anna.post(NEW, {**TYPED, "name": "Bad Name", "param-backup_retention_days": "99"})

    page = text_of(response)
    assert response.status_code == 400
    assert "Not submitted: check 2 fields" in page
    assert '<a href="#id_name">Name</a>' in page
    assert "Backups are kept for 7 to 35 whole days." in page
    assert 'value="Bad Name"' in page
    assert 'value="99"' in page
    assert "orders\r\ninvoices" in page or "orders\ninvoices" in page
    assert "Load tests" in page
    assert SUBNET in page
    assert not ServiceRequest.objects.exists()


def test_what_the_rules_do_not_allow_is_told_with_the_rule(anna):
    response = anna.post(NEW, {**IN_PRODUCTION, "param-private_endpoint": ""})

    page = text_of(response)
    assert response.status_code == 422
    assert "a rule does not allow it" in page
    assert "This cannot be submitted" in page
    assert 'value="orders"' in page
    assert "$152.64" in page
    assert not ServiceRequest.objects.exists()


def test_a_number_that_is_none_is_named(anna):
    response = anna.post(NEW, {**TYPED, "param-backup_retention_days": "many"})

    assert response.status_code == 400
    assert 'not the text "many"' in text_of(response)


def test_a_business_unit_of_others_is_refused(anna):
    response = anna.post(NEW, {**TYPED, "business_unit": "retail"})

    assert response.status_code == 400
    assert "You cannot ask for the business unit 'retail'" in text_of(response)


def test_an_empty_post_is_refused_field_by_field(anna):
    response = anna.post(NEW, {})

    assert response.status_code == 400
    assert "Choose one of: dev, staging, prod." in text_of(response)


def test_who_may_ask_for_nothing_is_told_so(people, catalog, client_for):
    page = text_of(client_for(people.bert).get(NEW))

    assert "You cannot request this" in page
    assert "Submit request" not in page


def test_the_panel_follows_the_form(anna):
    small = text_of(anna.post(CHECK, TYPED))
    large = text_of(anna.post(CHECK, {**TYPED, "param-storage_gb": "512"}))

    assert "$67.96" in small
    assert "$124.63" in large
    assert "Bert Example decides" in small
    assert not ServiceRequest.objects.exists()


def test_the_panel_says_when_nobody_has_to_decide(anna):
    panel = text_of(anna.post(CHECK, {**TYPED, "environment": "dev"}))

    assert "Approved by a rule" in panel


def test_the_panel_estimates_with_defaults_while_something_is_missing(anna):
    panel = text_of(anna.post(CHECK, {**TYPED, "name": "", "param-backup_retention_days": "99"}))

    assert "Defaults stand in for what is missing" in panel
    assert "Still needed" in panel
    assert '<a href="#id_name">Name</a>' in panel
    assert "$67.96" in panel


def test_the_panel_tells_what_is_not_allowed_and_links_the_field(anna):
    panel = text_of(anna.post(CHECK, {**IN_PRODUCTION, "param-private_endpoint": ""}))

    assert "This cannot be submitted" in panel
    assert "#id_param-private_endpoint" in panel


def test_rules_say_nothing_of_what_stands_in_for_a_mistake(anna):
    typed = {**IN_PRODUCTION, "param-private_endpoint-subnet_id": ""}

    panel = text_of(anna.post(CHECK, typed))
    refused = text_of(anna.post(NEW, typed))

    assert "#id_param-private_endpoint-subnet_id" in panel
    assert "no public network access" not in panel
    assert "Not submitted: check 1 field<" in refused


def test_fields_that_others_make_pointless_are_hidden(anna):
    burstable = anna.post(CHECK, TYPED)
    general = anna.post(CHECK, {**TYPED, "param-sku": "GP_Standard_D2ds_v5"})

    assert json.loads(burstable["HX-Trigger"])["fields"]["hidden"] == ["f-param-high_availability"]
    assert json.loads(general["HX-Trigger"])["fields"]["hidden"] == []


def options(page: str) -> dict[str, bool]:
    """The sizes of the form, and whether each can be chosen."""
    found = re.findall(r'<option value="((?:B|GP)_[^"]*)"([^>]*)>', page)
    return {value: "disabled" not in rest for value, rest in found}


def test_choices_that_others_rule_out_cannot_be_made(anna):
    for_tests, for_production = anna.post(CHECK, TYPED), anna.post(CHECK, IN_PRODUCTION)
    page = text_of(anna.post(NEW, {**IN_PRODUCTION, "name": ""}))

    assert json.loads(for_tests["HX-Trigger"])["fields"]["closed"] == {}
    assert json.loads(for_production["HX-Trigger"])["fields"]["closed"] == {
        "param-sku": ["B_Standard_B1ms", "B_Standard_B2s"]
    }
    assert options(page) == {
        "B_Standard_B1ms": False,
        "B_Standard_B2s": False,
        "GP_Standard_D2ds_v5": True,
        "GP_Standard_D4ds_v5": True,
    }


def test_a_choice_that_was_made_and_is_ruled_out_stays_and_is_refused(anna):
    response = anna.post(NEW, {**TYPED, "environment": "prod"})

    page = text_of(response)
    assert response.status_code == 400
    assert "B_Standard_B2s cannot be chosen with environment prod. Choose one of: GP_Standard_D2ds_v5" in page
    assert '<option value="B_Standard_B2s" selected>' in page
    assert options(page)["B_Standard_B1ms"] is False
    assert not ServiceRequest.objects.exists()


def test_without_a_script_a_button_shows_the_form_for_what_is_in_it(anna):
    general = {**TYPED, "param-sku": "GP_Standard_D2ds_v5"}
    assert '<noscript><button class="btn" type="submit" name="look" value="1">' in text_of(anna.get(NEW))

    response = anna.post(NEW, {**general, "look": "1"})

    page = text_of(response)
    assert response.status_code == 200
    assert 'id="f-param-high_availability">' in page
    assert 'value="orders"' in page
    assert "Load tests" in page
    assert "Not submitted" not in page
    assert not ServiceRequest.objects.exists()


def test_a_field_that_the_form_does_not_have_is_refused(anna):
    response = anna.post(NEW, {**TYPED, "param-skuu": "x", "param-tags": "y"})

    page = text_of(response)
    assert response.status_code == 400
    assert "skuu is not a parameter of postgresql; did you mean sku?" in page
    assert "tags is filled in by the portal and cannot be given" in page


def test_a_new_form_opens_with_a_complete_estimate(anna):
    page = text_of(anna.get(NEW))

    assert "At least" not in page
    assert "there is no price" not in page
    assert "$56.61" in page


def test_an_unknown_price_makes_the_total_a_lower_bound(anna):
    panel = text_of(anna.post(CHECK, {**TYPED, "param-sku": "B_Standard_B1ms"}))

    assert "At least" in panel
    assert "there is no price for Compute" in panel


def test_the_form_asks_about_use_where_the_price_depends_on_it(anna):
    page = text_of(anna.get("/catalog/storage-account/request/"))
    typed = {**TYPED, "usage-stored_gb": "1000", "param-access_tier": "Hot", "param-replication": "LRS"}
    panel = text_of(anna.post("/catalog/storage-account/request/check/", typed))

    assert "Stored data (GB)" in page
    assert "1,000 ×" in panel


def test_use_that_is_no_number_is_refused_at_its_field(anna):
    typed = {"name": "files", "business_unit": "payments", "environment": "dev", "region": "northeurope"}

    response = anna.post("/catalog/storage-account/request/", {**typed, "usage-stored_gb": "-5"})

    assert response.status_code == 400
    assert '<a href="#id_usage-stored_gb">Stored data (GB)</a>' in text_of(response)


def test_the_form_needs_no_query_for_each_field(anna, django_assert_max_num_queries):
    with django_assert_max_num_queries(30):
        anna.get(NEW)
