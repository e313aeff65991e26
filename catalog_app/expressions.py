"""
Small expressions in CEL, which manifests, prices, approvals and policies share.

The only module that knows the CEL library. CEL does not mix whole and broken numbers, so every number that
goes in becomes a double: expressions write `1.0`. Added to the language: `join(list)`, the elements with
commas between. Taken from it: whatever could take long (see effort.py).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import cel

from catalog_app.effort import MOST_STEPS, ORDINARY, SMALL, AtMost, Exactly, Size, most_steps
from catalog_app.grammar import GrammarError, Node, parse

MAX_LENGTH = 1500  # characters
LONGEST_PATTERN = 200
DEEPEST_VALUE = 50  # lists and maps inside each other
# An expression that is quick with values of this size is not counted again each time it runs.
LARGE = AtMost(text=5_000, length=200, weight=5_000)
FUNCTIONS = frozenset(
    ["contains", "endsWith", "matches", "startsWith", "size", "string", "double", "int", "join", "has"]
)


class ExpressionError(ValueError):
    """An expression that cannot be compiled, or that failed on the values it was given."""


class Context:
    """The values that expressions see, by name. Made once, used by many; for one thread at a time."""

    def __init__(self) -> None:
        self.cel = cel.Context()
        self.cel.add_function("join", _join)
        self.sizes: dict[str, Size] = {}
        self.outsized: set[str] = set()  # the names whose values are larger than LARGE

    @classmethod
    def of(cls, **roots: Any) -> "Context":
        context = cls()
        context.set(**roots)
        return context

    def set(self, **roots: Any) -> None:
        """Give names their values, new ones or others. ExpressionError where one goes too deep."""
        for name, value in roots.items():
            reading = _Reading()
            known = reading.into(value)
            self.cel.add_variable(name, known)
            self.sizes[name] = Exactly(known)
            self.outsized.discard(name)
            if not reading.is_within(LARGE):
                self.outsized.add(name)


@dataclass(frozen=True)
class Expression:
    text: str
    program: cel.Program
    node: Node
    is_quick: bool  # whenever nothing is larger than LARGE, besides what it knows
    knows: frozenset[str] = frozenset()  # names that always have the same value

    def knowing(self, **values: Any) -> "Expression":
        """The same, where these names always have these values. ExpressionError where it is too much work then."""
        known = {name: Exactly(value) for name, value in values.items()}
        self.check_effort(known, others=ORDINARY)
        return replace(self, is_quick=self._steps(known, LARGE) <= MOST_STEPS, knows=frozenset(known))

    def evaluate(self, context: Context) -> Any:
        """The value, or ExpressionError. Whole numbers come back as int."""
        if not (self.is_quick and context.outsized <= self.knows):
            self.check_effort(context.sizes)
        try:
            return _out_of(self.program.execute(context.cel))
        except KeyError as error:
            raise ExpressionError(f"there is no {error.args[0]} in `{self.text}`") from error
        except (TypeError, ValueError, RuntimeError, LookupError, ArithmeticError) as error:
            raise ExpressionError(f"`{self.text}` failed: {_first_line(error)}") from error

    def check_effort(self, sizes: Mapping[str, Size], others: Size = SMALL) -> None:
        """ExpressionError where the work with values of these sizes could be too much."""
        steps = self._steps(sizes, others)
        if not steps <= MOST_STEPS:
            number = f"{steps:,.0f}" if steps < MOST_STEPS**2 else "endless"
            raise ExpressionError(
                f"`{self.text}` can take {number} steps, and at most {MOST_STEPS:,} are allowed: "
                "put fewer lists inside each other"
            )

    def _steps(self, sizes: Mapping[str, Size], others: Size) -> float:
        return most_steps(self.node, {**dict.fromkeys(self.node.free_names(), others), **sizes})

    def names_below(self, root: str) -> set[str]:
        """The names read directly below `root`: {'sku'} for params.sku and params['sku']. `root` may be a.b, too."""
        paths = [_path(node) for node in self.node.walk()]
        above = tuple(root.split("."))
        return {path[-1] for path in paths if len(path) == len(above) + 1 and path[:-1] == above}


@lru_cache(maxsize=2048)
def compiled(text: str, roots: frozenset[str]) -> Expression:
    """Compile an expression that may use the names in `roots`, or raise ExpressionError."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"the expression is longer than {MAX_LENGTH} characters")
    try:
        program = cel.compile(text)
    except (ValueError, RuntimeError) as error:
        raise ExpressionError(f"`{text}` is not an expression: {_syntax(error)}") from error
    return Expression(text, program, _judged(text, roots), is_quick=False).knowing()


def _path(node: Node) -> tuple[str, ...]:
    """('request', 'params', 'sku'); empty for what is no path, or goes through what is only known when it runs."""
    if node.kind == "name":
        return (node.text,)
    if node.kind not in ("member", "index"):
        return ()
    name = node.text or node.children[1].value
    above = _path(node.children[0])
    return (*above, name) if above and isinstance(name, str) else ()


def _judged(text: str, roots: frozenset[str]) -> Node:
    """The parts of the expression, all of which are allowed."""
    try:
        node = parse(text)
    except GrammarError as error:
        raise ExpressionError(f"`{text}` cannot be used: {error}") from error
    if unknown := node.free_names() - roots:
        raise ExpressionError(f"`{text}` uses {_listed(unknown)}, and only {_listed(roots)} can be used here")
    calls = [each for each in node.walk() if each.kind == "call"]
    if strange := {call.text for call in calls} - FUNCTIONS:
        raise ExpressionError(f"`{text}` calls {_listed(strange)}, which does not exist")
    for call in calls:
        if call.text == "matches":
            _check_pattern(text, call)
    return node


def _check_pattern(text: str, call: Node) -> None:
    """A pattern is written down, so that nobody can send one; and it is one that the library can use."""
    pattern = call.children[-1]
    if pattern.kind != "value" or not isinstance(pattern.value, str) or len(call.children) != 2:
        raise ExpressionError(f"`{text}`: matches takes one pattern, written as a text")
    if len(pattern.value) > LONGEST_PATTERN:
        raise ExpressionError(f"`{text}`: a pattern has at most {LONGEST_PATTERN} characters")
    try:
        cel.compile(f"''.matches({pattern.text})").execute()
    except (ValueError, RuntimeError) as error:
        raise ExpressionError(f"`{text}`: {pattern.text} is not a pattern that can be used") from error


class _Reading:
    """Values on their way into the library: numbers as doubles, and how large it all is."""

    def __init__(self) -> None:
        self.text = self.length = self.weight = 0

    def into(self, value: Any, depth: int = 0) -> Any:
        self.weight += 1
        if isinstance(value, str):
            self.text = max(self.text, len(value))
            self.weight += len(value) // 20
            return value
        if isinstance(value, bool) or value is None:
            return value
        if depth > DEEPEST_VALUE:
            raise ExpressionError(f"values are more than {DEEPEST_VALUE} deep inside each other")
        if isinstance(value, Mapping):
            self.length = max(self.length, len(value))
            return {str(key): self.into(each, depth + 1) for key, each in value.items()}
        if isinstance(value, Iterable):
            items = [self.into(each, depth + 1) for each in value]
            self.length = max(self.length, len(items))
            return items
        return float(value)

    def is_within(self, most: AtMost) -> bool:
        return self.text <= most.text and self.length <= most.length and self.weight <= most.weight


def _out_of(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _out_of(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_out_of(each) for each in value]
    return value


def _join(values: list[Any]) -> str:
    return ", ".join(str(_out_of(value)) for value in values)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].split(". ")[0]


def _syntax(error: Exception) -> str:
    """`column 5: Syntax error: mismatched input` out of the library's long report."""
    found = re.search(r"ERROR: <input>:\d+:(\d+): (.*?)(?: expecting |\n|$)", str(error))
    return f"column {found[1]}: {found[2]}" if found else _first_line(error)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
