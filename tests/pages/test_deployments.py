from html import unescape

import pytest

from requests_app import services
from requests_app.models import ServiceRequest
from tests.pages.conftest import run


def text_of(response) -> str:
    return unescape(response.content.decode())


@pytest.fixture
def anna(people, client_for):
    return client_for(people.anna)


def url(deployment, path: str = "") -> str:
    return f"/resources/{deployment.pk}/{path}"


def test_the_list_begins_with_an_invitation(people, catalog, anna):
    assert "Nothing is running yet" in text_of(anna.get("/resources/"))


def test_the_list_shows_what_my_business_units_run(ready, people, anna, client_for):
    assert "ledger" in text_of(anna.get("/resources/"))
    assert "ledger" in text_of(client_for(people.bert).get("/resources/"))
    assert "ledger" not in text_of(client_for(people.carol).get("/resources/"))


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("q=led", True), ("q=zzz", False), ("item=postgresql", True), ("item=storage-account", False),
        ("state=ready", True), ("state=destroyed", False), ("environment=dev", False),
    ],
)  # fmt: skip
def test_the_list_is_narrowed_by_its_filters(query, is_found, ready, anna):
    page = text_of(anna.get(f"/resources/?{query}", headers={"HX-Request": "true"}))

    assert (url(ready) in page) is is_found


def test_a_longer_list_needs_no_more_queries(ask, anna, django_assert_max_num_queries):
    for number in range(12):
        ask(f"server-{number}")

    with django_assert_max_num_queries(9):
        anna.get("/resources/")


def test_a_stranger_finds_no_deployment_of_another_business_unit(ready, people, client_for):
    client = client_for(people.carol)

    for path in ("", "change/", "destroy/"):
        assert client.get(url(ready, path)).status_code == 404
        assert client.post(url(ready, path), {"confirm": "ledger"}).status_code == 404
    assert ServiceRequest.objects.count() == 1


def test_the_page_shows_outputs_resources_parameters_and_history(ready, anna):
    page = text_of(anna.get(url(ready)))

    assert "psql-orders.example.net" in page
    assert "Host name" in page
    assert "azurerm_postgresql_flexible_server.this" in page
    assert "Small" in page
    assert "REQ-" in page
    assert url(ready, "change/") in page
    assert url(ready, "destroy/") in page


def test_the_page_needs_few_queries(ready, anna, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        anna.get(url(ready))


def test_an_approver_looks_and_has_no_buttons(ready, people, client_for):
    client = client_for(people.bert)

    page = text_of(client.get(url(ready)))
    refused = client.get(url(ready, "change/"))

    assert url(ready, "change/") not in page
    assert refused.status_code == 403
    assert "You do not have access to do that" in text_of(refused)


def test_the_change_form_holds_what_is_there_and_only_what_can_change(ready, anna):
    page = text_of(anna.get(url(ready, "change/")))

    assert "param-sku" in page
    assert "param-postgres_version" not in page
    assert "Change something to see what it costs then." in page


def test_a_change_is_asked_for_with_only_what_is_different(ready, anna):
    response = anna.post(
        url(ready, "change/"),
        {"param-sku": "B_Standard_B2s", "param-storage_gb": "64", "param-backup_retention_days": "7"},
    )

    asked = ServiceRequest.objects.get(kind="update")
    assert response["Location"] == f"/requests/{asked.pk}/"
    assert asked.changes == {"storage_gb": {"from": 32, "to": 64}}
    page = text_of(anna.get(response["Location"]))
    assert "<del>32</del>" in page
    assert "Change of" in page


def test_the_panel_of_a_change_compares_the_cost(ready, anna):
    typed = {"param-sku": "B_Standard_B2s", "param-storage_gb": "64", "param-backup_retention_days": "7"}

    panel = text_of(anna.post(url(ready, "change/"), typed, headers={"HX-Request": "true"}))

    assert "$63.91 now" in panel
    assert "$67.96" in panel
    assert "<html" not in panel
    assert ServiceRequest.objects.count() == 1


def test_a_change_that_changes_nothing_is_refused(ready, anna):
    typed = {"param-sku": "B_Standard_B2s", "param-storage_gb": "32", "param-backup_retention_days": "7"}

    response = anna.post(url(ready, "change/"), typed)

    assert response.status_code == 400
    assert "Nothing would change" in text_of(response)


def test_a_wrong_change_comes_back_as_it_was_typed(ready, anna):
    typed = {"param-sku": "B_Standard_B2s", "param-storage_gb": "32", "param-backup_retention_days": "99"}

    response = anna.post(url(ready, "change/"), typed)

    assert response.status_code == 400
    assert 'value="99"' in text_of(response)
    assert "Backups are kept for 7 to 35 whole days." in text_of(response)


def test_a_removal_needs_the_name(ready, anna):
    page = text_of(anna.get(url(ready, "destroy/")))
    refused = anna.post(url(ready, "destroy/"), {"confirm": "ledgre", "justification": "Over."})

    assert "Type ledger to confirm" in page
    assert refused.status_code == 400
    assert "This is not its name: type ledger." in text_of(refused)
    assert "Over." in text_of(refused)
    assert ServiceRequest.objects.count() == 1


def test_a_removal_is_asked_for(ready, anna):
    response = anna.post(url(ready, "destroy/"), {"confirm": "ledger"})

    asked = ServiceRequest.objects.get(kind="destroy")
    assert response["Location"] == f"/requests/{asked.pk}/"
    assert "Removal of" in text_of(anna.get(response["Location"]))


def test_one_request_at_a_time(ready, anna):
    anna.post(url(ready, "destroy/"), {"confirm": "ledger"})

    page, second = text_of(anna.get(url(ready))), anna.get(url(ready, "change/"))

    assert "Nothing else can be changed until it is over." in page
    assert second.status_code == 409
    assert "has an open request" in text_of(second)


def test_what_was_removed_keeps_its_page(ready, people, anna):
    asked = services.submit_destroy(requester=people.anna, deployment=ready)
    services.succeed(run(asked, people.bert), outputs={}, resources=[])

    assert "ledger" not in text_of(anna.get("/resources/"))
    assert "Removed" in text_of(anna.get(url(ready)))
    assert anna.get(url(ready, "change/")).status_code == 409
