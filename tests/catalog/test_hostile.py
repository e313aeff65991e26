"""Files made to do harm are refused quickly, with the place and the reason. Values are in test_validate.py."""

import time

import pytest

from catalog_app.documents import load
from catalog_app.problems import CatalogProblems
from catalog_app.variables.module import read_module
from catalog_app.variables.values import Values

QUICKLY = 2.0  # seconds, on a machine that does other things as well
LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(f'*{before}' for _ in range(9))}]\n"
    for before, name in zip("abcdefghi", "bcdefghij", strict=True)
)
YAML = [
    ("a billion laughs", LAUGHS, "item.yaml:2: *a repeats another part of the file: write it out"),
    ("a file that holds itself", "a: &a [*a]", "*a repeats another part of the file"),
    ("a merge", "a: &a {x: 1}\nb:\n  <<: *a", ":3: *a repeats another part of the file"),
    ("lists without end", "a: " + "[" * 20_000, ":1: this goes too deep"),
    ("lists with an end", "a: " + "[" * 20_000 + "]" * 20_000, ":1: this goes too deep"),
    (
        "blocks inside blocks",
        "\n".join(" " * depth + "a:" for depth in range(400)),
        ":50: this goes too deep",
    ),
    ("a huge file", "a: " + "x" * 5_000_000, ":1: the file has more than 200,000 characters"),
    (
        "a call of Python",
        'a: !!python/object/apply:os.system ["id"]',
        ":1: this is not YAML: could not determine",
    ),
    ("a tag of its own", "a:\n  b: !env SECRET", ":2: this is not YAML: could not determine a constructor"),
    ("a huge number", f"a: {'9' * 5000}", ":1: a value cannot be read, put it in quotes: Exceeds the limit"),
    ("a date that is none", "a: 2026-13-45", ":1: a value cannot be read, put it in quotes: month must be"),
    ("several documents", "a: 1\n---\na: 2", "this is not YAML: but found another document"),
    ("control characters", "a: \x07", ":1: this is not YAML: it has control characters"),
]


def quickly(started):
    return time.monotonic() - started < QUICKLY


@pytest.mark.parametrize(("text", "expected"), [case[1:] for case in YAML], ids=[case[0] for case in YAML])
def test_hostile_yaml_is_refused(text, expected):
    started = time.monotonic()

    with pytest.raises(CatalogProblems) as refused:
        load(text, "item.yaml")

    assert expected in str(refused.value)
    assert quickly(started)


def variable(condition="true", default="null", name="v"):
    return (
        f'variable "{name}" {{\n  type = string\n  default = {default}\n  validation {{\n'
        f'    condition = {condition}\n    error_message = "No."\n  }}\n}}\n'
    )


HCL = [
    ("lists inside lists", variable(default="[" * 2000 + "]" * 2000), "goes too deep"),
    ("brackets inside brackets", variable("(" * 2000 + "true" + ")" * 2000), "goes too deep"),
    ("templates inside templates", variable(default='"${' * 300 + "1" + '}"' * 300), "goes too deep"),
    ("a chain of a thousand", variable("true" + " || true" * 3000), "goes too deep"),
    ("a bracket that is not closed", variable(default="[" * 5000), "this is not Terraform syntax"),
    ("a block that is not closed", "a {\n" * 2000, "this is not Terraform syntax"),
    ("a comment that is not closed", "/*" * 50_000, "this is not Terraform syntax"),
    (
        "a heredoc that is not closed",
        variable(default="<<EOT\n" + "EOT x\n" * 20_000),
        "not Terraform syntax",
    ),
    ("quotes", variable(default='"' * 20_001), "this is not Terraform syntax"),
    (
        "a huge file",
        variable(default='"' + "x" * 5_000_000 + '"'),
        "the file has more than 200,000 characters",
    ),
    (
        "many variables",
        "".join(variable(name=f"v{n}") for n in range(2000)),
        "the file has more than 200,000",
    ),
]


@pytest.mark.parametrize(("text", "expected"), [case[1:] for case in HCL], ids=[case[0] for case in HCL])
def test_hostile_terraform_is_refused(text, expected):
    started = time.monotonic()

    module = read_module({"variables.tf": text}, "shop")

    assert [str(problem) for problem in module.problems if expected in problem.reason]
    assert all(problem.file == "shop/variables.tf" and problem.line > 0 for problem in module.problems)
    assert quickly(started)


def test_a_long_heredoc_is_a_text_and_read_quickly():
    lines = ("EOT" + " " * 200 + "x\n\n") * 90
    started = time.monotonic()

    module = read_module({"variables.tf": variable("var.v != null", default=f"<<-EOT\n{lines}EOT\n")}, "shop")

    assert module.problems == []
    assert module.variables["v"]["default"] == lines
    assert quickly(started)


PATTERNS = [
    ("(a{1000}){1000}", "is not valid: invalid repetition size"),
    ("a{100000}", "is not valid: invalid repetition size"),
    ("(?=a)b", "is not valid: invalid perl operator"),
    ("(a)\\\\1", "is not valid: invalid escape sequence"),
    ("(" * 400 + ")" * 400 + "[", "is not valid"),
    ("a|" * 1000, "a pattern has at most 1,000 characters"),
    ("(" + "(a{0,30}){0,30}" * 3 + "){0,30}", "is not valid"),
]


@pytest.mark.parametrize(("pattern", "expected"), PATTERNS)
def test_a_hostile_pattern_is_refused(pattern, expected, capfd):
    started = time.monotonic()

    module = read_module({"variables.tf": variable(f'can(regex("{pattern}", var.v))', default='"a"')}, "shop")

    assert [problem.line for problem in module.problems] == [1]
    assert expected in str(module.problems[0])
    assert quickly(started)
    assert capfd.readouterr().err == ""  # the library would tell the log of the server


@pytest.mark.parametrize(
    "pattern", ["^(a+)+$", "^(a|aa)+$", "^(.*a){20}$", "(x+x+)+y", "^(([a-z])+.)+[A-Z]([a-z])+$"]
)
def test_a_pattern_that_would_take_others_for_ever_is_quick(pattern):
    module = read_module({"variables.tf": variable(f'can(regex("{pattern}", var.v))', default='"a"')}, "shop")
    started = time.monotonic()

    Values(module.variables).problems({"v": "a" * 19_999 + "!"})

    assert quickly(started)
