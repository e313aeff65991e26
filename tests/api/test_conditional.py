"""ETag, If-None-Match and If-Match."""

import re

import pytest

from requests_app import services
from requests_app.models import ServiceRequest
from requests_app.states import State
from tests.api.conftest import REQUESTS


@pytest.fixture
def url(asked):
    return f"{REQUESTS}{asked.pk}/"


def test_who_has_the_newest_answer_gets_no_other(anna, url, asked, people):
    first = anna.get(url)
    again = anna.get(url, headers={"If-None-Match": first["ETag"]})
    services.approve(asked, actor=people.bert)
    changed = anna.get(url, headers={"If-None-Match": f'"other", W/{first["ETag"]}'})

    assert re.fullmatch(r'"1-[0-9a-f]{16}"', first["ETag"])
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    assert (changed.status_code, changed.json()["state"], changed.json()["version"]) == (200, "approved", 2)
    assert changed["ETag"].startswith('"2-')


def test_items_and_deployments_have_a_tag_as_well(anna, asked):
    for path in ("/api/v1/items/postgresql/", f"/api/v1/deployments/{asked.deployment_id}/"):
        tag = anna.get(path)["ETag"]
        assert anna.get(path, headers={"If-None-Match": tag}).status_code == 304


def test_a_decision_on_what_was_seen_is_taken(bert, url):
    seen = bert.get(url)["ETag"]

    approved = bert.post(f"{url}approve/", {}, headers={"If-Match": seen})

    assert (approved.status_code, approved.json()["version"]) == (200, 2)
    assert approved["ETag"] == bert.get(url)["ETag"]


@pytest.mark.parametrize("seen", ['"1"', 'W/"1-0123456789abcdef"', "*"])
def test_the_version_alone_is_enough(bert, url, seen):
    assert bert.post(f"{url}approve/", {}, headers={"If-Match": seen}).status_code == 200


def test_a_decision_on_what_has_changed_is_refused_and_says_how_it_is_now(anna, bert, url, asked, people):
    seen = bert.get(url)["ETag"]
    services.approve(asked, actor=people.bert)
    services.start(asked.run_key)
    services.fail(asked, "it broke", changed=False)

    for client, step in ((bert, "approve"), (anna, "cancel"), (anna, "retry"), (anna, "stop")):
        refused = client.post(f"{url}{step}/", {}, headers={"If-Match": seen})
        assert (refused.status_code, refused.json()["code"]) == (412, "HasChanged")
        assert "it is failed now, in version 4" in refused.json()["message"]
    reason = {"reason": "too big"}
    assert bert.post(f"{url}reject/", reason, headers={"If-Match": seen}).status_code == 412
    assert ServiceRequest.objects.get().state == State.FAILED


def test_who_sees_it_as_it_is_hears_what_is_wrong_with_the_step(bert, url, asked, people):
    services.approve(asked, actor=people.bert)

    refused = bert.post(f"{url}approve/", {}, headers={"If-Match": '"2"'})

    assert (refused.status_code, refused.json()["code"]) == (409, "WrongState")


@pytest.mark.parametrize("given", ["1", '"one"', '"1", "2"', "", '"-1"'])
def test_a_tag_that_is_none_is_refused_by_name(bert, url, given):
    refused = bert.post(f"{url}approve/", {}, headers={"If-Match": given})

    assert (refused.status_code, list(refused.json()["problems"])) == (400, ["If-Match"])


def test_of_two_who_decide_on_the_same_version_one_is_told(url, asked, people):
    """Between the look and the step: the row itself is asked."""
    first, second = ServiceRequest.objects.get(), ServiceRequest.objects.get()
    first.seen = second.seen = 1
    services.reject(first, actor=people.bert, reason="too big")

    with pytest.raises(services.HasChanged):
        services.approve(second, actor=people.bert)
