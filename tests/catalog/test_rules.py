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

    (rule,) = read_rules(folder)

    assert (rule.text.id, rule.file, rule.line) == ("not-too-many", "policies/rule.yaml", 4)
    assert failing_examples(folder) == []
    context = rule.context({"kind": "create", "params": {"count": 7}})
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
            ":9: there is no request.knid here; request has: allow_replace, business",
        ),
        (
            "request.kind",
            "resource.type",
            ":9: `resource.type == 'create'` uses resource, and only data, request",
        ),
        ("{data.most}.", "{data.least}.", ":12: there is no data.least here"),
        ("{data.most}.", "{data.}.", ":12: `data.` is not an expression"),
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


def test_two_rules_of_one_name_are_refused(write):
    write(RULE, "first.yaml")

    found = problems(write(RULE, "second.yaml"))

    assert found == "policies/second.yaml:4: the rule not-too-many is there already, in policies/first.yaml"


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
    (rule,) = read_rules(write(RULE.replace("{data.most}.", "{request.name}.")))

    assert rule.message(rule.context({"kind": "create", "params": {"count": 7}})) == "Not too many."
