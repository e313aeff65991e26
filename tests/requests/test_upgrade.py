"""The version stays until somebody asks for the newest one, and it is said what that brings."""

import pytest

from portal.errors import InvalidInput
from requests_app import services
from requests_app.models import ServiceRequest
from requests_app.states import DeploymentState, State
from tests.requests.support import make_ready, start

MINOR = [{"version": "1.1.0", "text": "It can have a colour."}]
MAJOR = [*MINOR, {"version": "2.0.0", "text": "The purpose is called a reason."}]
ONLY_PURPOSE = [
    {"id": "purpose", "title": "Change purpose", "kind": "update", "fields": ["purpose"]},
    {"id": "delete", "title": "Delete", "kind": "destroy", "confirm": "type-name"},
]


def wanted(**changes):
    where = {"business_unit": "payments", "environment": "dev", "region": "northeurope"}
    return {"item": "space", "name": "atlas", "parameters": {}, **where, **changes}


@pytest.fixture
def atlas(shelf, people):
    shelf.put(asks={"size": "small"})
    return make_ready(services.submit(requester=people.anna, **wanted()))


@pytest.fixture
def minor(shelf, atlas):
    """1.1.0 asks for a colour, and is large by default."""
    version = shelf.put(version="1.1.0", changes=MINOR, asks={"size": "large", "colour": "blue"})
    atlas.refresh_from_db()
    return version


@pytest.fixture
def major(shelf, atlas):
    """2.0.0 needs an owner, and does not know sizes any more."""
    version = shelf.put(version="2.0.0", changes=MAJOR, asks={"colour": "blue", "owner": None})
    atlas.refresh_from_db()
    return version


# ── the version stays ───────────────────────────────────────────────────────────────────────────────────────


def test_a_change_keeps_the_version(atlas, minor, people):
    asked = services.submit_update(requester=people.anna, deployment=atlas, parameters={"purpose": "tests"})

    assert asked.item_version == atlas.item_version
    assert asked.upgrade_from == ""
    assert make_ready(asked).item_version.version == "1.0.0"


def test_a_change_cannot_set_what_only_the_newest_version_knows(atlas, minor, people):
    with pytest.raises(InvalidInput) as refused:
        services.submit_update(requester=people.anna, deployment=atlas, parameters={"colour": "red"})

    assert refused.value.problems == {"colour": "colour cannot be changed. These can: purpose."}


def test_a_removal_is_made_with_the_version_that_is_there(atlas, major, people):
    asked = services.submit_destroy(requester=people.anna, deployment=atlas)

    assert asked.item_version.version == "1.0.0"


# ── an upgrade ──────────────────────────────────────────────────────────────────────────────────────────────


def test_an_upgrade_takes_the_newest_version_with_its_new_defaults(atlas, minor, people):
    asked = services.submit_update(requester=people.anna, deployment=atlas, parameters={}, upgrade=True)

    assert (asked.item_version, asked.upgrade_from) == (minor, "1.0.0")
    assert asked.changes == {"colour": {"from": None, "to": "blue"}}
    assert asked.parameters["size"] == "small"  # what was chosen stays, also where the default is another one
    atlas.refresh_from_db()
    assert atlas.item_version.version == "1.0.0"  # until it has happened
    deployment = make_ready(asked)
    assert (deployment.item_version, deployment.parameters["colour"]) == (minor, "blue")


def test_an_upgrade_that_fails_before_it_changes_anything_leaves_the_version(atlas, minor, people):
    asked = services.submit_update(requester=people.anna, deployment=atlas, parameters={}, upgrade=True)
    services.fail(start(asked), "it broke", changed=False)

    atlas.refresh_from_db()
    assert (atlas.item_version.version, atlas.state) == ("1.0.0", DeploymentState.READY)


def test_what_is_new_can_be_set_though_no_operation_changes_it(atlas, minor, people):
    asked = services.submit_update(
        requester=people.anna, deployment=atlas, parameters={"colour": "red"}, upgrade=True
    )

    assert asked.parameters["colour"] == "red"


def test_what_no_operation_changes_stays_closed_after_the_upgrade(atlas, minor, people):
    upgrade = services.submit_update(requester=people.anna, deployment=atlas, parameters={}, upgrade=True)
    deployment = make_ready(upgrade)

    with pytest.raises(InvalidInput, match="colour cannot be changed. These can: purpose"):
        services.submit_update(requester=people.anna, deployment=deployment, parameters={"colour": "green"})


def test_what_is_new_and_needed_is_asked_for(atlas, major, people):
    with pytest.raises(InvalidInput) as refused:
        services.submit_update(requester=people.anna, deployment=atlas, parameters={}, upgrade=True)

    assert refused.value.problems == {"owner": "This is needed and was not given."}


def test_what_is_gone_is_dropped_and_said(atlas, major, people):
    asked = services.submit_update(
        requester=people.anna, deployment=atlas, parameters={"owner": "anna"}, upgrade=True
    )

    assert "size" not in asked.parameters
    assert asked.changes["size"] == {"from": "small", "to": None}
    assert asked.changes["owner"] == {"from": None, "to": "anna"}


def test_a_value_that_is_no_longer_possible_has_to_change(shelf, people):
    shelf.put(asks={"size": "small"})
    atlas = make_ready(services.submit(requester=people.anna, **wanted(parameters={"size": "tiny"})))
    shelf.write(version="1.1.0", changes=MINOR, asks={"size": "large"})
    with (shelf.folder / "space" / "variables.tf").open("a") as file:
        file.write('variable "unused" {\n  type    = string\n  default = ""\n}\n')
    variables = shelf.folder / "space" / "variables.tf"
    rule = (
        '  validation {\n    condition     = contains(["large", "huge"], var.size)\n'
        '    error_message = "Large or huge."\n  }\n}\n\nvariable "unused"'
    )
    variables.write_text(variables.read_text().replace('}\nvariable "unused"', rule))
    shelf.sync()
    atlas.refresh_from_db()

    with pytest.raises(InvalidInput) as refused:
        services.submit_update(requester=people.anna, deployment=atlas, parameters={}, upgrade=True)
    assert refused.value.problems == {"size": "Large or huge."}

    asked = services.submit_update(
        requester=people.anna, deployment=atlas, parameters={"size": "huge"}, upgrade=True
    )
    assert asked.changes == {"size": {"from": "tiny", "to": "huge"}}


def test_without_a_newer_version_there_is_no_upgrade(atlas, people):
    with pytest.raises(InvalidInput) as refused:
        services.submit_update(requester=people.anna, deployment=atlas, parameters={}, upgrade=True)

    assert refused.value.problems == {"upgrade": "atlas has 1.0.0, and there is nothing newer for it."}


@pytest.mark.parametrize(
    "parts",
    [
        {"lifecycle": "draft"},
        {"availability": {"environments": ["prod"], "regions": ["northeurope"]}, "ttl": None},
        {"availability": {"environments": ["dev"], "regions": ["uksouth"]}},
        {"availability": {"environments": ["dev"], "regions": ["northeurope"], "business_units": ["retail"]}},
    ],
)
def test_a_version_that_is_not_for_it_is_no_upgrade(shelf, atlas, people, parts):
    shelf.put(version="1.1.0", changes=MINOR, **parts)
    atlas.refresh_from_db()

    assert "upgrade" not in services.changes_for(atlas, people.anna)
    with pytest.raises(InvalidInput, match="nothing newer"):
        services.submit_update(requester=people.anna, deployment=atlas, parameters={}, upgrade=True)


def test_going_back_to_an_older_version_is_no_upgrade(shelf, people):
    shelf.write(version="1.1.0", changes=MINOR).sync()
    atlas = make_ready(services.submit(requester=people.anna, **wanted()))
    shelf.put(version="1.0.0")
    atlas.refresh_from_db()

    assert "upgrade" not in services.changes_for(atlas, people.anna)


def test_versions_are_compared_as_numbers(shelf, people):
    shelf.write(version="1.9.0", changes=[{"version": "1.9.0", "text": "Nine."}]).sync()
    atlas = make_ready(services.submit(requester=people.anna, **wanted()))
    shelf.put(version="1.10.0", changes=[{"version": "1.10.0", "text": "Ten."}])
    atlas.refresh_from_db()

    assert "upgrade" in services.changes_for(atlas, people.anna)


def test_a_newer_version_with_a_limit_gives_an_end_to_what_had_none(shelf, people):
    shelf.put(ttl=None)
    atlas = make_ready(services.submit(requester=people.anna, **wanted()))
    assert atlas.expires_at is None
    shelf.put(version="1.1.0", changes=MINOR)
    atlas.refresh_from_db()

    asked = services.submit_update(requester=people.anna, deployment=atlas, parameters={}, upgrade=True)

    assert asked.ttl_days == 30


# ── major versions ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_minor_upgrade_is_approved_by_the_same_rule_as_any_change(atlas, minor, people):
    asked = services.submit_update(requester=people.anna, deployment=atlas, parameters={}, upgrade=True)

    assert asked.state == State.APPROVED


def test_a_major_upgrade_is_always_decided_by_a_person_and_says_so(atlas, major, people):
    found = services.preview_update(
        requester=people.anna, deployment=atlas, parameters={"owner": "anna"}, upgrade=True
    )
    asked = services.submit_update(
        requester=people.anna, deployment=atlas, parameters={"owner": "anna"}, upgrade=True
    )

    assert "2.0.0 is a major version" in found.warnings["upgrade"]
    assert (found.automatic, found.approvers) == (False, [people.bert])
    assert asked.state == State.SUBMITTED


# ── pages and API ───────────────────────────────────────────────────────────────────────────────────────────


def text_of(response):
    return " ".join(response.content.decode().split())


def test_the_page_offers_the_newer_version_with_what_it_changes(atlas, minor, people, client_for):
    anna, path = client_for(people.anna), atlas.get_absolute_url()

    page = text_of(anna.get(path))

    assert "Version 1.1.0 is there: what changes" in page
    assert "It can have a colour." in page
    assert "<strong>Colour</strong><span>blue by default</span>" in page
    assert "By default large, and no longer small" in page
    assert f"{path}change/?upgrade=1" in page
    assert f"{path}change/?upgrade=1" not in text_of(client_for(people.bert).get(path))


def test_the_form_of_an_upgrade_asks_for_what_is_new(atlas, major, people, client_for):
    anna, path = client_for(people.anna), f"{atlas.get_absolute_url()}change/?upgrade=1"

    page = text_of(anna.get(path))
    assert "Upgrade atlas to 2.0.0" in page
    assert "A major version" in page
    for name in ("param-purpose", "param-colour", "param-owner"):
        assert f'name="{name}"' in page
    assert 'name="param-size"' not in page
    assert "<strong>Size</strong><span>Not asked any more</span>" in page

    refused = anna.post(path, {"param-purpose": "not said", "param-colour": "blue"})
    assert refused.status_code == 400
    assert "This is needed and was not given." in text_of(refused)

    panel = anna.post(path, {"param-owner": "anna"}, headers={"HX-Request": "true"})
    assert "2.0.0 is a major version" in text_of(panel)
    done = anna.post(path, {"param-purpose": "not said", "param-colour": "blue", "param-owner": "anna"})
    asked = ServiceRequest.objects.get(kind="update")
    assert (done["Location"], asked.upgrade_from) == (asked.get_absolute_url(), "1.0.0")


def test_the_approver_reads_what_the_upgrade_brings(atlas, major, people, client_for):
    asked = services.submit_update(
        requester=people.anna, deployment=atlas, parameters={"owner": "anna"}, upgrade=True
    )

    page = text_of(client_for(people.bert).get(asked.get_absolute_url()))

    assert "Upgrade of Space 2.0.0" in page
    assert "2.0.0: The purpose is called a reason." in page
    assert "A major version" in page


def test_there_is_no_form_where_there_is_nothing_newer(atlas, people, client_for):
    response = client_for(people.anna).get(f"{atlas.get_absolute_url()}change/?upgrade=1")

    assert response.status_code == 409
    assert "There is nothing newer for atlas." in text_of(response)


def test_the_api_tells_what_an_upgrade_brings_and_takes_it(atlas, minor, people, api_for):
    anna = api_for(people.anna)

    told = anna.get(f"/api/v1/deployments/{atlas.pk}/").json()
    newer = told["newer_version"]
    assert told["changes"] == ["destroy", "extend", "update", "upgrade"]
    assert (newer["version"], newer["is_major"], newer["changes"]) == ("1.1.0", False, MINOR)
    assert newer["added"] == [{"name": "colour", "title": "Colour", "required": False, "default": "blue"}]
    assert newer["removed"] == []
    assert newer["changed"] == [
        {"name": "size", "default": {"from": "small", "to": "large"}, "takes_others": False}
    ]
    assert "colour" in newer["schema"]["properties"]
    assert "colour" not in told["schema"]["properties"]

    made = anna.post(
        "/api/v1/requests/", {"kind": "update", "deployment": str(atlas.pk), "upgrade": True}
    ).json()
    assert (made["item_version"], made["upgrade_from"]) == ("1.1.0", "1.0.0")


# ── operations ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def several(shelf, people):
    operations = [
        *ONLY_PURPOSE,
        {"id": "resize", "title": "Change size", "kind": "update", "fields": ["size"]},
        {"id": "later", "title": "In production", "kind": "update", "fields": ["size"], "environments": ["prod"]},
    ]  # fmt: skip
    shelf.put(asks={"size": "small"}, operations=operations)
    return make_ready(services.submit(requester=people.anna, **wanted()))


def test_every_operation_is_a_button_that_asks_for_its_fields_only(several, people, client_for):
    anna, path = client_for(people.anna), several.get_absolute_url()

    page = text_of(anna.get(path))
    for operation, title in (("purpose", "Change purpose"), ("resize", "Change size")):
        assert f"{path}change/?operation={operation}" in page
        assert title in page
    assert "In production" not in page

    form = text_of(anna.get(f"{path}change/?operation=resize"))
    assert "Change size: atlas" in form
    assert 'name="param-size"' in form
    assert 'name="param-purpose"' not in form
    assert 'name="ttl_days"' not in form


def test_an_operation_is_asked_for(several, people, client_for):
    path = f"{several.get_absolute_url()}change/?operation=resize"

    client_for(people.anna).post(path, {"param-size": "large"})

    assert ServiceRequest.objects.get(kind="update").changes == {"size": {"from": "small", "to": "large"}}


@pytest.mark.parametrize("operation", ["later", "delete", "nothing"])
def test_what_the_item_does_not_offer_there_is_not_found(several, people, client_for, operation):
    path = f"{several.get_absolute_url()}change/?operation={operation}"

    assert client_for(people.anna).get(path).status_code == 404


def test_what_cannot_be_removed_by_request_is_refused_everywhere(shelf, people, client_for, api_for):
    only_dev = [{**ONLY_PURPOSE[1], "environments": ["dev"]}, ONLY_PURPOSE[0]]
    shelf.put(operations=only_dev)
    made = services.submit(requester=people.anna, **wanted(environment="staging"))
    deployment = make_ready(made, people.bert)

    refused = api_for(people.anna).post(
        "/api/v1/requests/", {"kind": "destroy", "deployment": str(deployment.pk)}
    )
    page = client_for(people.anna).get(f"{deployment.get_absolute_url()}destroy/")

    assert refused.json()["problems"] == {
        "deployment": "Space is not removed by request in Staging: ask the platform team."
    }
    assert page.status_code == 409
    assert "The item does not offer to remove atlas here" in text_of(page)
