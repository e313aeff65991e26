"""Rule files that cannot be used are explained, with file and line."""

import pytest

from catalog_app.problems import CatalogProblems
from catalog_app.rules import failing_examples, read_rules

RULE = """\
data:
  most: 5
rules:
  - id: not-too-many
    version: 1
    title: Not too many
    stage: request
    effect: deny
    when: request.kind == 'create'
    assert: request.params.count <= data.most
    field: params.count
    message: "{request.params.count} is more than {data.most}."
    tests:
      - {name: few, request: {kind: create, params: {count: 5}}, expect: pass}
      - {name: many, request: {kind: create, params: {count: 6}}, expect: fail}
"""
OTHER = """\
rules:
  - id: only-new
    version: 1
    title: Only new things
    stage: request
    effect: warn
    assert: request.kind == 'create'
    message: It is there already.
    tests:
      - {name: new, request: {kind: create}, expect: pass}
      - {name: old, request: {kind: update}, expect: fail}
"""


@pytest.fixture
def write(tmp_path):
    folder = tmp_path / "policies"
    folder.mkdir()

    def write_file(text, name="rule.yaml"):
        (folder / name).write_text(text)
        return folder

    return write_file


def problems(folder):
    with pytest.raises(CatalogProblems) as error:
        read_rules(folder)
    return "\n".join(map(str, error.value.found))


def test_a_good_rule_is_read(write):
    folder = write(RULE)

    rules = read_rules(folder)

    (rule,) = rules.rules
    assert (rule.text.id, rule.file, rule.line) == ("not-too-many", "policies/rule.yaml", 4)
    assert failing_examples(folder) == []
    context = rules.context()
    context.set(request={"kind": "create", "params": {"count": 7}})
    assert rule.holds(context) is False
    assert rule.message(context) == "7 is more than 5."


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("effect: deny", "effect: forbid", "policies/rule.yaml:8: rules.0.effect must be 'deny'"),
        ("stage: request", "stage: apply", ":7: rules.0.stage must be 'request' or 'plan'"),
        ("    title: Not too many\n", "", ":4: rules.0.title is missing"),
        ("    field:", "    feild:", ":11: rules.0.feild is not known here"),
        ("version: 1", "version: 0", ":5: rules.0.version: input should be greater than or equal to 1"),
        ("<= data.most", "<=", ":10: `request.params.count <=` is not an expression"),
        ("<= data.most", "<= data.least", ":10: there is no data.least here; data has: most"),
        (
            "request.kind",
            "request.knid",
            ":9: there is no request.knid here; request has: allow_replace, budget",
        ),
        (
            "request.kind",
            "resource.type",
            ":9: `resource.type == 'create'` uses resource, and only data, request",
        ),
        ("{data.most}.", "{data.least}.", ":12: there is no data.least here"),
        ("{data.most}.", "{data.}.", ":12: `data.` is not an expression"),
        (
            "effect: deny",
            "effect: deny\n    from: bu_admin",
            "from goes only with the effect require_approval",
        ),
        (
            "effect: deny",
            "effect: require_approval\n    from: anybody",
            ":9: rules.0.from must be 'approver' or",
        ),
        ("effect: deny", "mode: trial\n    effect: deny", ":8: rules.0.mode must be 'enforce' or 'dry_run'"),
        (
            "  most: 5",
            "  most: 2026-12-18",
            ":2: most holds something else than texts and numbers: put dates in",
        ),
        ("request.params.count <=", "request.estimate.montly <=", "there is no request.estimate.montly here"),
        (
            "data.most\n",
            "data.most + 'a'.matches(request.name)\n",
            "matches takes one pattern, written as a text",
        ),
        ("expect: fail", "expect: pass", "the rule not-too-many has no test that expects: fail"),
        ("expect: fail", "expect: perhaps", ":15: rules.0.tests.1.expect must be"),
        ("expect: pass}", "expect: pass, resource: {}}", "those of the stage request have none"),
        ("stage: request", "stage: plan", "tests of the stage plan have a resource"),
        ("rules:\n", "rules: []\nrest:\n", "rest is not known here"),
        ("  most: 5", "  most: 5\n  most: 6", ":3: most is there twice"),
        ("effect: deny", "effect: [", "this is not YAML"),
    ],
)
def test_a_rule_that_cannot_be_used_is_explained(write, old, new, expected):
    assert old in RULE

    assert expected in problems(write(RULE.replace(old, new, 1)))


def test_two_rules_or_tables_of_one_name_are_refused(write):
    write(RULE, "first.yaml")

    found = problems(write(RULE, "second.yaml"))

    assert found.splitlines() == [
        "policies/second.yaml:2: the table most is there already, in policies/first.yaml",
        "policies/second.yaml:4: the rule not-too-many is there already, in policies/first.yaml",
    ]


def test_a_table_can_be_read_by_the_rules_of_another_file(write):
    write("data:\n  most: 5\n" + OTHER, "first.yaml")

    assert failing_examples(write(RULE.replace("data:\n  most: 5\n", ""), "second.yaml")) == []


def test_what_is_wrong_with_one_rule_hides_nothing_of_another(write):
    wrong = RULE.replace("title: Not too many", "tilte: Not too many")

    found = problems(
        write(wrong + OTHER.removeprefix("rules:\n").replace("== 'create'", "== create"))
    ).splitlines()

    assert [line.split(": ", 1)[1] for line in found] == [
        "rules.0.title is missing",
        "rules.0.tilte is not known here: look for a typing error, or remove it",
        "`request.kind == create` uses create, and only data, request can be used here",
    ]


def test_rules_can_be_added_to_others_and_take_their_place(write):
    older = read_rules(write(RULE + OTHER.removeprefix("rules:\n")))

    newer = read_rules(
        write(RULE.replace("most: 5", "most: 9").replace("count: 6", "count: 10")), beside=older
    )

    assert [rule.text.id for rule in newer.rules] == ["only-new", "not-too-many"]
    assert newer.tables == {"most": 9}


def test_a_condition_that_is_neither_true_nor_false_is_a_fault(write):
    odd = write(RULE.replace("when: request.kind == 'create'", "when: request.kind"))

    assert {problem.reason for problem in failing_examples(odd)} == {
        "rule not-too-many: few: expected pass, got fault",
        "rule not-too-many: many: expected fail, got fault",
    }


def test_a_file_that_is_not_text_is_refused(write):
    folder = write(RULE)
    (folder / "odd.yaml").write_bytes(b"\xff")

    assert problems(folder) == "policies/odd.yaml:1: the file is not written in UTF-8"


def test_an_example_that_comes_out_otherwise_is_told_with_its_place(write):
    folder = write(RULE.replace("data.most\n", "3.0\n", 1))

    assert [str(problem) for problem in failing_examples(folder)] == [
        "policies/rule.yaml:4: rule not-too-many: few: expected pass, got fail"
    ]


def test_a_fault_can_be_expected(write):
    extra = "      - {name: no count, request: {kind: create, params: {}}, expect: fault}\n"

    assert failing_examples(write(RULE + extra)) == []


def test_a_message_that_cannot_be_made_gives_way_to_the_title(write):
    rules = read_rules(write(RULE.replace("{data.most}.", "{request.name}.")))
    context = rules.context()
    context.set(request={"kind": "create", "params": {"count": 7}})

    assert rules.rules[0].message(context) == "Not too many."
