"""From draft to retired: who sees an item, who can ask for it, and what is said."""

import pytest

from catalog_app.models import Item
from catalog_app.problems import CatalogProblems
from portal.errors import InvalidInput
from portal.identity.models import Membership
from portal.identity.roles import Role
from requests_app import services
from requests_app.states import DeploymentState
from tests.requests.support import make_ready

ITEMS = "/api/v1/items/"


def wanted(**changes):
    where = {"business_unit": "payments", "environment": "dev", "region": "northeurope"}
    return {"item": "space", "name": "atlas", "parameters": {}, **where, **changes}


def slugs(user):
    return [item.slug for item in Item.objects.offered_to(user)]


def page(client, path):
    response = client.get(path)
    return response.status_code, response.content.decode()


@pytest.fixture
def olga(people):
    """An operator who also asks for things of payments."""
    Membership.objects.create(user=people.olga, business_unit=people.payments, role=Role.REQUESTER)
    return people.olga


# ── draft ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_draft_is_seen_and_asked_for_by_operators_only(shelf, people, olga):
    shelf.put(lifecycle="draft")

    assert (slugs(people.anna), slugs(olga)) == ([], ["space"])
    with pytest.raises(InvalidInput, match="There is no item 'space' in the catalog"):
        services.submit(requester=people.anna, **wanted())
    assert services.submit(requester=olga, **wanted()).item.slug == "space"


def test_a_draft_has_no_page_and_no_address_for_others(shelf, people, olga, client_for, api_for):
    shelf.put(lifecycle="draft")
    anna, operator = client_for(people.anna), client_for(olga)

    for path in ("/catalog/space/", "/catalog/space/request/"):
        assert anna.get(path).status_code == 404
        assert operator.get(path).status_code == 200
    assert "Space" not in page(anna, "/")[1]
    assert "Draft" in page(operator, "/")[1]
    assert api_for(people.anna).get(f"{ITEMS}space/").status_code == 404
    assert api_for(olga).get(f"{ITEMS}space/").json()["lifecycle"] == "draft"


# ── preview ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_preview_can_be_asked_for_and_is_marked(shelf, people, client_for):
    shelf.put(lifecycle="preview")
    anna = client_for(people.anna)

    assert "Preview" in page(anna, "/")[1]
    assert "Space is a preview" in page(anna, "/catalog/space/")[1]
    assert services.submit(requester=people.anna, **wanted())


# ── deprecated ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def retiring(shelf):
    shelf.write("annex", title="Annex")
    return shelf.put(lifecycle="deprecated", replaced_by="annex", title="A space")


def test_what_is_retiring_is_listed_last_and_names_what_to_use(retiring, people, client_for, api_for):
    anna = client_for(people.anna)

    assert slugs(people.anna) == ["annex", "space"]
    assert "Use Annex for new work." in page(anna, "/")[1]
    status, text = page(anna, "/catalog/space/")
    assert "A space is retiring" in text
    assert '<a href="/catalog/annex/">Annex</a>' in text
    assert api_for(people.anna).get(f"{ITEMS}space/").json()["replaced_by"] == "annex"


def test_what_is_retiring_can_be_asked_for_with_a_warning(retiring, people, client_for, api_for):
    said = "A space is retiring. Use Annex (annex) for new work."

    checked = api_for(people.anna).post("/api/v1/requests/check/", wanted()).json()

    assert (checked["problems"], checked["warnings"]) == ({}, {"item": said})
    assert said in page(client_for(people.anna), "/catalog/space/request/")[1]
    assert services.submit(requester=people.anna, **wanted())


# ── retired ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def retired(shelf, people):
    """Anna has one from the time before."""
    shelf.write("annex", title="Annex").put()
    made = services.submit(requester=people.anna, **wanted())
    deployment = make_ready(made)
    changes = [{"version": "1.0.1", "text": "Retired: use the annex."}]
    shelf.put(version="1.0.1", lifecycle="retired", replaced_by="annex", changes=changes)
    deployment.refresh_from_db()
    return deployment


def test_a_retired_item_takes_no_new_requests(retired, people, client_for, api_for):
    said = "Space is retired and takes no new requests. Use Annex (annex) for new work."
    anna = client_for(people.anna)

    with pytest.raises(InvalidInput) as refused:
        services.submit(requester=people.anna, **wanted(name="second"))

    assert refused.value.problems["item"] == said
    assert slugs(people.anna) == ["annex"]
    assert [item["slug"] for item in api_for(people.anna).get(ITEMS).json()["results"]] == ["annex"]
    status, text = page(anna, "/catalog/space/request/")
    assert (status, "Space is retired and takes no new requests. Use Annex" in text) == (409, True)


def test_the_page_of_a_retired_item_stays_and_has_no_button(retired, people, client_for, api_for):
    status, text = page(client_for(people.anna), "/catalog/space/")

    assert status == 200
    assert "Space is retired" in text
    assert '<a href="/catalog/annex/">Annex</a>' in text
    assert "/catalog/space/request/" not in text
    assert api_for(people.anna).get(f"{ITEMS}space/").json()["lifecycle"] == "retired"


def test_what_exists_of_a_retired_item_can_be_changed_and_removed(retired, people, client_for):
    text = page(client_for(people.anna), retired.get_absolute_url())[1]
    assert "Space is retired" in text
    assert '<a href="/catalog/annex/">Annex</a>' in text

    changed = services.submit_update(
        requester=people.anna, deployment=retired, parameters={"purpose": "tests"}
    )
    make_ready(changed)
    removed = services.submit_destroy(requester=people.anna, deployment=retired)
    make_ready(removed)

    retired.refresh_from_db()
    assert retired.state == DeploymentState.DESTROYED


def test_an_item_whose_module_is_gone_is_as_good_as_retired(shelf, people):
    shelf.write("annex").put()
    deployment = make_ready(services.submit(requester=people.anna, **wanted()))
    for file in (shelf.folder / "space").iterdir():
        file.unlink()
    shelf.sync()

    with pytest.raises(InvalidInput, match="Space is retired and takes no new requests. Nothing takes its"):
        services.submit(requester=people.anna, **wanted(name="second"))
    assert services.submit_destroy(requester=people.anna, deployment=deployment)


# ── successors ──────────────────────────────────────────────────────────────────────────────────────────────


def problems_of(shelf):
    with pytest.raises(CatalogProblems) as error:
        shelf.sync()
    return [str(problem) for problem in error.value.found]


@pytest.mark.parametrize(
    ("parts", "successor", "expected"),
    [
        ({"replaced_by": "annexe"}, {}, "there is no item annexe; there are: annex, space"),
        ({"replaced_by": "space"}, {}, "space → space is a ring: one of them has to stay"),
        ({"replaced_by": "annex"}, {"lifecycle": "retired"}, "annex is retired itself: name an item that"),
        ({"replaced_by": "annex"}, {"lifecycle": "draft"}, "annex is draft itself: name an item that people"),
        ({"replaced_by": "annex", "lifecycle": "ga"}, {}, "only an item that is deprecated or retired is"),
    ],
)
def test_a_successor_that_leads_nowhere_is_refused(shelf, parts, successor, expected):
    shelf.write("annex", **successor).write(**{"lifecycle": "deprecated", **parts})

    (problem,) = problems_of(shelf)

    assert problem.startswith("space/item.yaml:")
    assert expected in problem


def test_a_ring_of_successors_is_refused_where_each_of_them_can_be_changed(shelf):
    shelf.write("annex", lifecycle="deprecated", replaced_by="space")
    shelf.write(lifecycle="deprecated", replaced_by="annex")

    assert [problem.partition(": ")[2] for problem in problems_of(shelf)] == [
        "annex → space → annex is a ring: one of them has to stay",
        "space → annex → space is a ring: one of them has to stay",
    ]


def test_a_successor_is_offered_to_everybody_who_is_sent_there(shelf):
    only = {"environments": ["dev"], "regions": ["northeurope"], "business_units": ["retail"]}
    shelf.write("annex", availability=only).write(lifecycle="deprecated", replaced_by="annex")

    (problem,) = problems_of(shelf)

    assert "annex is not offered to all business units that have space" in problem


# ── business units ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def for_payments(shelf):
    availability = {
        "environments": ["dev"], "regions": ["northeurope"], "business_units": ["payments", "secret-unit"],
    }  # fmt: skip
    return shelf.put(availability=availability)


def test_an_item_of_some_business_units_is_hidden_from_the_others(for_payments, people, client_for, api_for):
    carol = client_for(people.carol)

    assert slugs(people.anna) == slugs(people.bert) == slugs(people.olga) == ["space"]
    assert slugs(people.carol) == []
    assert "Space" not in page(carol, "/")[1]
    for path in ("/catalog/space/", "/catalog/space/request/"):
        assert carol.get(path).status_code == 404
    assert api_for(people.carol).get(f"{ITEMS}space/").status_code == 404
    with pytest.raises(InvalidInput, match="There is no item 'space' in the catalog"):
        services.submit(requester=people.carol, **wanted(business_unit="retail"))


def test_who_is_in_two_units_asks_for_the_one_that_has_it(for_payments, people, client_for):
    Membership.objects.create(user=people.anna, business_unit=people.retail, role=Role.REQUESTER)

    with pytest.raises(InvalidInput) as refused:
        services.submit(requester=people.anna, **wanted(business_unit="retail"))

    assert refused.value.problems == {"business_unit": "Space is not offered to retail."}
    form = page(client_for(people.anna), "/catalog/space/request/")[1]
    assert 'value="payments"' in form
    assert 'value="retail"' not in form


def test_no_page_and_no_answer_names_the_other_business_units(for_payments, people, client_for, api_for):
    anna, api = client_for(people.anna), api_for(people.anna)
    said = [page(anna, path)[1] for path in ("/", "/catalog/space/", "/catalog/space/request/")]
    said += [api.get(f"{ITEMS}space/").content.decode(), api.get(ITEMS).content.decode()]
    said.append(api.post("/api/v1/requests/", wanted(business_unit="retail")).content.decode())

    assert not [text for text in said if "secret-unit" in text]


def test_the_filter_of_the_resources_names_only_items_that_one_may_know(
    for_payments, shelf, people, client_for
):
    anna, carol = client_for(people.anna), client_for(people.carol)
    make_ready(services.submit(requester=people.anna, **wanted()))

    assert 'value="space"' in page(anna, "/resources/")[1]
    assert 'value="space"' not in page(carol, "/resources/")[1]
    draft = {"version": "1.0.1", "lifecycle": "draft", "changes": [{"version": "1.0.1", "text": "Less."}]}
    shelf.put(**draft)
    assert 'value="space"' in page(anna, "/resources/")[1]  # there is something of it


# ── hints and versions ──────────────────────────────────────────────────────────────────────────────────────


def test_the_approver_reads_the_hint_of_the_item_and_nobody_else(shelf, people, client_for):
    shelf.put(approval={"hint": "Look at the purpose."})
    asked = services.submit(requester=people.anna, **wanted())

    assert "Look at the purpose." in page(client_for(people.bert), asked.get_absolute_url())[1]
    assert "Look at the purpose." not in page(client_for(people.anna), asked.get_absolute_url())[1]


def test_a_version_after_the_first_says_what_is_new(shelf):
    shelf.write(version="1.1.0")

    (problem,) = problems_of(shelf)

    assert problem.endswith("say what is new: changes has no entry for 1.1.0")


def test_the_page_of_an_item_tells_its_lifetime_and_what_is_new(shelf, people, client_for, api_for):
    shelf.put(version="1.1.0", changes=[{"version": "1.1.0", "text": "Room for more."}])

    text = page(client_for(people.anna), "/catalog/space/")[1]

    assert "30 days, at most 90" in text
    assert "Room for more." in text
    told = api_for(people.anna).get(f"{ITEMS}space/").json()
    assert told["ttl"] == {"dev": {"default_days": 30, "max_days": 90}}
    assert told["changes"] == [{"version": "1.1.0", "text": "Room for more."}]
    assert [operation["id"] for operation in told["operations"]] == ["purpose", "delete"]
