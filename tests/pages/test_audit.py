from html import unescape

import pytest

from requests_app import services


def text_of(response) -> str:
    return unescape(response.content.decode())


def test_an_auditor_reads_what_happened_and_by_whom(waiting, people, client_for):
    services.reject(waiting, actor=people.bert, reason="Too large.")

    page = text_of(client_for(people.dora).get("/audit/"))

    assert "request.submit" in page
    assert "request.reject" in page
    assert "Bert Example" in page
    assert "Too large." in page
    assert f'href="/requests/{waiting.pk}/"' in page


def test_the_trail_is_for_auditors(waiting, people, client_for):
    for user in (people.anna, people.bert, people.carol):
        response = client_for(user).get("/audit/")

        assert response.status_code == 403
        assert "request.submit" not in text_of(response)


def test_an_auditor_sees_nothing_of_other_business_units(waiting, people, client_for):
    people.carol.memberships.create(business_unit=people.retail, role="auditor")

    page = text_of(client_for(people.carol).get("/audit/"))

    assert "request.submit" not in page
    assert "Nothing has happened yet" in page


def test_an_operator_sees_all(waiting, people, client_for):
    assert waiting.ref in text_of(client_for(people.olga).get("/audit/"))


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("q=anna", True), ("q=zzz", False), ("about=request", True), ("about=catalog", False),
        ("business_unit=payments", True), ("since=2001-01-01", True), ("until=2001-01-01", False),
        ("since=nonsense", True),
    ],
)  # fmt: skip
def test_the_trail_is_narrowed_by_its_filters(query, is_found, waiting, people, client_for):
    page = text_of(client_for(people.dora).get(f"/audit/?{query}", headers={"HX-Request": "true"}))

    assert (waiting.ref in page) is is_found
    assert ("No events match these filters" in page) is not is_found


def test_a_longer_trail_needs_no_more_queries(ask, people, client_for, django_assert_max_num_queries):
    for number in range(12):
        ask(f"server-{number}")
    client = client_for(people.dora)

    with django_assert_max_num_queries(8):
        client.get("/audit/")
