"""What the real rules say, asked as the portal asks them."""

import json
from pathlib import Path

import pytest
from django.conf import settings as project

from catalog_app.policy import auto_approved, decide
from catalog_app.rules import failing_examples, read_rules

FACTS = {
    "kind": "create",
    "item": "postgresql",
    "environment": "dev",
    "region": "northeurope",
    "business_unit": "payments",
    "cost_center": "CC-1001",
    "name": "shop",
    "params": {"sku": "B_Standard_B2s", "high_availability": False, "private_endpoint": None},
    "tags": {"business-unit": "payments", "cost-center": "CC-1001"},
    "estimate": {"monthly": 56.61, "complete": True},
    "requester": "anna",
}
PRIVATE = {"subnet_id": "s", "private_dns_zone_ids": []}
PRODUCTION = FACTS | {
    "environment": "prod",
    "params": {"sku": "GP_Standard_D2ds_v5", "high_availability": True, "private_endpoint": PRIVATE},
}


def rules_of(verdict):
    return [finding.rule for finding in verdict.findings]


def deletion(type_, *actions):
    return {
        "address": f"{type_}.this",
        "type": type_,
        "change": {"actions": list(actions), "before": {"name": "a"}, "after": None},
    }


def test_every_example_of_every_rule_comes_out_as_written():
    assert failing_examples(project.POLICY_FOLDER) == []


def test_every_rule_says_what_to_do():
    rules = read_rules(project.POLICY_FOLDER)

    assert {rule.text.stage for rule in rules} == {"request", "plan"}
    assert {rule.text.effect for rule in rules} == {"deny", "require_approval", "warn"}
    assert len({rule.text.id for rule in rules}) == len(rules)


def test_a_small_server_in_development_goes_through():
    verdict = decide("request", FACTS)

    assert verdict.outcome == "allow"
    assert verdict.findings == []
    assert not verdict.blocked
    assert "cost-within-limit" in verdict.passed
    assert "private-outside-development" not in verdict.passed  # it is about something else


def test_production_is_decided_by_a_person():
    verdict = decide("request", PRODUCTION)

    assert (verdict.outcome, rules_of(verdict)) == ("require_approval", ["production-needs-approval"])


def test_a_warning_does_not_stop_anything():
    params = PRODUCTION["params"] | {"high_availability": False}

    verdict = decide("request", PRODUCTION | {"params": params})

    assert verdict.outcome == "require_approval"
    (warning,) = [finding for finding in verdict.findings if finding.effect == "warn"]
    assert (warning.rule, warning.field, warning.value) == (
        "standby-in-production",
        "high_availability",
        False,
    )


@pytest.mark.parametrize(
    ("change", "rule", "field"),
    [
        ({"region": "uksouth"}, "allowed-regions", "region"),
        ({"cost_center": ""}, "cost-center", "business_unit"),
        ({"tags": {}}, "required-tags", ""),
        (
            {"params": PRODUCTION["params"] | {"sku": "B_Standard_B1ms"}},
            "no-burstable-size-in-production",
            "sku",
        ),
        (
            {"params": PRODUCTION["params"] | {"private_endpoint": None}},
            "private-outside-development",
            "private_endpoint",
        ),
    ],
)
def test_what_is_denied_names_the_field_and_comes_first(change, rule, field):
    verdict = decide("request", PRODUCTION | change)

    assert verdict.outcome == "deny"
    assert verdict.blocked
    first = verdict.findings[0]
    assert (first.rule, first.field, first.effect, first.fault) == (rule, field, "deny", False)
    assert first.message.endswith(".")


def test_everything_that_is_wrong_is_told_at_once():
    wrong = FACTS | {
        "environment": "prod",
        "region": "uksouth",
        "estimate": {"monthly": 4.05, "complete": False},
    }

    assert [(finding.effect, finding.rule) for finding in decide("request", wrong).findings] == [
        ("deny", "private-outside-development"),
        ("deny", "allowed-regions"),
        ("deny", "no-burstable-size-in-production"),
        ("require_approval", "production-needs-approval"),
        ("require_approval", "estimate-is-complete"),
        ("warn", "standby-in-production"),
    ]


@pytest.mark.parametrize("environment", ["staging", "prod"])
def test_public_access_is_denied_outside_development(environment):
    public = PRODUCTION | {
        "environment": environment,
        "params": PRODUCTION["params"] | {"private_endpoint": None},
    }

    assert rules_of(decide("request", public))[0] == "private-outside-development"
    assert not decide("request", public | {"kind": "update"}).blocked  # it was public before there was a rule
    assert not decide("request", public | {"params": PRODUCTION["params"]}).blocked
    assert not decide("request", public | {"environment": "dev"}).blocked


@pytest.mark.parametrize(
    ("estimate", "rules"),
    [
        ({"monthly": 200.0, "complete": True}, []),
        ({"monthly": 200.01, "complete": True}, ["cost-within-limit"]),
        ({"monthly": 0, "complete": False}, ["estimate-is-complete"]),
    ],
)
def test_what_costs_much_or_nobody_knows_how_much_is_decided_by_a_person(estimate, rules):
    assert rules_of(decide("request", FACTS | {"estimate": estimate})) == rules


def test_an_amount_is_told_in_the_message():
    verdict = decide("request", FACTS | {"estimate": {"monthly": 328.76, "complete": True}})

    assert verdict.findings[0].message == "The estimate of 328.76 a month is above the limit of 200 for dev."


def test_a_missing_fact_denies_and_is_marked_as_the_fault_of_the_rule():
    without = {name: value for name, value in FACTS.items() if name != "estimate"}

    verdict = decide("request", without)

    assert verdict.outcome == "deny"
    assert {finding.rule for finding in verdict.findings if finding.fault} == {
        "cost-within-limit", "estimate-is-complete",
    }  # fmt: skip
    assert all("Tell the platform team." in finding.message for finding in verdict.findings if finding.fault)


def test_a_verdict_can_be_stored_and_read():
    stored = json.loads(json.dumps(decide("request", PRODUCTION).as_json()))

    assert set(stored) == {"outcome", "findings", "passed"}
    assert set(stored["findings"][0]) == {
        "rule", "version", "title", "effect", "field", "value", "message", "hint", "address", "fault",
    }  # fmt: skip


@pytest.mark.parametrize("actions", [["delete"], ["delete", "create"], ["create", "delete"]])
def test_a_plan_that_deletes_data_is_denied_outside_of_a_destroy(actions):
    planned = [deletion("azurerm_private_endpoint", "delete"), deletion("azurerm_storage_account", *actions)]

    verdict = decide("plan", FACTS | {"kind": "update"}, planned)

    assert verdict.outcome == "deny"
    assert [(finding.rule, finding.address) for finding in verdict.findings] == [
        ("plan-keeps-data", "azurerm_storage_account.this")
    ]
    assert decide("plan", FACTS | {"kind": "destroy"}, planned).outcome == "allow"


def test_permission_to_replace_is_given_by_a_person_and_then_counts():
    allowed = FACTS | {"kind": "update", "allow_replace": True}

    assert rules_of(decide("request", allowed)) == ["replacement-needs-approval"]
    planned = [deletion("azurerm_storage_account", "delete", "create")]
    assert decide("plan", allowed, planned).outcome == "allow"


def test_what_does_not_change_is_not_looked_at():
    assert (
        decide("plan", FACTS | {"kind": "update"}, [deletion("azurerm_storage_account", "no-op")]).passed
        == []
    )
    assert decide("plan", FACTS).outcome == "allow"


def test_a_plan_in_an_unknown_form_is_denied():
    verdict = decide("plan", FACTS, [{"address": "a.b"}])

    assert verdict.outcome == "deny"
    assert all(finding.fault for finding in verdict.findings)


def test_rules_that_cannot_be_read_let_nothing_through(settings, tmp_path):
    settings.POLICY_FOLDER = tmp_path

    verdict = decide("request", FACTS)

    assert verdict.outcome == "deny"
    assert verdict.findings[0].fault
    assert "there is no rule in this folder" in verdict.findings[0].message


def test_an_item_may_be_approved_by_itself(postgresql):
    assert auto_approved(postgresql, FACTS)


@pytest.mark.parametrize(
    "change",
    [
        {"environment": "staging"},
        {"estimate": {"monthly": 100.01, "complete": True}},
        {"estimate": {"monthly": 1.0, "complete": False}},
        {"estimate": None},
        {"kind": "update", "allow_replace": True},
        {"tags": {}},
    ],
)
def test_a_person_decides_where_the_item_or_a_rule_says_so(postgresql, change):
    assert not auto_approved(postgresql, FACTS | change)


def test_an_item_that_does_not_offer_it_is_never_approved_by_itself(folder, edit, versions):
    version = versions["postgresql"]
    without = {name: value for name, value in version.manifest.items() if name != "approval"}

    assert not auto_approved(type(version)(item=version.item, manifest=without), FACTS)


def test_the_rules_are_read_once(settings, tmp_path):
    settings.POLICY_FOLDER = Path(tmp_path)
    rule = (
        "rules: [{id: none, version: 1, title: t, stage: request, effect: deny, assert: 'false', message: No."
    )
    examples = (
        ", tests: [{name: a, request: {kind: x}, expect: fail}, {name: b, request: {}, expect: pass}]}]"
    )
    (tmp_path / "none.yaml").write_text(rule + examples)
    assert decide("request", FACTS).outcome == "deny"

    (tmp_path / "none.yaml").unlink()

    assert rules_of(decide("request", FACTS)) == ["none"]
