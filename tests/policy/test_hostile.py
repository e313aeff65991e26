"""Rules that would take long are refused when they are read, or cut off when they run: quickly, and named."""

import random
import time

import pytest

from catalog_app.effort import MOST_STEPS, most_steps
from catalog_app.expressions import Context, ExpressionError, compiled
from catalog_app.policy import decide
from catalog_app.problems import CatalogProblems
from catalog_app.rules import read_rules

ROOTS = frozenset({"request", "data"})
LONG = ["x" * 20] * 1000  # as long as a list of parameters can be
QUICK = 0.5  # seconds of computing; what is refused takes a thousandth of it

# Each is refused when it is read.
ENDLESS = [
    "request.a.all(x, request.a.all(y, request.a.all(z, x + y + z != '')))",
    "request.a.exists(x, data.a.exists(y, request.b.exists(z, x == y && y == z)))",
    "['aaaa'].map(x, x + x)" + ".map(x, x + x)" * 60 + " != []",
    "[[1.0]].map(x, x + x)" + ".map(x, x + x)" * 60 + " != []",
    "[1.0].map(x, [x, x])" + ".map(x, [x, x])" * 60 + " != []",
    "request.a.map(x, [x, x, x])" + ".map(x, x + x)" * 9 + " != []",
    "[1.0].map(x, [x])" + ".map(x, x + x + x + x + x + x + x + x + x + x)" * 25 + " == []",
    "request.a.map(x, request.a.map(y, request.a.map(z, x))) != []",
    "join(request.a.map(x, join(request.a.map(y, join(request.a))))) != ''",
    "request.name.matches('(a{1,100}){1,100}')",
    "request.name.matches('((a{1,50}){1,50}){1,50}b')",
    "request.name.matches('[a-z]{1,5000}')",
    "request.name.matches('a{99999999}{99999999}{99999999}{99999999}')",
    "request.name.matches('" + "(" * 60 + "a" + "{9})" * 60 + "')",
    "request.name.matches('(a+)+$" + "b" * 200 + "')",
    "request.name.matches(request.params.pattern)",
    "'a'.matches(join(request.a))",
    "(" * 300 + "true" + ")" * 300,
    "[" * 200 + "]" * 200 + " == []",
    "true ? " * 150 + "true" + " : true" * 150,
    "request.name" + "[0.0" * 200 + "]" * 200,
    " || ".join(["request.a == 1.0"] * 200),
]


def timed(work):
    began = time.process_time()
    try:
        return work()
    finally:
        assert time.process_time() - began < QUICK


@pytest.mark.parametrize("text", ENDLESS, ids=lambda text: f"{text[:30]}..{len(text)}")
def test_an_expression_without_end_is_refused_when_it_is_read(text):
    with pytest.raises(ExpressionError):
        timed(lambda: compiled(text, ROOTS))


@pytest.mark.parametrize("text", ENDLESS, ids=lambda text: f"{text[:30]}..{len(text)}")
def test_a_file_with_such_a_rule_is_refused_with_its_place(rules, text):
    folder = rules(check=f">-\n      {text}")

    with pytest.raises(CatalogProblems) as refused:
        timed(lambda: read_rules(folder))

    assert all(str(problem).startswith(f"{folder.name}/own.yaml:9: ") for problem in refused.value.found)


@pytest.mark.parametrize(
    "text",
    [
        "request.a.all(x, request.a.all(y, x == y))",
        "request.a.map(x, x + x) != []",
        "request.a.filter(x, x in request.a) != []",
        "request.a.all(x, x.matches('^[a-z]{1,20}$'))",
        "request.text.matches('^([a-z]{1,20} ?){1,10}$')",
        "data.big.all(x, x in request.a)",
        "join(request.a) == join(request.a.map(x, join(request.a)))",
    ],
)
def test_what_is_fine_with_ordinary_values_is_cut_off_with_huge_ones(text):
    huge = {"a": LONG, "text": "a b " * 5000}

    with pytest.raises(ExpressionError, match="steps, and at most 1,000,000 are allowed: put fewer lists"):
        timed(lambda: compiled(text, ROOTS).evaluate(Context.of(request=huge, data={"big": LONG * 5})))

    few = {"a": ["x", "y"], "text": "a b"}
    compiled(text, ROOTS).evaluate(Context.of(request=few, data={"big": ["x"]}))


def test_a_huge_request_makes_the_rule_fail_closed_as_its_own_fault(rules):
    rules(check="request.params.a.all(x, request.params.a.exists(y, x == y)) && request.name == 'good'")
    facts = {"name": "good", "params": {"a": [str(number) for number in range(1000)]}}

    verdict = timed(lambda: decide("request", facts))

    (finding,) = verdict.findings
    assert (verdict.outcome, finding.fault, finding.rule) == ("deny", True, "own")
    assert "steps, and at most 1,000,000 are allowed" in finding.message


def test_values_that_go_too_deep_are_refused_and_not_followed(rules):
    rules()
    deep: dict = {}
    inner = deep
    for _ in range(400):
        inner["a"] = {}
        inner = inner["a"]

    (finding,) = timed(lambda: decide("request", {"name": "good", "params": deep})).findings

    assert finding.fault
    assert "more than 50 deep inside each other" in finding.message


def test_many_rules_that_are_each_just_quick_enough_are_cut_off_together(rules):
    for number in range(12):
        rules(
            f"slow-{number}",
            stage="plan",
            check="resource.address != 'bad' && request.name == 'good'",
            when="true",
        )
    resources = [{"address": "a", "type": "t", "change": {"actions": ["create"]}}] * 200_000
    began = time.thread_time()

    verdict = decide("plan", {"name": "good"}, resources)

    assert time.thread_time() - began < 6
    (finding,) = verdict.findings
    assert (verdict.outcome, finding.fault) == ("deny", True)
    assert finding.message == "The rules took longer than 2 seconds to check. Tell the platform team."


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$",
        "(a|a)*b",
        "(a|aa)+$",
        "(.*)*x",
        "(a*)*b",
        "([a-z]+)*X",
        "(x+x+)+y",
        "^(([a-z])+.)+[A-Z]([a-z])+$",
    ],
)
def test_patterns_that_ruin_backtracking_engines_take_linear_time(pattern):
    """The engine is Rust's regex, an automaton: it never looks at a character twice."""

    def seconds(length):
        expression = compiled(f"request.text.matches('{pattern}')", ROOTS)
        context = Context.of(request={"text": "a" * length + "!"}, data={})
        began = time.process_time()
        for _ in range(20):
            expression.evaluate(context)
        return time.process_time() - began

    seconds(100)
    assert seconds(10_000) < QUICK  # with backtracking: 2 to the power of 10,000 steps


def test_a_pattern_that_needs_backtracking_is_refused():
    for pattern in (r"(a)\\1", "(?=a)b", "(?<!a)b", "(?>a)b"):
        with pytest.raises(ExpressionError, match="is not a pattern that can be used"):
            compiled(f"request.name.matches('{pattern}')", ROOTS)


def test_no_expression_takes_longer_than_its_steps_allow():
    """Thousands of odd expressions over large values: whatever is not refused is quick."""
    choose = random.Random(7)
    values = {
        "a": [f"text{number}" * 5 for number in range(200)],
        "b": "x" * 5000,
        "list": [{"a": float(number), "list": [1.0] * 20} for number in range(200)],
    }
    context = Context.of(request=values, data=values)
    slowest, ran, refused = 0.0, 0, 0
    for _ in range(1000):
        text = _odd(choose, choose.randrange(1, 5), [])
        try:
            expression = compiled(text, ROOTS)
        except ExpressionError:
            refused += 1
            continue
        allowed = most_steps(expression.node, context.sizes) <= MOST_STEPS
        began = time.process_time()
        try:
            expression.evaluate(context)
        except ExpressionError:
            pass
        slowest = max(slowest, time.process_time() - began)
        ran, refused = ran + allowed, refused + (not allowed)

    assert slowest < QUICK
    assert min(ran, refused) > 150


def _odd(choose: random.Random, depth: int, bound: list[str]) -> str:
    path = choose.choice(["request.a", "data.list", "request.list", "request.b", *bound, *bound])
    if depth == 0:
        return choose.choice([path, "'x'", "1.0"])
    name = "uvwxyz"[depth]
    match choose.randrange(6):
        case 0 | 1 | 2:
            macro = choose.choice(["all", "exists", "filter", "map", "map"])
            bodies = [
                f"{name} + {name}",
                f"[{name}, {name}]",
                f"{name} in request.a",
                _odd(choose, depth - 1, [*bound, name]),
            ]
            return f"({path}).{macro}({name}, {choose.choice(bodies)})"
        case 3:
            return f"[{_odd(choose, depth - 1, bound)}, {_odd(choose, depth - 1, bound)}]"
        case 4:
            return f"{_odd(choose, depth - 1, bound)} + {_odd(choose, depth - 1, bound)}"
        case _:
            return f"{_odd(choose, depth - 1, bound)} == {_odd(choose, depth - 1, bound)}"
