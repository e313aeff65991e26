"""A rule that is tried out is asked and recorded, and nothing else: it counts for nobody, and only operators see it."""

import pytest

from requests_app import services
from requests_app.states import State

TEXTS = ["The rule own", "This is not good."]


@pytest.fixture
def tried(rules, ask, people):
    rules(mode="dry_run")
    return ask()


def test_it_counts_for_nothing(tried, people, plan_of, rules):
    assert tried.verdict == {"outcome": "allow", "findings": [], "passed": []}

    services.approve(tried, actor=people.bert)
    rules(mode="dry_run", stage="plan")
    assert plan_of(tried)["proceed"]


def test_what_it_says_is_recorded_for_both_stages(tried, people, plan_of, rules):
    (finding,) = tried.trial["request"]
    assert (finding["rule"], finding["effect"], finding["message"]) == ("own", "deny", "This is not good.")

    services.approve(tried, actor=people.bert)
    rules(mode="dry_run", stage="plan")
    answer = plan_of(tried)

    assert [finding["address"] for finding in tried.trial["plan"]] == ["a.b"]
    assert [finding["address"] for finding in tried.trial["request"]] == [""]
    assert answer["verdict"]["findings"] == tried.plan["verdict"]["findings"] == []


def test_a_fault_of_it_stops_nobody(rules, ask):
    rules(mode="dry_run", check="request.params.colour == 'red' || request.name == 'good'")

    service_request = ask()

    assert service_request.trial["request"][0]["fault"]
    assert service_request.verdict["outcome"] == "allow"


def test_an_item_is_approved_by_itself_all_the_same(rules, ask):
    rules(mode="dry_run")

    small = ask(environment="dev", parameters={"sku": "B_Standard_B2s"})

    assert (small.state, small.decided_automatically) == (State.APPROVED, True)


def test_only_the_platform_team_sees_it(tried, people, client_for, api_for):
    pages = {
        name: client_for(getattr(people, name)).get(tried.get_absolute_url()).content.decode()
        for name in ("anna", "bert", "emil", "olga")
    }

    assert [name for name, page in pages.items() if all(text in page for text in TEXTS)] == ["olga"]
    assert [name for name, page in pages.items() if any(text in page for text in TEXTS)] == ["olga"]
    for path in (f"/api/v1/requests/{tried.pk}/", "/api/v1/requests/"):
        told = api_for(people.anna).get(path).content.decode()
        assert not any(text in told for text in TEXTS)
        assert "trial" not in told
        assert '"facts"' not in told


def test_a_check_does_not_tell_it(rules, people, catalog, api_for, postgres_for_staging):
    rules(mode="dry_run")

    checked = api_for(people.anna).post("/api/v1/requests/check/", postgres_for_staging, format="json")

    assert not any(text in checked.content.decode() for text in TEXTS)
