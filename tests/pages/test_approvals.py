from datetime import timedelta
from html import unescape

import pytest
from django.utils.timezone import now

from requests_app import services
from requests_app.models import ServiceRequest
from tests.conftest import SUBNET


def text_of(response) -> str:
    return unescape(response.content.decode())


def test_nothing_to_decide_is_good_news(people, catalog, client_for):
    assert "You are all caught up" in text_of(client_for(people.bert).get("/approvals/"))


def test_the_queue_holds_what_waits_in_my_business_units(waiting, people, client_for):
    bert, carol, olga = (client_for(user) for user in (people.bert, people.carol, people.olga))

    assert "orders" in text_of(bert.get("/approvals/"))
    assert "orders" not in text_of(carol.get("/approvals/"))
    assert "orders" not in text_of(olga.get("/approvals/"))


def test_the_navigation_counts_what_waits(waiting, people, client_for):
    assert '<span class="count"><span class="vh">, </span>1' in text_of(client_for(people.bert).get("/"))


def test_own_requests_are_in_the_queue_without_buttons(people, ask, client_for):
    people.emil.memberships.create(business_unit=people.payments, role="approver")
    own = ask("mine", requester=people.emil)

    page = text_of(client_for(people.emil).get("/approvals/"))

    assert "Your own request" in page
    assert f"/requests/{own.pk}/approve/" not in page


def test_decided_requests_are_kept_with_who_decided(waiting, people, client_for):
    services.approve(waiting, actor=people.bert)
    client = client_for(people.bert)

    assert "orders" not in text_of(client.get("/approvals/"))
    decided = text_of(client.get("/approvals/?tab=decided"))
    assert "orders" in decided
    assert "Bert Example" in decided


def test_what_waits_too_long_is_marked(waiting, people, client_for):
    ServiceRequest.objects.update(submitted_at=now() - timedelta(days=2))

    assert "age-late" in text_of(client_for(people.bert).get("/approvals/"))


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("q=orders", True), ("q=zzz", False), ("environment=prod", False), ("verdict=allow", True),
        ("verdict=require_approval", False), ("business_unit=payments", True),
    ],
)  # fmt: skip
def test_the_queue_is_narrowed_by_its_filters(query, is_found, waiting, people, client_for):
    page = text_of(client_for(people.bert).get(f"/approvals/?{query}", headers={"HX-Request": "true"}))

    assert (waiting.ref in page) is is_found
    assert "<html" not in page


def test_the_queue_is_sorted_by_cost_or_by_age(ask, people, client_for):
    ask("small")
    ask("large", parameters={"sku": "GP_Standard_D4ds_v5", "private_endpoint": {"subnet_id": SUBNET}})
    client = client_for(people.bert)

    by_age = text_of(client.get("/approvals/"))
    by_cost = text_of(client.get("/approvals/?sort=-monthly_cost"))
    nonsense = client.get("/approvals/?sort=requester__password")

    assert by_age.index(">small<") < by_age.index(">large<")
    assert by_cost.index(">large<") < by_cost.index(">small<")
    assert 'aria-sort="descending"' in by_cost
    assert nonsense.status_code == 200


def test_a_longer_queue_needs_no_more_queries(ask, people, client_for, django_assert_max_num_queries):
    for number in range(10):
        ask(f"server-{number}")
    client = client_for(people.bert)

    with django_assert_max_num_queries(12):
        client.get("/approvals/")
