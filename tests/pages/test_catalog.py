import pytest

HTMX = {"HX-Request": "true"}


@pytest.fixture
def anna(people, catalog, client_for):
    return client_for(people.anna)


def test_the_catalog_shows_what_is_offered(anna):
    page = anna.get("/").content.decode()

    for title in ("PostgreSQL database", "Resource group", "Storage account"):
        assert title in page


def test_the_search_narrows_the_catalog(anna):
    found = anna.get("/?q=blob", headers=HTMX).content.decode()

    assert "Storage account" in found
    assert "PostgreSQL" not in found
    assert "<html" not in found


def test_a_category_narrows_the_catalog(anna):
    found = anna.get("/?category=databases").content.decode()

    assert "PostgreSQL database" in found
    assert "Storage account" not in found


def test_a_search_without_a_hit_says_what_to_do(anna):
    found = anna.get("/?q=%3Cmainframe%3E").content.decode()

    assert "Nothing in the catalog matches" in found
    assert "&lt;mainframe&gt;" in found
    assert "Clear filters" in found


def test_an_empty_catalog_says_so(people, client_for):
    assert "The catalog is empty" in client_for(people.anna).get("/").content.decode()


def test_the_catalog_needs_as_many_queries_for_one_item_as_for_three(anna, django_assert_max_num_queries):
    with django_assert_max_num_queries(6):
        anna.get("/")


def test_the_page_of_an_item_tells_what_one_chooses_and_gets(anna):
    page = anna.get("/catalog/postgresql/").content.decode()

    assert "Storage (GB)" in page
    assert "Host name" in page
    assert "Change backup retention" in page
    assert "North Europe" in page
    assert "/catalog/postgresql/request/" in page


@pytest.mark.parametrize("path", ["/catalog/mainframe/", "/catalog/mainframe/request/"])
def test_an_unknown_item_is_not_found(path, anna):
    assert anna.get(path).status_code == 404
