"""What lists, filters, counts, searches, cursors and refusals tell of a business unit that somebody is not in."""

import json
import re
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from catalog_app.models import Item
from portal.identity import tokens
from tests.permissions.world import ACTORS, BY_NAME, FOREIGN, MARKS, OWN, leaks, wanted

pytestmark = pytest.mark.django_db

FOREIGN_NAME = MARKS[FOREIGN]
LISTS = ["/api/v1/requests/", "/api/v1/deployments/", "/api/v1/budgets/", "/api/v1/webhooks/"]
PAGES = [
    "/requests/?whose=all",
    "/resources/",
    "/approvals/",
    "/approvals/?tab=decided",
    "/audit/",
    "/search/",
]
PEOPLE = [actor.name for actor in ACTORS if not actor.is_machine and not actor.is_operator]


def api(world, name, token=None):
    client = Client()
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {token or world.tokens[name]}"
    return client


def said(answer):
    return unescape(answer.content.decode())


@pytest.mark.parametrize("path", LISTS)
def test_a_list_of_the_api_has_the_rows_of_ones_own_business_units(path, world):
    for actor in ACTORS:
        rows = api(world, actor.name).get(path).json()["results"]

        units = {row["business_unit"] for row in rows}
        assert units <= {unit for unit in MARKS if actor.is_operator or unit == actor.unit}
        if not actor.roles and not actor.is_operator or actor.ended:
            assert rows == []


@pytest.mark.parametrize("path", LISTS)
def test_a_filter_for_a_foreign_business_unit_finds_what_one_for_no_business_unit_finds(path, world):
    for name in PEOPLE:
        if BY_NAME[name].unit == FOREIGN:
            continue
        foreign, nowhere = (
            api(world, name).get(path, {"business_unit": slug}).content for slug in (FOREIGN, "nowhere")
        )
        assert foreign == nowhere


@pytest.mark.parametrize(
    "words", [FOREIGN_NAME, f"{FOREIGN_NAME}-wait", "{ref}", "{pk}", f"CC-{FOREIGN_NAME}", "retail"]
)
def test_a_search_finds_nothing_of_a_foreign_business_unit(words, world):
    waiting = world.sides[FOREIGN].waiting
    text = words.format(ref=waiting.ref, pk=waiting.pk)

    for name in ("requester", "approver", "auditor", "bu_admin", "nobody", "former"):
        client = world.signed_in(name)
        for path in PAGES:
            page = said(client.get(path, {"q": text})).replace(text, "")
            assert not leaks(BY_NAME[name], page), f"{name} {path}"
            assert reverse("request", args=[waiting.pk]) not in page
        for path in ("/api/v1/requests/", "/api/v1/deployments/"):
            assert api(world, name).get(path, {"search": text}).json()["results"] == []


def test_every_filter_of_the_pages_offers_ones_own_business_units_only(world):
    for name in PEOPLE:
        actor = BY_NAME[name]
        for path in PAGES:
            page = said(world.signed_in(name).get(path))
            offered = set(re.findall(r'<option value="(payments|retail)"', page))
            assert offered <= ({actor.unit} if actor.roles and not actor.ended else set())


def test_counts_are_of_what_one_sees(world):
    """Each business unit has one request that waits and five in all."""
    for name in PEOPLE:
        actor, client = BY_NAME[name], world.signed_in(name)
        sees = 5 if actor.roles and not actor.ended else 0
        found = re.search(r"(\d+) requests? found", said(client.get("/requests/?whose=all")))
        assert found
        assert int(found[1]) == sees
        decides = name == "approver"  # the neighbour's own request waits, and is not theirs to decide on
        assert (", </span>1<span" in said(client.get("/"))) == decides, name


def test_a_cursor_of_somebody_else_opens_nothing(world):
    theirs = api(world, "neighbour").get("/api/v1/requests/", {"limit": 1}).json()["next"]
    assert theirs

    answer = api(world, "requester").get(theirs[theirs.index("/api") :])

    assert not leaks(BY_NAME["requester"], answer.content.decode())


@pytest.mark.parametrize("kind", ["update", "destroy"])
def test_a_deployment_of_others_cannot_be_named_in_a_request(kind, world):
    """And the refusal is the one for a deployment that is not there."""
    client = api(world, "requester")

    def refusal(pk):
        body = {"kind": kind, "deployment": pk}
        answers = [
            client.post(path, body, content_type="application/json")
            for path in ("/api/v1/requests/", "/api/v1/requests/check/")
        ]
        assert [answer.status_code for answer in answers] == [400, 400]
        return [answer.content.decode().replace(pk, "") for answer in answers]

    absent = refusal("00000000-0000-4000-8000-000000000000")
    assert refusal(str(world.sides[FOREIGN].ready.pk)) == absent


def test_a_name_that_is_taken_in_a_foreign_business_unit_is_free(world):
    """Else one could try which names there are."""
    taken = wanted(OWN, world.sides[FOREIGN].waiting.name)

    answer = api(world, "requester").post("/api/v1/requests/", taken, content_type="application/json")

    assert answer.status_code == 201


def test_a_check_for_a_foreign_business_unit_tells_nothing_of_it(world):
    client, body = api(world, "requester"), wanted(FOREIGN, "brand-new")

    answers = {
        slug: client.post(
            "/api/v1/requests/check/", {**body, "business_unit": slug}, content_type="application/json"
        ).json()
        for slug in (FOREIGN, "nowhere")
    }

    assert json.dumps(answers[FOREIGN]).replace(FOREIGN, "") == json.dumps(answers["nowhere"]).replace(
        "nowhere", ""
    )
    assert answers[FOREIGN]["approvers"] == []


def test_an_item_for_another_business_unit_is_not_there(world):
    Item.objects.filter(slug="managed-redis").update(business_units=f",{FOREIGN},")

    for name, there in (("requester", False), ("nobody", False), ("neighbour", True), ("operator", True)):
        page, client = world.signed_in(name), api(world, name)
        assert (page.get("/catalog/managed-redis/").status_code == 200) == there
        assert (page.get("/catalog/managed-redis/request/").status_code == 200) == there
        assert (client.get("/api/v1/items/managed-redis/").status_code == 200) == there
        for path in ("/", "/?q=redis", "/search/?q=redis"):
            assert ("managed-redis" in said(page.get(path))) == there
        refusal = client.post(
            "/api/v1/requests/check/",
            wanted(OWN, "brand-new", item="managed-redis"),
            content_type="application/json",
        ).json()["problems"]
        assert ("item" in refusal) != there


@pytest.mark.parametrize("path", ["/", *PAGES, "/budgets/", "/account/permissions/", "/units/"])
def test_a_token_of_one_business_unit_hides_the_other_one(path, world):
    """On the API; pages take no token at all."""
    owner = world.users["requester"]
    owner.memberships.create(business_unit=world.sides[FOREIGN].unit, role="bu_admin")
    _, plain = tokens.issue(owner, "one unit", business_unit=world.sides[OWN].unit)

    assert Client().get(path, headers={"Authorization": f"Bearer {plain}"}).status_code == 302
    for listed in (*LISTS, "/api/v1/me/", "/api/v1/me/permissions/"):
        answer = api(world, "", plain).get(listed)
        assert answer.status_code == 200
        assert FOREIGN_NAME not in answer.content.decode().lower()
    for side, status in ((world.sides[OWN], 200), (world.sides[FOREIGN], 404)):
        assert api(world, "", plain).get(f"/api/v1/requests/{side.waiting.pk}/").status_code == status
        assert api(world, "", plain).get(f"/api/v1/deployments/{side.ready.pk}/").status_code == status
