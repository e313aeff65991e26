"""Pages, filters and orders of every list."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import get_resolver, reverse
from django.utils.timezone import now

from portal.webhooks import services as webhooks
from portal.webhooks.models import Webhook
from requests_app import services
from requests_app.models import ServiceRequest
from tests.api.conftest import REQUESTS

WEBHOOKS = "/api/v1/webhooks/"


@pytest.fixture
def emil(people, api_for):
    return api_for(people.emil)


@pytest.fixture
def seven(people):
    """Seven webhooks, two of which were made in the same moment."""
    made = [
        webhooks.create(actor=people.emil, business_unit=people.payments, url=f"https://hooks.example/{n}")[0]
        for n in range(7)
    ]
    start = now() - timedelta(days=1)
    for number, webhook in enumerate(made):
        Webhook.objects.filter(pk=webhook.pk).update(created_at=start + timedelta(hours=max(number, 1)))
    return [f"https://hooks.example/{n}" for n in range(7)]


def walk(client, url, direction="next"):
    """All pages from here on, as lists of addresses."""
    pages = []
    while url:
        page = client.get(url).json()
        pages.append([row["url"] for row in page["results"]])
        url = page[direction]
    return pages


def test_pages_hold_everything_once_in_both_directions(emil, seven):
    forwards = walk(emil, f"{WEBHOOKS}?limit=3")
    last = emil.get(f"{WEBHOOKS}?limit=3").json()
    while last["next"]:
        last = emil.get(last["next"]).json()
    backwards = walk(emil, last["previous"], "previous")

    assert [len(page) for page in forwards] == [3, 3, 1]
    assert sorted(sum(forwards, [])) == seven
    assert backwards == [forwards[1], forwards[0]]


def test_the_first_page_has_no_previous_and_the_last_no_next(emil, seven):
    only = emil.get(WEBHOOKS).json()

    assert (only["next"], only["previous"], len(only["results"])) == (None, None, 7)


@pytest.mark.parametrize("order", ["created_at", "-created_at"])
def test_what_comes_or_goes_meanwhile_does_not_shift_a_page(emil, seven, people, order):
    first = emil.get(f"{WEBHOOKS}?limit=3&order={order}").json()
    webhooks.create(actor=people.emil, business_unit=people.payments, url="https://hooks.example/new")
    Webhook.objects.filter(created_at__gt=now() - timedelta(minutes=1)).update(
        created_at=now() - timedelta(days=9)
    )
    Webhook.objects.filter(url=first["results"][0]["url"]).delete()

    rest = sum(walk(emil, first["next"]), [])
    seen = [row["url"] for row in first["results"]]

    assert [url for url in rest if url in seen] == []
    assert set(seen + rest) - {"https://hooks.example/new"} == set(seven)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=-1", "limit"),
        ("limit=many", "limit"),
        ("limit=٣", "limit"),
        ("cursor=abc", "cursor"),
        ("cursor=WyJhIl0:1x:y", "cursor"),
        ("order=secret", "order"),
        ("offset=3", "offset"),
        ("surprise=1", "surprise"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused_by_name(emil, query, field):
    refused = emil.get(f"{WEBHOOKS}?{query}")

    assert refused.status_code == 400
    assert refused.json()["code"] == "InvalidInput"
    assert list(refused.json()["problems"]) == [field]


def test_a_cursor_belongs_to_its_order_and_cannot_be_made_up(emil, seven):
    link = emil.get(f"{WEBHOOKS}?limit=2").json()["next"]
    cursor = parse_qs(urlsplit(link).query)["cursor"][0]

    for other in (f"order=-created_at&cursor={cursor}", f"cursor={cursor[:-1]}", f"cursor=x{cursor}"):
        assert "cursor" in emil.get(f"{WEBHOOKS}?{other}").json()["problems"]


def test_requests_are_narrowed_and_ordered(anna, asked, people, postgres_for_staging):
    other = services.submit(requester=people.anna, **{**postgres_for_staging, "name": "billing"})
    services.approve(other, actor=people.bert)
    ServiceRequest.objects.filter(pk=asked.pk).update(submitted_at=now() - timedelta(days=3))

    def found(**query):
        return [row["name"] for row in anna.get(REQUESTS, query).json()["results"]]

    assert found() == ["billing", "orders"]
    assert found(order="submitted_at") == ["orders", "billing"]
    assert found(order="-deployment__name") == ["orders", "billing"]
    assert found(state=["submitted", "approved"]) == ["billing", "orders"]
    assert found(state="approved") == ["billing"]
    assert found(search=asked.ref) == ["orders"]
    assert found(search="ILL") == ["billing"]
    assert found(requester="bert") == []
    assert found(mine="true", kind="create", environment="staging", item="postgresql") == [
        "billing",
        "orders",
    ]
    assert found(deployment=str(asked.deployment_id)) == ["orders"]
    assert found(submitted_before=(now() - timedelta(days=1)).isoformat()) == ["orders"]
    assert found(submitted_after=(now() - timedelta(days=1)).isoformat()) == ["billing"]
    assert found(business_unit="retail") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"state": "asleep"}, "state"),
        ({"mine": "perhaps"}, "mine"),
        ({"waiting_for_me": "1"}, "waiting_for_me"),
        ({"deployment": "orders"}, "deployment"),
        ({"submitted_after": "yesterday"}, "submitted_after"),
        ({"stat": "submitted"}, "stat"),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused_by_name(people, api_for, query, field):
    refused = api_for(people.anna).get(REQUESTS, query)

    assert refused.status_code == 400
    assert field in refused.json()["problems"]


def test_the_trail_of_a_request_has_pages(anna, asked, people):
    services.approve(asked, actor=people.bert)
    url = f"{REQUESTS}{asked.pk}/events/"

    first = anna.get(f"{url}?limit=1").json()
    second = anna.get(first["next"]).json()

    assert [row["action"] for row in first["results"] + second["results"]] == [
        "request.submit",
        "request.approve",
    ]
    assert second["next"] is None
    assert anna.get(f"{url}?sort=1").status_code == 400


def test_budgets_have_pages_too(people, api_for):
    refused = api_for(people.emil).get("/api/v1/budgets/?unit=payments")
    page = api_for(people.emil).get("/api/v1/budgets/?limit=1").json()

    assert list(refused.json()["problems"]) == ["unit"]
    assert set(page) == {"next", "previous", "results"}


def test_every_list_of_the_api_has_pages_and_refuses_what_it_does_not_know(people, api_for):
    olga = api_for(people.olga)
    lists = [
        reverse(pattern.name)
        for group in get_resolver().url_patterns
        if str(group.pattern).startswith("api/v1/")
        for pattern in getattr(group, "url_patterns", [])
        if getattr(pattern.callback, "actions", {}).get("get") == "list"
    ]

    assert len(lists) >= 5
    for url in lists:
        assert set(olga.get(url).json()) == {"next", "previous", "results"}
        assert list(olga.get(f"{url}?surprise=1").json()["problems"]) == ["surprise"]
