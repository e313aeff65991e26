import pytest

from catalog_app.expressions import Context, ExpressionError, compiled

ROOTS = frozenset({"params", "hours"})


def evaluate(text, **roots):
    return compiled(text, ROOTS).evaluate(Context.of(**({"params": {}, "hours": 730} | roots)))


@pytest.mark.parametrize(
    ("text", "params", "value"),
    [
        ("params.count * 2.0", {"count": 3}, 6),
        ("params.count / 2.0", {"count": 3}, 1.5),
        ("params.size > 32.0 ? 'big' : 'small'", {"size": 64}, "big"),
        ("has(params.a) && params.a != null", {"a": None}, False),
        ("'a-b' in params", {"a-b": 1}, True),
        ("params.names.all(name, name.startsWith('a'))", {"names": ["ab", "ac"]}, True),
        ("join(params.names)", {"names": ["a", 1, 2.5]}, "a, 1, 2.5"),
        ("params.nested", {"nested": {"a": [1, 2.0, True, None]}}, {"a": [1, 2, True, None]}),
    ],
)
def test_an_expression_has_a_value(text, params, value):
    assert evaluate(text, params=params) == value


def test_true_and_false_stay_what_they_are():
    assert evaluate("params.on", params={"on": True}) is True


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("params.", "is not an expression: column"),
        ("secret + params.a", "uses secret, and only hours, params can be used here"),
        ("params.a.lower()", "calls lower, which does not exist"),
        ("timestamp('2026-01-01T00:00:00Z')", "calls timestamp, which does not exist"),
        ("'" + "a" * 1500 + "'", "longer than 1500 characters"),
        ("b'a' == b'b'", "cannot be used: 'b' is not|cannot be used: the end is missing"),
        ("'a'.matches(params.a)", "matches takes one pattern, written as a text"),
        ("'a'.matches('(')", "is not a pattern that can be used"),
        ("'a'.matches('(a)\\\\1')", "is not a pattern that can be used"),
        ("params.a.all(1.0, true)", "is not an expression|all takes a name"),
    ],
)
def test_an_expression_that_cannot_be_used_is_refused_when_it_is_written(text, expected):
    with pytest.raises(ExpressionError, match=expected):
        compiled(text, ROOTS)


@pytest.mark.parametrize(
    "text",
    [
        "params.a",
        "params.a.b",
        "'a' + hours",
        "params['x']",
        "int('x')",
        "[1.0][7]",
        "1 / 0",
    ],
)
def test_an_expression_that_fails_says_so(text):
    with pytest.raises(ExpressionError):
        evaluate(text)


def test_the_names_that_are_read_are_known():
    expression = compiled("params.a + params.b.c + 'params.d' + params['e'] + params[params.f]", ROOTS)

    assert expression.names_below("params") == {"a", "b", "e", "f"}
    assert expression.names_below("params.b") == {"c"}
