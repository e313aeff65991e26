"""The pages of the life of items and deployments: axe, the policy, no sideways scrolling, and the buttons."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from requests_app import services, tasks
from requests_app.models import ServiceRequest
from tests.requests.support import make_ready

WHERE = {"business_unit": "payments", "environment": "dev", "region": "northeurope"}
MAJOR = [
    {"version": "1.1.0", "text": "It can have a colour, and is large where nobody says anything else."},
    {"version": "2.0.0", "text": "Sizes are gone: a space is as large as it has to be."},
]
OPERATIONS = [
    {"id": "purpose", "title": "Change purpose", "kind": "update", "fields": ["purpose"]},
    {"id": "resize", "title": "Change size", "kind": "update", "fields": ["size"]},
    {"id": "delete", "title": "Delete", "kind": "destroy", "confirm": "type-name"},
]


@pytest.fixture
def paths(transactional_db, shelf, people):
    """Something that ends soon and can be upgraded, something whose time is over, and an upgrade that waits."""
    shelf.write("annex", title="Annex")
    shelf.put(asks={"size": "small"}, operations=OPERATIONS)
    atlas, gone, other = (
        make_ready(services.submit(requester=people.anna, item="space", name=name, parameters={}, **WHERE))
        for name in ("atlas", "gone", "other")
    )
    for deployment, days in ((atlas, 26), (gone, 31)):
        deployment.expires_at -= timedelta(days=days)
        deployment.save(update_fields=["expires_at"])
    shelf.put(version="2.0.0", changes=MAJOR, asks={"colour": "blue", "owner": None}, lifecycle="deprecated",
              replaced_by="annex", approval={"hint": "Look at the purpose."})  # fmt: skip
    other.refresh_from_db()
    upgrade = services.submit_update(
        requester=people.anna, deployment=other, parameters={"owner": "anna"}, upgrade=True
    )
    tasks.remove_expired()
    removal = ServiceRequest.objects.get(kind="destroy")
    return {
        "atlas": atlas.get_absolute_url(),
        "gone": gone.get_absolute_url(),
        "upgrade": upgrade.get_absolute_url(),
        "removal": removal.get_absolute_url(),
    }


@pytest.mark.parametrize(("scheme", "width"), [("dark", 1440), ("light", 390)])
def test_no_page_of_the_life_of_things_shuts_anybody_out(paths, people, visit, scheme, width):
    anna, bert = (visit(user, width=width, scheme=scheme) for user in (people.anna, people.bert))
    states = [
        (anna, "/"), (anna, "/catalog/space/"), (anna, "/catalog/space/request/"), (anna, "/resources/"),
        (anna, "{atlas}"), (anna, "{atlas}change/"), (anna, "{atlas}change/?upgrade=1"),
        (anna, "{atlas}change/?operation=resize"), (anna, "{atlas}destroy/"), (anna, "{gone}"),
        (anna, "{removal}"), (bert, "{upgrade}"),
    ]  # fmt: skip

    found = []
    for visitor, path in states:
        visitor.goto(path.format(**paths))
        found += visitor.findings(path)

    assert found == []


def test_a_click_gives_more_time_and_another_opens_the_upgrade(paths, people, visit):
    anna = visit(people.anna)
    page = anna.goto(paths["atlas"])
    expect(page.get_by_text("It is removed in 4 days")).to_be_visible()

    page.get_by_label("Days from today").fill("60")
    page.get_by_role("button", name="Extend").click()
    expect(page.get_by_text("60 days left")).to_be_visible()
    expect(page.get_by_text("It is removed in")).to_have_count(0)

    page.get_by_role("link", name="Upgrade to 2.0.0").click()
    expect(page.get_by_role("heading", name="Upgrade atlas to 2.0.0")).to_be_visible()
    expect(page.get_by_text("Sizes are gone")).to_be_visible()
    page.get_by_label("Owner").fill("anna")
    page.get_by_role("button", name="Submit upgrade").click()
    expect(page.get_by_text("Upgrade of Space 2.0.0")).to_be_visible()

    assert anna.violations() == []
