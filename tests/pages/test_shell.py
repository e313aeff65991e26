import pytest
from django.contrib.staticfiles import finders
from django.test import Client

PAGES = [
    "/",
    "/requests/",
    "/resources/",
    "/approvals/",
    "/audit/",
    "/search/",
    "/catalog/postgresql/",
    "/admin/",
]


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_shown_before_the_sign_in(path, catalog):
    response = Client().get(path)

    assert response.status_code == 302
    assert "login" in response["Location"]


def test_people_sign_in_and_out(people):
    client = Client()

    signed_in = client.post("/accounts/login/", {"login": "anna", "password": people.password})
    page = client.get("/")
    signed_out = client.post("/accounts/logout/")

    assert signed_in["Location"] == "/"
    assert b"Anna Example" in page.content
    assert signed_out.status_code == 302
    assert client.get("/").status_code == 302


def test_a_wrong_password_is_told_on_the_page(people):
    response = Client().post("/accounts/login/", {"login": "anna", "password": "wrong"})

    assert response.status_code == 200
    assert b"not correct" in response.content


def test_signing_out_is_not_done_by_a_link(people, client_for):
    client = client_for(people.anna)

    response = client.get("/accounts/logout/")

    assert b"Sign out of Groundwork?" in response.content
    assert client.get("/").status_code == 200


@pytest.mark.parametrize(
    "path", ["/", "/requests/", "/approvals/", "/nowhere/", "/accounts/login/", "/admin/"]
)
def test_every_page_has_the_strict_policy(path, people, catalog, client_for):
    response = client_for(people.olga).get(path)

    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize(
    "path", ["/", "/requests/", "/approvals/", "/catalog/postgresql/request/", "/audit/"]
)
def test_no_page_has_inline_style_or_script(path, people, catalog, client_for):
    page = client_for(people.olga).get(path).content.decode()

    assert "<style" not in page
    assert " style=" not in page
    assert " onclick=" not in page
    assert page.count("<script") == page.count("<script src=")


def test_the_theme_is_a_cookie(people, client_for):
    client = client_for(people.anna)

    answer = client.post("/theme/", {"theme": "dark", "next": "/requests/"})

    assert answer["Location"] == "/requests/"
    assert b'data-theme="dark"' in client.get("/").content


@pytest.mark.parametrize(
    "target", ["https://elsewhere.example/", "//elsewhere.example/", "javascript:alert(1)"]
)
def test_the_theme_switch_leads_to_no_other_site(target, people, client_for):
    answer = client_for(people.anna).post("/theme/", {"theme": "dark", "next": target})

    assert answer["Location"] == "/"


def test_an_unknown_theme_is_the_one_of_the_system(people, client_for):
    client = client_for(people.anna)

    client.post("/theme/", {"theme": "<script>", "next": "/"})

    assert b'data-theme="auto"' in client.get("/").content


def test_the_navigation_offers_what_a_person_may_open(people, catalog, client_for):
    anna, bert, dora = (client_for(user).get("/").content for user in (people.anna, people.bert, people.dora))

    assert b"Approvals" not in anna
    assert b"Audit" not in anna
    assert b"Approvals" in bert
    assert b"Audit" in dora


def test_the_palette_finds_pages_items_and_requests(waiting, people, client_for):
    client = client_for(people.anna)

    assert b"Resources" in client.get("/search/").content
    assert b"PostgreSQL database" in client.get("/search/?q=postgres").content
    assert waiting.ref.encode() in client.get(f"/search/?q={waiting.ref}").content
    assert b"Nothing matches" in client.get("/search/?q=zzz").content


def test_the_palette_shows_nothing_of_other_business_units(waiting, people, client_for):
    found = client_for(people.carol).get(f"/search/?q={waiting.ref}").content

    assert f"/requests/{waiting.pk}/".encode() not in found


def test_files_that_come_from_packages_are_there():
    assert finders.find("fonts/inter/Inter[opsz,wght].ttf")
    assert finders.find("django_htmx/htmx-2.min.js")
