"""
What an expression is made of, known before it runs: just enough of CEL's grammar to judge an expression by its parts.

The CEL library runs expressions and shows nothing of their inside. This reads the same text into nodes. It is meant to
be stricter than the library: what it does not know is refused (raw texts with an escaped quote, bytes, messages).
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

Kind = Literal[
    "value", "name", "member", "index", "call", "macro", "list", "map", "unary", "binary", "choice"
]
MACROS = frozenset({"all", "exists", "exists_one", "existsOne", "filter", "map"})
DEEPEST = 100  # parts inside each other; in a chain of operators each is inside the next
MOST_BRACKETS = 25  # inside each other
_LEVELS = (("||",), ("&&",), ("==", "!=", "<", "<=", ">", ">=", "in"), ("+", "-"), ("*", "/", "%"))
_TOKEN = re.compile(
    r"""\s*(?:
      (?P<number> (?:0x[0-9a-fA-F]+ | (?:\d+\.\d+|\.\d+|\d+)(?:[eE][+-]?\d+)?) u? )
    | (?P<text> [rR](?:'[^'\n]*'|"[^"\n]*") | '(?:[^'\\\n]|\\.)*' | "(?:[^"\\\n]|\\.)*" )
    | (?P<name> [A-Za-z_][A-Za-z0-9_]* )
    | (?P<sign> && | \|\| | [=!<>]= | [-+*/%!<>?:.,()\[\]{}] )
    )""",
    re.VERBOSE,
)
_CONSTANTS = {"true": True, "false": False, "null": None}


class GrammarError(ValueError):
    """A text that is no expression, or one of a form that is not allowed here."""


@dataclass(frozen=True)
class Node:
    """
    A part of an expression, with its place in the text.

    `text` is a name, an operator or a function. The receiver of a method is the first child of its call. A macro
    (`tags.all(t, t != '')`) binds the name `bound`; its first child is what it goes through.
    """

    kind: Kind
    start: int
    end: int
    text: str = ""
    children: tuple["Node", ...] = ()
    value: Any = None
    bound: str = ""
    depth: int = 1

    def walk(self) -> Iterator["Node"]:
        yield self
        for child in self.children:
            yield from child.walk()

    def free_names(self, bound: frozenset[str] = frozenset()) -> set[str]:
        """The names that come from outside."""
        if self.kind == "name":
            return set() if self.text in bound else {self.text}
        inside = bound | {self.bound} if self.bound else bound
        first, rest = self.children[:1], self.children[1:]
        return {name for child in first for name in child.free_names(bound)} | {
            name for child in rest for name in child.free_names(inside)
        }


def parse(text: str) -> Node:
    """The whole expression, or GrammarError."""
    reader = _Reader(text)
    node = reader.expression()
    reader.expect("")
    return node


class _Reader:
    def __init__(self, text: str) -> None:
        self.tokens = list(_tokens(text))
        self.at = 0
        self.nesting = 0

    # ── from the loosest to the tightest ──────────────────────────────────────────────────────────────

    def expression(self) -> Node:
        self.nesting += 1
        if self.nesting > MOST_BRACKETS:
            raise GrammarError(f"it has more than {MOST_BRACKETS} brackets inside each other")
        node = self._operators(0)
        if self._take("?"):
            yes = self._operators(0)
            self.expect(":")
            no = self.expression()
            node = _node("choice", node.start, no.end, children=(node, yes, no))
        self.nesting -= 1
        return node

    def _operators(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._unary()
        left = self._operators(level + 1)
        while operator := self._take(*_LEVELS[level]):
            right = self._operators(level + 1)
            left = _node("binary", left.start, right.end, operator, (left, right))
        return left

    def _unary(self) -> Node:
        start = self._peek()[2]
        sign = self._take("!", "-")
        if not sign:
            return self._member()
        while self._take(sign):
            pass
        inside = self._member()
        return _node("unary", start, inside.end, sign, (inside,))

    def _member(self) -> Node:
        node = self._primary()
        while sign := self._take(".", "["):
            if sign == "[":
                index = self.expression()
                node = _node("index", node.start, self.expect("]"), children=(node, index))
                continue
            kind, name, _, end = self._next()
            if kind != "name":
                raise GrammarError(f"a name is missing after the dot, before {name!r}")
            node = self._call(name, node.start, node) if self._take("(") else _node(
                "member", node.start, end, name, (node,)
            )  # fmt: skip
        return node

    def _primary(self) -> Node:
        kind, text, start, end = self._next()
        if kind in ("number", "text"):
            return _node("value", start, end, text, value=_literal(kind, text))
        if kind == "name" and text in _CONSTANTS:
            return _node("value", start, end, text, value=_CONSTANTS[text])
        if kind == "name":
            return self._call(text, start) if self._take("(") else _node("name", start, end, text)
        if text == "(":
            return replace(self.expression(), start=start, end=self.expect(")"))
        if text == "[":
            items, end = self._list("]")
            return _node("list", start, end, children=items)
        if text == "{":
            items, end = self._list("}")
            return _node("map", start, end, children=items)
        raise GrammarError(f"{text!r} is not expected here" if text else "it ends too early")

    def _call(self, name: str, start: int, receiver: Node | None = None) -> Node:
        arguments, end = self._list(")")
        if receiver is None or name not in MACROS:
            return _node("call", start, end, name, (*([receiver] if receiver else []), *arguments))
        if len(arguments) not in ((2, 3) if name == "map" else (2,)) or arguments[0].kind != "name":
            raise GrammarError(f"{name} takes a name and an expression, such as {name}(each, each != '')")
        return _node("macro", start, end, name, (receiver, *arguments[1:]), bound=arguments[0].text)

    def _list(self, closing: str) -> tuple[tuple[Node, ...], int]:
        """Up to the closing sign; in a map the keys and values follow each other."""
        items: list[Node] = []
        while self._peek()[1] != closing:
            items.append(self.expression())
            if closing == "}":
                self.expect(":")
                items.append(self.expression())
            if not self._take(","):
                break
        return tuple(items), self.expect(closing)

    # ── tokens ────────────────────────────────────────────────────────────────────────────────────────

    def expect(self, sign: str) -> int:
        """Its end."""
        _, text, _, end = self._next()
        if text != sign:
            raise GrammarError(f"{sign or 'the end'} is missing before {text!r}")
        return end

    def _peek(self) -> tuple[str, str, int, int]:
        return self.tokens[self.at]

    def _next(self) -> tuple[str, str, int, int]:
        token = self.tokens[self.at]
        self.at = min(self.at + 1, len(self.tokens) - 1)
        return token

    def _take(self, *signs: str) -> str:
        text = self._peek()[1]
        if text not in signs:
            return ""
        self.at += 1
        return text


def _node(
    kind: Kind,
    start: int,
    end: int,
    text: str = "",
    children: tuple[Node, ...] = (),
    *,
    value: Any = None,
    bound: str = "",
) -> Node:
    depth = 1 + max((child.depth for child in children), default=0)
    if depth > DEEPEST:
        raise GrammarError(f"its parts are more than {DEEPEST} deep inside each other")
    return Node(kind, start, end, text, children, value, bound, depth)


def _tokens(text: str) -> Iterator[tuple[str, str, int, int]]:
    """(kind, text, start, end); the last one is empty."""
    at, end = 0, len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if not found:
            raise GrammarError(f"{text[at:end].strip()[:10]!r} is not known here")
        kind = str(found.lastgroup)
        yield kind, found[kind], found.start(kind), found.end(kind)
        at = found.end()
    yield "", "", end, end


def _literal(kind: str, text: str) -> Any:
    if kind == "number":
        return float(int(text.rstrip("u"), 16)) if text.startswith("0x") else float(text.rstrip("u"))
    if re.search(r"\\[?`]", text):
        raise GrammarError(f"{text} has an escape that is not needed")
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError) as error:
        raise GrammarError(f"{text} cannot be read") from error
