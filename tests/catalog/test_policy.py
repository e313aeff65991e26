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
    "lifecycle": "ga",
    "environment": "dev",
    "region": "northeurope",
    "business_unit": "payments",
    "cost_center": "CC-1001",
    "name": "shop",
    "params": {"sku": "B_Standard_B2s", "high_availability": False, "private_endpoint": None},
    "tags": {"business-unit": "payments", "cost-center": "CC-1001"},
    "justification": "",
    "ttl_days": 30,
    "allow_replace": False,
    "estimate": {"monthly": 56.61, "extra": 56.61, "complete": True},
    "deployment": {"monthly": 0.0, "version": ""},
    "budget": {"exists": False, "action": "none", "exceeded": False, "message": ""},
    "now": {"weekday": 2, "hour": 10, "date": "2026-10-20"},
    "requester": "anna",
}
PRIVATE = {"subnet_id": "s", "private_dns_zone_ids": []}
PRODUCTION = FACTS | {
    "environment": "prod",
    "params": {"sku": "GP_Standard_D2ds_v5", "high_availability": True, "private_endpoint": PRIVATE},
}


def rules_of(verdict):
    return [finding.rule for finding in verdict.findings]


def cost(monthly, *, extra=None, complete=True):
    return {
        "estimate": {"monthly": monthly, "extra": monthly if extra is None else extra, "complete": complete}
    }


def deletion(type_, *actions):
    return {
        "address": f"{type_}.this",
        "type": type_,
        "change": {"actions": list(actions), "before": {"name": "a"}, "after": None},
    }


def test_every_example_of_every_rule_comes_out_as_written():
    assert failing_examples(project.POLICY_FOLDER) == []


def test_there_are_rules_of_every_kind():
    rules = read_rules(project.POLICY_FOLDER).rules

    assert {rule.text.stage for rule in rules} == {"request", "plan"}
    assert {rule.text.effect for rule in rules} == {"deny", "require_approval", "warn"}
    assert {rule.text.mode for rule in rules} == {"enforce", "dry_run"}
    assert {rule.text.approver for rule in rules} == {None, "bu_admin"}
    assert len({rule.text.id for rule in rules}) == len(rules) > 12


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
    assert (verdict.approver, verdict.findings[0].approver) == ("approver", "approver")


@pytest.mark.parametrize(
    "change",
    [{"kind": "destroy"}, {"now": {"weekday": 4, "hour": 10, "date": "2026-12-24"}}, cost(2500.01)],
)
def test_what_matters_most_is_decided_by_an_admin_of_the_business_unit(change):
    verdict = decide("request", PRODUCTION | change)

    assert (verdict.outcome, verdict.approver) == ("require_approval", "bu_admin")
    assert "production-needs-approval" in rules_of(verdict)  # which asks for an approver: the admin is enough


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
    ("change", "rule", "field", "value"),
    [
        ({"region": "uksouth"}, "allowed-regions", "region", "uksouth"),
        ({"cost_center": ""}, "cost-center", "business_unit", "payments"),
        ({"tags": {}}, "required-tags", "tags", {}),
        ({"name": "shop-test"}, "name-fits-production", "name", "shop-test"),
        ({"lifecycle": "preview"}, "previews-outside-production", "item", "postgresql"),
        ({"params": {"sku": "B_Standard_B1ms"}}, "size-fits-production", "sku", "B_Standard_B1ms"),
        ({"params": {"plan_sku": "B1"}}, "size-fits-production", "plan_sku", "B1"),
        ({"params": {"private_endpoint": None}}, "private-outside-development", "private_endpoint", None),
        (
            {"item": "service-bus", "params": {"sku": "Standard"}},
            "tier-with-private-endpoint",
            "sku",
            "Standard",
        ),
        ({"params": {"backup_retention_days": 7}}, "backups-kept", "backup_retention_days", 7),
        ({"params": {"soft_delete_days": 7}}, "deleted-data-kept", "soft_delete_days", 7),
        ({"params": {"replication": "LRS"}}, "copies-in-production", "replication", "LRS"),
        ({"params": {"node_count": {"min": 1}}}, "nodes-in-production", "node_count", {"min": 1}),
        (cost(20_000.5), "cost-ceiling", "", None),
    ],
)
def test_what_is_denied_names_the_field_its_value_and_the_fix(change, rule, field, value):
    verdict = decide("request", PRODUCTION | change)

    assert verdict.outcome == "deny"
    assert verdict.blocked
    first = verdict.findings[0]
    assert (first.rule, first.field, first.value, first.effect, first.fault) == (
        rule,
        field,
        value,
        "deny",
        False,
    )
    assert first.message.endswith(".")
    assert first.hint.endswith(".")


def test_everything_that_is_wrong_is_told_at_once():
    wrong = FACTS | {"environment": "prod", "region": "uksouth"} | cost(4.05, complete=False)

    assert [(finding.effect, finding.rule) for finding in decide("request", wrong).findings] == [
        ("deny", "private-outside-development"),
        ("deny", "allowed-regions"),
        ("deny", "size-fits-production"),
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
    ("change", "rules"),
    [
        (cost(200.0), []),
        (cost(200.01), ["cost-within-limit"]),
        (cost(0, complete=False), ["estimate-is-complete"]),
        ({"ttl_days": None}, ["end-in-development"]),
        ({"ttl_days": 181}, ["short-life-outside-production"]),
        ({"name": "dev-shop"}, ["name-without-environment"]),
        ({"params": {"sku": "GP_Standard_D4ds_v5"}}, ["size-fits-development"]),
        ({"budget": {"action": "warn", "exceeded": True, "message": "Too much."}}, ["budget-watched"]),
        ({"budget": {"action": "require_approval", "exceeded": True, "message": "So."}}, ["budget-agreed"]),
        ({"budget": {"action": "block", "exceeded": True, "message": "The ledger says so."}}, []),
    ],
)
def test_what_is_unusual_is_noted_or_decided_by_a_person(change, rules):
    assert rules_of(decide("request", FACTS | change)) == rules


def test_only_what_comes_on_top_makes_a_change_expensive():
    change = FACTS | {"kind": "update", "environment": "staging", "params": {}}

    assert decide("request", change | cost(6000, extra=-10)).outcome == "require_approval"
    assert decide("request", change | cost(6000, extra=10)).outcome == "deny"
    assert decide("request", change | cost(6000, extra=-10)).approver == "approver"


def test_an_amount_is_told_in_the_message():
    verdict = decide("request", FACTS | cost(328.76))

    assert verdict.findings[0].message == "The estimate of 328.76 a month is above the limit of 200 for dev."


def test_a_missing_fact_denies_and_is_marked_as_the_fault_of_the_rule():
    without = {name: value for name, value in FACTS.items() if name != "estimate"}

    verdict = decide("request", without)

    assert verdict.outcome == "deny"
    assert {finding.rule for finding in verdict.findings if finding.fault} == {
        "cost-within-limit", "estimate-is-complete", "large-costs-agreed", "cost-ceiling",
    }  # fmt: skip
    assert all("Tell the platform team." in finding.message for finding in verdict.findings if finding.fault)


def test_a_verdict_can_be_stored_and_read():
    stored = json.loads(json.dumps(decide("request", PRODUCTION).as_json()))

    assert set(stored) == {"outcome", "findings", "passed"}
    assert set(stored["findings"][0]) == {
        "rule", "version", "title", "effect", "field", "value", "message", "hint", "address", "approver", "fault",
    }  # fmt: skip


@pytest.mark.parametrize("actions", [["delete"], ["delete", "create"], ["create", "delete"]])
def test_a_plan_that_deletes_data_is_denied_outside_of_a_destroy(actions):
    planned = [deletion("azurerm_private_endpoint", "delete"), deletion("azurerm_storage_account", *actions)]

    verdict = decide("plan", FACTS | {"kind": "update"}, planned)

    assert verdict.outcome == "deny"
    assert [
        (finding.rule, finding.address, finding.field, finding.value) for finding in verdict.findings
    ] == [("plan-keeps-data", "azurerm_storage_account.this", "change.actions", actions)]
    assert decide("plan", FACTS | {"kind": "destroy"}, planned).outcome == "allow"


def test_a_finding_about_a_plan_names_the_part_of_the_resource_and_its_value():
    after = {"location": "eastus", "tags": {"business-unit": "payments", "cost-center": "CC-1001"}}
    planned = [
        {"address": "a.b", "type": "azurerm_subnet", "change": {"actions": ["create"], "after": after}}
    ]

    (finding,) = decide("plan", FACTS, planned).findings

    assert (finding.rule, finding.address, finding.field, finding.value) == (
        "plan-stays-in-regions", "a.b", "location", "eastus",
    )  # fmt: skip
    assert finding.sentence == (
        "a.b location: a.b would be in eastus. The platform team corrects the module, or adds the region to the rule. "
        "(rule plan-stays-in-regions)"
    )


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
    assert auto_approved(postgresql, decide("request", FACTS), FACTS)


@pytest.mark.parametrize(
    "change",
    [
        {"environment": "staging"},
        cost(100.01),
        cost(1.0, complete=False),
        {"estimate": None},
        {"kind": "update", "allow_replace": True},
        {"tags": {}},
    ],
)
def test_a_person_decides_where_the_item_or_a_rule_says_so(postgresql, change):
    assert not auto_approved(postgresql, decide("request", FACTS | change), FACTS | change)


def test_an_item_that_does_not_offer_it_is_never_approved_by_itself(versions):
    version = versions["postgresql"]
    without = {name: value for name, value in version.manifest.items() if name != "approval"}

    assert not auto_approved(
        type(version)(item=version.item, manifest=without), decide("request", FACTS), FACTS
    )


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
