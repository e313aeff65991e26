"""
The most work that an expression can be, known before it runs.

CEL always comes to an end, but `list.all(a, list.all(b, ...))` takes as many steps as the lists are long, multiplied,
and `list.map(x, x + x).map(x, x + x)` doubles what it makes each time. The library has no limit for that and cannot be
interrupted. So the steps are counted from above, by the parts of the expression and the sizes of what it reads. A step
is about 50 ns; the figures were measured, see benchmarks/policy.py.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from math import inf
from typing import Any, Protocol, Self

from catalog_app.grammar import Node

MOST_STEPS = 1_000_000  # about 50 ms
SIGNS_IN_A_STEP = 20  # to copy or compare a text
SIGNS_TO_SEARCH = 100
STEPS_TO_COMPILE = 50  # for each element of a regular expression; the library compiles it at every use
STEPS_TO_HAND_OVER = 6  # for each value that goes back to Python

_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]")
_COUNTED = re.compile(r"\{(\d+)(?:,(\d*))?\}")
_TINY_FUNCTIONS = frozenset({"size", "int", "double", "has"})


class Size(Protocol):
    """How large a value is at most."""

    @property
    def text(self) -> float:
        """Signs of the longest text in it."""

    @property
    def length(self) -> float:
        """Elements of the list or map itself, or of the longest one in it."""

    @property
    def weight(self) -> float:
        """Values in it, with their texts in steps to copy them."""

    def member(self, name: str) -> "Size": ...

    def item(self) -> "Size":
        """The largest of its elements."""


@dataclass(frozen=True)
class AtMost:
    """A value of which only this is known; what is inside it is no larger."""

    text: float = 0
    length: float = 0
    weight: float = 1

    def member(self, name: str) -> Self:
        return self

    def item(self) -> Self:
        return self

    def __or__(self, other: Size) -> "AtMost":
        return AtMost(
            max(self.text, other.text), max(self.length, other.length), max(self.weight, other.weight)
        )


SMALL = AtMost()
# Of values that are not there yet. Whatever is too much with these is refused when it is read.
ORDINARY = AtMost(text=100, length=50, weight=30)


@dataclass(frozen=True)
class Exactly:
    """A value that is there. It must not change, nor go away, while it is looked at."""

    value: Any
    known: dict[tuple[str, int], AtMost] = field(
        default_factory=dict, repr=False
    )  # by id, as they are asked for often

    @property
    def text(self) -> float:
        return self._whole().text

    @property
    def length(self) -> float:
        return len(self.value) if isinstance(self.value, list | Mapping) else 0

    @property
    def weight(self) -> float:
        return self._whole().weight

    def member(self, name: str) -> Size:
        return Exactly(self.value.get(name), self.known) if isinstance(self.value, Mapping) else SMALL

    def item(self) -> Size:
        """For a map this covers its keys, which macros go through, and its values, which an index finds."""
        key = ("item", id(self.value))
        if key not in self.known:
            self.known[key] = _largest(_measure(each, self.known) for each in _inside(self.value))
        return self.known[key]

    def _whole(self) -> AtMost:
        return _measure(self.value, self.known)


def _measure(value: Any, known: dict[tuple[str, int], AtMost]) -> AtMost:
    """The sizes of a value with all that is in it."""
    if isinstance(value, str):
        return AtMost(len(value), 0, 1 + len(value) / SIGNS_IN_A_STEP)
    if not isinstance(value, list | Mapping):
        return SMALL
    key = ("whole", id(value))
    if key not in known:
        known[key] = _together([_measure(each, known) for each in _inside(value)], len(value))
    return known[key]


def _inside(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        return [*value, *value.values()]
    return value if isinstance(value, list) else []


def most_steps(node: Node, sizes: Mapping[str, Size]) -> float:
    """The most steps that the expression can take, when the names it reads hold values of these sizes."""
    count = _Count(dict(sizes))
    try:
        result = count.of(node)
    except _Endless:
        return inf
    return count.steps + result.weight * STEPS_TO_HAND_OVER


class _Endless(Exception):
    """So many steps that counting on makes no sense."""


class _Count:
    def __init__(self, sizes: dict[str, Size]) -> None:
        self.sizes = sizes
        self.steps = 0.0

    def of(self, node: Node) -> Size:
        """Add the steps of this part; the size of its value."""
        self.steps += 1
        if self.steps > MOST_STEPS**2:
            raise _Endless
        if node.kind == "value":
            return Exactly(node.value)
        if node.kind in ("name", "member", "index"):
            found = self._reach(node)
            self.steps += found.weight  # the library copies what it finds, with all that is in it
            return found
        by_kind: Mapping[str, Callable[[Node], Size]] = {
            "call": self._call, "macro": self._macro, "binary": self._binary, "choice": self._choice,
            "list": self._collection, "map": self._collection, "unary": self._unary,
        }  # fmt: skip
        return by_kind[node.kind](node)

    def _reach(self, node: Node) -> Size:
        """The size of what a path such as `request.tags['owner']` leads to."""
        self.steps += 1
        if node.kind == "name":
            return self.sizes.get(node.text, SMALL)
        if node.kind not in ("member", "index"):
            return self.of(node)
        whole = self._reach(node.children[0])
        if node.kind == "member":
            return whole.member(node.text)
        key = node.children[1]
        self.of(key)
        self.steps += whole.weight  # copied before an element is taken out
        return whole.member(key.value) if isinstance(key.value, str) else whole.item()

    def _unary(self, node: Node) -> Size:
        self.of(node.children[0])
        return SMALL

    def _collection(self, node: Node) -> Size:
        return _together([self.of(child) for child in node.children], len(node.children))

    def _choice(self, node: Node) -> Size:
        _, yes, no = (self.of(child) for child in node.children)
        return _largest([yes, no])

    def _binary(self, node: Node) -> Size:
        left, right = (self.of(child) for child in node.children)
        if node.text == "+":
            both = AtMost(left.text + right.text, left.length + right.length, left.weight + right.weight)
            self.steps += 2 * both.weight
            return both
        if node.text == "in":
            self.steps += max(1, right.length) * (1 + min(left.weight, right.item().weight) / 8)
        else:
            self.steps += min(left.weight, right.weight)
        return SMALL

    def _call(self, node: Node) -> Size:
        sizes = [self.of(child) for child in node.children]
        if node.text in _TINY_FUNCTIONS or not sizes:
            return SMALL
        if node.text == "matches":
            elements = elements_of(node.children[-1].value)
            self.steps += elements * (STEPS_TO_COMPILE + sizes[0].text / 4)
            return SMALL
        if node.text in ("string", "join"):
            signs = sizes[0].weight * (SIGNS_IN_A_STEP + 25)
            self.steps += signs / 4
            return AtMost(signs, 0, signs / SIGNS_IN_A_STEP)
        self.steps += sum(size.text for size in sizes) / SIGNS_TO_SEARCH
        return SMALL

    def _macro(self, node: Node) -> Size:
        through = self.of(node.children[0])
        each = through.item()
        hidden = self.sizes.get(node.bound)
        self.sizes[node.bound] = each
        before = self.steps
        results = [self.of(child) for child in node.children[1:]]
        self.steps = before + through.length * (2 + each.weight + self.steps - before)
        self.sizes.pop(node.bound)
        if hidden is not None:
            self.sizes[node.bound] = hidden
        if node.text not in ("map", "filter"):
            return SMALL
        made = each if node.text == "filter" else results[-1]
        # The library copies all that it has so far at each step.
        self.steps += 1.5 * through.length**2 * (1 + made.weight)
        return AtMost(made.text, max(through.length, made.length), 1 + through.length * (1 + made.weight))


def elements_of(pattern: str) -> float:
    """From above, how many elements a regular expression has when its counted parts are written out."""
    texts = _CLASS.sub("ccc", pattern)
    times = reduce(
        lambda product, count: product * max(1, int(count[2] or count[1])), _COUNTED.finditer(texts), 1
    )
    return len(_COUNTED.sub("", texts)) * times


def _largest(sizes: Iterable[Size]) -> AtMost:
    return reduce(lambda largest, size: largest | size, sizes, SMALL)


def _together(sizes: list[AtMost] | list[Size], length: int) -> AtMost:
    largest = _largest(sizes)
    return AtMost(largest.text, max(length, largest.length), 1 + sum(size.weight for size in sizes))
