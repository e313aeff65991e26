"""manage.py policy test | lint | explain | replay."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from requests_app.models import ServiceRequest


def run(*arguments):
    out = StringIO()
    call_command("policy", *map(str, arguments), stdout=out)
    return out.getvalue()


def refused(*arguments):
    """What is printed, and what it ends with."""
    out = StringIO()
    with pytest.raises(CommandError) as error:
        call_command("policy", *map(str, arguments), stdout=out)
    return out.getvalue(), str(error.value)


# ── test ────────────────────────────────────────────────────────────────────────────────────────────


def test_the_real_rules_pass_their_tests():
    printed = run("test")

    assert "cost-within-limit" in printed
    assert "require_approval from bu_admin" in printed
    assert "FAILED" not in printed
    assert "rules passed." in printed


def test_a_failing_test_is_named_with_its_place(rules):
    folder = rules(check="request.name != 'good'")

    printed, end = refused("test", folder)

    assert "own  3        request  deny                            enforce  0/2  FAILED" in printed
    assert f"{folder.name}/own.yaml:2: good: expected pass, got fail" in printed
    assert end == "2 of 2 tests failed."


def test_a_file_that_cannot_be_read_is_refused_with_all_its_problems(rules):
    printed, end = refused("test", rules(check="request.nmae == data.x"))

    assert "own.yaml:9: there is no request.nmae here" in printed
    assert "own.yaml:9: there is no data.x here; data has: nothing" in printed
    assert end == "2 problems."


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    assert refused("test", tmp_path / "none")[1].startswith("There is no folder")
    assert refused("lint", tmp_path / "none")[1].startswith("There is no folder")
    assert refused("replay", tmp_path / "none")[1].startswith("There is no folder")


# ── lint ────────────────────────────────────────────────────────────────────────────────────────────


def test_there_is_nothing_to_say_about_the_real_rules():
    assert run("lint") == "Nothing to say.\n"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"check": "request.name == 'good' || request.environment == 'prd'"}, "request.environment is never 'prd'"),
        ({"check": "request.name == 'good' || request.item in ['nope']"}, "request.item is never 'nope'"),
        ({"check": "request.name == 'good' || 'colour' in request.params"}, "no item of the catalog has"),
        ({"field": "params.colour"}, "no item of the catalog has the parameter colour"),
        ({"check": "request.name == 'good' || ['a'].all(each, false)"}, "never uses each"),
        ({"more": "when: request.kind == 'update'"}, "no test shows it to hold"),
        ({"message": "{{request.requester}} may not."}, "the message cannot be made for the test 'bad'"),
        ({"check": "request.name != 'good'"}, "good: expected pass, got fail"),
    ],
)  # fmt: skip
def test_what_can_never_matter_is_found(rules, settings, one_item, given, expected):
    settings.CATALOG_FOLDER = one_item
    given = {name: value.replace("{{", "{").replace("}}", "}") for name, value in given.items()}

    printed, end = refused("lint", rules(**given))

    assert expected in printed
    assert "own.yaml:2: rule own: " in printed


def test_unused_tables_same_titles_and_missing_hints_are_found(rules, settings, one_item):
    settings.CATALOG_FOLDER = one_item
    rules("first")
    folder = rules("second")
    text = (folder / "second.yaml").read_text().replace("The rule second", "The rule first")
    text = text.replace("    hint: Do something else.\n", "").replace(
        "name: bad, request", "name: good, request"
    )
    (folder / "second.yaml").write_text("data:\n  old: [a]\n" + text)

    printed, end = refused("lint", folder)

    assert [line.split(": ", 1)[1] for line in printed.splitlines()] == [
        "no rule reads the table old: remove it",
        "rule second: first has the same title",
        "rule second: there is no hint: say what to do about it",
        "rule second: two tests are called 'good'",
    ]
    assert end == "4 problems."


def test_all_files_are_looked_at_whatever_is_wrong_with_one(rules, settings, one_item):
    settings.CATALOG_FOLDER = one_item
    rules("first", more="when: request.kind == 'updated'")
    folder = rules("second", check="request.")

    printed, _ = refused("lint", folder)

    assert "first.yaml:2: rule first: request.kind is never 'updated'" in printed
    assert "second.yaml:9: `request.` is not an expression" in printed


# ── explain ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_stored_request_is_explained_rule_by_rule(ask):
    service_request = ask()

    printed = run("explain", service_request.ref)

    assert "allowed-regions 1: holds" in printed
    assert (
        'data.regions[request.environment]  ->  ["northeurope", "germanywestcentral", "uksouth"]' in printed
    )
    assert "backups-kept 1: holds" in printed
    assert "end-in-development 1: is about something else" in printed


def test_the_parts_of_a_condition_have_their_values(rules, ask):
    rules(
        check="request.name == 'good' || (request.kind == 'update' && request.params.colour == 'red')",
        effect="warn",
    )

    printed = run("explain", ask().ref, "--rule", "own")

    assert printed.splitlines() == [
        "",
        "own 3: does not hold",
        "  warn: This is not good.",
        "  request.name == 'good' || (request.kind == 'update' && request.params.colour == 'red')  ->  false",
        "    request.name == 'good'  ->  false",
        '      request.name  ->  "orders"',
        "    (request.kind == 'update' && request.params.colour == 'red')  ->  false",
        "      request.kind == 'update'  ->  false",
        '        request.kind  ->  "create"',
        "      request.params.colour == 'red'  ->  cannot be told: "
        "there is no colour in `request.params.colour == 'red'`",
        "        request.params.colour  ->  cannot be told: there is no colour in `request.params.colour`",
    ]


def test_facts_of_a_file_are_explained_and_a_resource_with_them(rules, tmp_path):
    rules("asked")
    rules("planned", stage="plan", check="request.name == 'good' || resource.change.after.size > 3.0")
    change = {"address": "a.b", "type": "t", "change": {"actions": ["create"], "after": {"size": 2}}}
    file = tmp_path / "facts.json"
    file.write_text(json.dumps({"request": {"name": "shop"}, "resource": change}))

    printed = run("explain", file)

    assert "asked 3: does not hold" in printed
    assert "planned 3: does not hold" in printed
    assert "resource.change.after.size  ->  2" in printed


def test_a_rule_that_breaks_is_explained_too(rules, tmp_path):
    rules(check="request.params.size > 3.0 || request.name == 'good'")
    file = tmp_path / "facts.json"
    file.write_text(json.dumps({"request": {"name": "shop", "params": {"size": "large"}}}))

    printed = run("explain", file)

    assert "own 3: fault" in printed
    assert 'request.params.size  ->  "large"' in printed


@pytest.mark.parametrize("what", ["REQ-999", "nothing.json", "REQ-"])
def test_what_cannot_be_explained_is_said(db, what):
    assert what in refused("explain", what)[1]


@pytest.mark.parametrize("content", ["[]", "{}", "no JSON", '{"request": '])
def test_a_file_without_facts_is_refused(tmp_path, content):
    file = tmp_path / "facts.json"
    file.write_text(content)

    assert "is neither a request such as REQ-1 nor a JSON file" in refused("explain", file)[1]


# ── replay ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def past(ask):
    return [ask(name=name) for name in ("orders", "stock", "good")]


def test_a_draft_is_asked_about_past_requests(past, rules, settings):
    active = settings.POLICY_FOLDER
    draft = rules()
    settings.POLICY_FOLDER = active

    printed = run("replay", draft, "--add")

    assert "REQ-" + str(past[1].pk) + " create postgresql stock staging: allow -> deny" in printed
    assert "  + own deny: This is not good." in printed
    assert "     2  allow -> deny" in printed
    assert "     2  + own" in printed
    assert "2 of 3 requests would have been judged differently" in printed
    assert printed.endswith("Nothing was changed.\n")


def test_a_replay_changes_nothing(past, rules):
    before = list(ServiceRequest.objects.order_by("pk").values())

    run("replay", rules(), "--add")

    assert list(ServiceRequest.objects.order_by("pk").values()) == before


def test_a_draft_may_be_all_the_rules_and_then_the_others_are_gone(past, rules, settings):
    active = rules("first", effect="require_approval")
    draft = rules("second", effect="warn")
    (draft / "first.yaml").unlink()
    settings.POLICY_FOLDER = active

    printed = run("replay", draft)

    assert "require_approval -> allow" in printed
    assert "  - first require_approval: This is not good." in printed


def test_a_rule_that_would_be_tried_out_is_shown_and_changes_no_outcome(past, rules, settings):
    active = settings.POLICY_FOLDER
    draft = rules(mode="dry_run")
    settings.POLICY_FOLDER = active

    printed = run("replay", draft, "--add")

    assert "allow -> allow" in printed
    assert "  + own deny (dry run): This is not good." in printed


def test_the_same_rules_say_the_same(past, settings):
    assert "0 of 3 requests would have been judged differently" in run("replay", settings.POLICY_FOLDER)


def test_few_changes_are_shown_and_all_are_counted(past, rules, settings):
    active = settings.POLICY_FOLDER
    draft = rules()
    settings.POLICY_FOLDER = active

    printed = run("replay", draft, "--add", "--show", "1", "--newest", "3")

    assert printed.count("allow -> deny") == 2  # one request, and the sum
    assert "... and 1 more" in printed


def test_requests_without_facts_are_counted(past, settings):
    ServiceRequest.objects.filter(pk=past[0].pk).update(facts={})

    assert "of 3 requests, 1 of them without facts would" in run("replay", settings.POLICY_FOLDER)
