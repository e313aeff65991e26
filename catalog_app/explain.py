"""Why a rule says what it says: its conditions taken apart, each part with its value."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from catalog_app.expressions import Context, Expression, ExpressionError, compiled
from catalog_app.grammar import Node
from catalog_app.rules import ROOTS, Rule, RuleSet, Stage

_COMBINING = frozenset({"&&", "||", "!"})


@dataclass(frozen=True)
class Part:
    """A part of a condition. `depth` says how far inside; `error` is there where it has no value."""

    text: str
    depth: int
    value: Any = None
    error: str = ""


@dataclass(frozen=True)
class Explanation:
    rule: Rule
    applied: bool  # the rule is about this; true as well where nobody knows
    held: bool | None  # None: it was not asked, or it failed
    message: str  # of a rule that does not hold
    error: str  # the fault of the rule
    parts: list[Part]  # of `when` where the rule does not apply, else of `assert`


def explain(
    stage: Stage, facts: Mapping[str, Any], resource: Mapping[str, Any] | None, rules: RuleSet
) -> list[Explanation]:
    """Every rule of the stage. ExpressionError where the facts cannot be used at all."""
    context = rules.context()
    context.set(request=facts, resource=resource)
    return [_explain(rule, context) for rule in rules.of(stage)]


def _explain(rule: Rule, context: Context) -> Explanation:
    roots = ROOTS[rule.text.stage]
    try:
        held = rule.holds(context)
    except ExpressionError as error:
        parts = [*_parts(rule.when, roots, context), *_parts(rule.check, roots, context)]
        return Explanation(rule, applied=True, held=None, message="", error=str(error), parts=parts)
    condition = rule.when if held is None else rule.check
    message = rule.message(context) if held is False else ""
    return Explanation(rule, held is not None, held, message, "", [*_parts(condition, roots, context)])


def _parts(expression: Expression, roots: frozenset[str], context: Context) -> Iterator[Part]:
    shown = (
        (expression.text[node.start : node.end], depth) for node, depth in _worth_showing(expression.node, 0)
    )
    for text, depth in dict.fromkeys(shown):
        try:
            yield Part(text, depth, compiled(text, roots).evaluate(context))
        except ExpressionError as error:
            yield Part(text, depth, error=str(error))


def _worth_showing(node: Node, depth: int) -> Iterator[tuple[Node, int]]:
    """The conditions that it combines, and below each of these what it reads."""
    yield node, depth
    if node.text in _COMBINING or node.kind == "choice":
        for child in _combined(node, node.text):
            yield from _worth_showing(child, depth + 1)
    else:
        for child in _paths(node, frozenset()):
            if child is not node:
                yield child, depth + 1


def _combined(node: Node, operator: str) -> Iterator[Node]:
    """a, b and c of `a && b && c`, which is `(a && b) && c` in the tree."""
    for child in node.children:
        if child.kind == "binary" and child.text == operator:
            yield from _combined(child, operator)
        else:
            yield child


def _paths(node: Node, bound: frozenset[str]) -> Iterator[Node]:
    """The longest paths such as `data.regions[request.environment]` that need no name of a macro, and those inside."""
    is_path = node.kind in ("member", "index")
    if is_path and not node.free_names() & bound:
        yield node
        for child in node.walk():
            if child.kind == "index":
                yield from _paths(child.children[1], bound)
        return
    inside = bound | {node.bound} if node.bound else bound
    for number, child in enumerate(node.children):
        yield from _paths(child, bound if number == 0 else inside)


def in_plain_words(rule: Rule, context: Context) -> list[tuple[str, bool]]:
    """The message for somebody who has not asked yet: its parts, and whether each stands for a value of a request."""
    return [(part, False) if isinstance(part, str) else _stand_in(part, context) for part in rule.words]


def _stand_in(part: Expression, context: Context) -> tuple[str, bool]:
    try:
        return str(part.evaluate(context)), False  # what is the same for every request
    except ExpressionError:
        node = part.node
        while node.kind == "index":
            node = node.children[0]
        return node.text.replace("_", " "), True
