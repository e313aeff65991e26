from html import unescape

import pytest
from django.apps import apps

from catalog_app.problems import CatalogProblems
from catalog_app.sync import sync

REQUESTS = "/admin/requests_app/servicerequest/"


def text_of(response) -> str:
    return unescape(response.content.decode())


@pytest.fixture
def olga(people, client_for):
    return client_for(people.olga)


def test_the_admin_is_for_operators(people, catalog, client_for):
    response = client_for(people.anna).get("/admin/")

    assert response.status_code == 302
    assert "login" in response["Location"]


def test_the_overview_shows_what_waits_and_what_failed(waiting, failed, olga):
    page = text_of(olga.get("/admin/"))

    assert "Waiting for approval" in page
    assert "SkuNotAvailable" in page
    assert f"orders ({waiting.ref})" in page


def test_requests_are_listed_and_found(waiting, olga):
    assert waiting.ref in text_of(olga.get(REQUESTS))
    assert waiting.ref in text_of(olga.get(f"{REQUESTS}?q=orders"))
    assert waiting.ref not in text_of(olga.get(f"{REQUESTS}?q=zzz"))
    assert waiting.ref not in text_of(olga.get(f"{REQUESTS}?state__exact=failed"))


@pytest.mark.parametrize("path", ["add/", "{pk}/delete/"])
def test_requests_are_neither_made_nor_deleted_there(path, waiting, olga):
    assert olga.get(REQUESTS + path.format(pk=waiting.pk)).status_code == 403


def test_a_request_is_not_changed_there(waiting, olga):
    page = olga.get(f"{REQUESTS}{waiting.pk}/change/")
    posted = olga.post(f"{REQUESTS}{waiting.pk}/change/", {"state": "succeeded"})

    assert page.status_code == 200
    assert 'name="_save"' not in text_of(page)
    assert posted.status_code == 403
    waiting.refresh_from_db()
    assert waiting.state == "submitted"


def test_a_deployment_is_looked_at_and_not_changed(ready, olga):
    base = "/admin/requests_app/deployment/"

    assert "ledger" in text_of(olga.get(base))
    assert "psql-orders.example.net" in text_of(olga.get(f"{base}{ready.pk}/change/"))
    assert olga.post(f"{base}{ready.pk}/change/", {"name": "x"}).status_code == 403
    assert olga.get(f"{base}{ready.pk}/delete/").status_code == 403


def test_an_operator_retries_what_failed_and_hears_what_did_not_work(failed, waiting, olga):
    chosen = {"action": "retry", "_selected_action": [failed.pk, waiting.pk]}

    page = text_of(olga.post(REQUESTS, chosen, follow=True))

    assert f"{failed.ref} was tried again." in page
    assert f"{waiting.ref} is waiting for approval now" in page
    failed.refresh_from_db()
    assert failed.attempt == 2


def test_an_operator_cancels_what_has_not_started(waiting, olga):
    page = text_of(olga.post(REQUESTS, {"action": "cancel", "_selected_action": [waiting.pk]}, follow=True))

    assert f"{waiting.ref} was cancelled." in page
    waiting.refresh_from_db()
    assert waiting.state == "cancelled"


def test_a_longer_list_needs_no_more_queries(ask, olga, django_assert_max_num_queries):
    for number in range(12):
        ask(f"server-{number}")

    with django_assert_max_num_queries(16):
        olga.get(REQUESTS)


# ── the catalog ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_overview_shows_the_last_sync_of_the_catalog(shelf, olga):
    assert "The catalog is empty" in text_of(olga.get("/admin/"))

    shelf.put()
    page = text_of(olga.get("/admin/"))

    assert "Catalog sync" in page
    assert "new: space 1.0.0" in page
    assert "/admin/catalog_app/catalogsync/" in page


def test_the_overview_shows_a_sync_that_failed(shelf, olga):
    with pytest.raises(CatalogProblems):
        shelf.write(lifecycle="golden").sync()

    assert "Failed: space/item.yaml:" in text_of(olga.get("/admin/"))


def test_items_versions_and_syncs_are_looked_at_with_lifecycle_digest_and_commit(shelf, olga):
    shelf.write("annex")
    version = shelf.put(lifecycle="deprecated", replaced_by="annex")
    sync(shelf.folder, by="olga", commit="abc123def456")

    items = text_of(olga.get("/admin/catalog_app/item/"))
    assert "Retiring" in items
    assert version.digest[:12] in items
    assert "Annex" in items
    assert version.digest in text_of(olga.get("/admin/catalog_app/itemversion/"))
    syncs = text_of(olga.get("/admin/catalog_app/catalogsync/"))
    assert "abc123def456" in syncs
    assert "new: annex 1.0.0, new: space 1.0.0" in syncs


@pytest.mark.parametrize("model", ["item", "itemversion", "catalogsync"])
def test_the_catalog_is_neither_made_nor_changed_nor_deleted_there(model, shelf, olga):
    shelf.put()
    base = f"/admin/catalog_app/{model}/"
    pk = apps.get_model("catalog_app", model).objects.get().pk

    assert olga.get(f"{base}{pk}/change/").status_code == 200
    assert olga.post(f"{base}{pk}/change/", {"title": "x"}).status_code == 403
    assert olga.get(f"{base}add/").status_code == 403
    assert olga.get(f"{base}{pk}/delete/").status_code == 403
