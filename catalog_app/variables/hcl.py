"""
HCL text as a small tree of our own, on top of the rule objects of python-hcl2.

Those rule objects are the only source that keeps types, defaults and conditions apart. The first parse of a
process is slow (the grammar is built), so only the sync of the catalog reads HCL.
"""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import hcl2
from hcl2.rules import containers, expressions, for_expressions, functions, indexing, literal_rules, strings
from hcl2.rules.abstract import LarkRule
from hcl2.rules.base import AttributeRule, BlockRule
from lark.exceptions import LarkError

LONGEST_FILE = 200_000  # characters; the largest of ours has 5,000


class HclError(ValueError):
    """The text is not HCL. `line` counts from 1."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


class Unsupported(ValueError):
    """HCL that this tree does not model."""


@dataclass(frozen=True)
class Literal:
    value: Any


@dataclass(frozen=True)
class Reference:
    path: tuple[str, ...]  # var.budget.amount -> ("var", "budget", "amount")


@dataclass(frozen=True)
class Call:
    name: str
    arguments: tuple["Node", ...]


@dataclass(frozen=True)
class Binary:
    operator: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True)
class Unary:
    operator: str
    operand: "Node"


@dataclass(frozen=True)
class Conditional:
    condition: "Node"
    if_true: "Node"
    if_false: "Node"


@dataclass(frozen=True)
class Items:
    items: tuple["Node", ...]


@dataclass(frozen=True)
class Pairs:
    pairs: tuple[tuple[str, "Node"], ...]


@dataclass(frozen=True)
class For:
    names: tuple[str, ...]
    collection: "Node"
    value: "Node"
    condition: "Node | None" = None


@dataclass(frozen=True)
class Other:
    """Something that only Terraform can evaluate, for example a template string."""

    text: str


Node = Literal | Reference | Call | Binary | Unary | Conditional | Items | Pairs | For | Other


@dataclass(frozen=True)
class Block:
    kind: str
    labels: tuple[str, ...]
    line: int
    attributes: dict[str, LarkRule]
    blocks: tuple["Block", ...]
    text: str = ""  # as written

    def attribute(self, name: str, default: Any = None) -> Any:
        """The value of a literal attribute; Unsupported when it is not a literal."""
        return literal(node(self.attributes[name])) if name in self.attributes else default


def parse(text: str) -> list[Block]:
    """The top-level blocks, or HclError."""
    last_line = text.count("\n") + 1
    if len(text) > LONGEST_FILE:
        raise HclError(last_line, f"the file has more than {LONGEST_FILE:,} characters: make it several")
    try:
        return list(_blocks(hcl2.parses(text, discard_comments=True).body, text))
    except RecursionError as error:
        raise HclError(1, "something in this file goes too deep") from error
    except LarkError as error:
        line = getattr(error, "line", -1)
        reason = (
            "this is not Terraform syntax" if 0 < line <= last_line else "a brace or a quote is not closed"
        )
        raise HclError(line if 0 < line <= last_line else last_line, reason) from error


def _blocks(body: Any, text: str) -> Iterator[Block]:
    for child in body.children:
        if isinstance(child, BlockRule):
            kind, *labels = (str(label.serialize()).strip('"') for label in child.labels)
            attributes: dict[str, LarkRule] = {
                rule.identifier.serialize(): rule.expression
                for rule in child.body.children
                if isinstance(rule, AttributeRule)
            }
            where = child._meta
            inner = tuple(_blocks(child.body, text))
            yield Block(
                kind, tuple(labels), where.line, attributes, inner, text[where.start_pos : where.end_pos]
            )


def literal(tree: Node) -> Any:
    match tree:
        case Literal(value):
            return value
        case Items(items):
            return [literal(item) for item in items]
        case Pairs(pairs):
            return {name: literal(value) for name, value in pairs}
    raise Unsupported("a literal value is needed here")


def source(rule: LarkRule) -> str:
    text = str(rule.serialize())
    return text[2:-1] if text.startswith("${") and text.endswith("}") else text


def node(rule: Any) -> Node:
    """The tree of one expression."""
    for kinds, convert in _CONVERTERS:
        if isinstance(rule, kinds):
            return convert(rule)
    only = [child for child in getattr(rule, "children", []) if isinstance(child, LarkRule)]
    return node(only[0]) if len(only) == 1 else Other(type(rule).__name__)


def _binary(rule: expressions.BinaryOpRule) -> Node:
    term = rule.binary_term
    return Binary(str(term.binary_operator.serialize()), node(rule.expr_term), node(term.expr_term))


def _unary(rule: expressions.UnaryOpRule) -> Node:
    operand = node(rule.expr_term)
    if rule.operator == "-" and isinstance(operand, Literal):
        return Literal(-operand.value)
    return Unary(rule.operator, operand)


def _call(rule: functions.FunctionCallRule) -> Node:
    arguments = rule.arguments.arguments if rule.arguments else []
    name = "::".join(part.serialize() for part in rule.identifiers)
    return Call(name, tuple(node(argument) for argument in arguments))


def _pairs(rule: containers.ObjectRule) -> Node:
    pairs = []
    for element in rule.elements:
        match node(element.key.value):
            case Literal(key):
                pairs.append((str(key), node(element.expression)))
            case Reference((key,)):
                pairs.append((key, node(element.expression)))
            case _:
                raise Unsupported("the names in an object are written out")
    return Pairs(tuple(pairs))


def _for(rule: for_expressions.ForTupleExprRule) -> Node:
    intro = rule.for_intro
    names = [intro.first_iterator, *([intro.second_iterator] if intro.second_iterator else [])]
    return For(
        tuple(name.serialize() for name in names),
        node(intro.iterable),
        node(rule.value_expr),
        node(rule.condition) if rule.condition is not None else None,
    )


def _attribute_of(rule: indexing.GetAttrExprTermRule) -> Node:
    name = rule.get_attr.serialize().lstrip(".")
    match node(rule.expr_term):
        case Reference(path):
            return Reference((*path, name))
    return Other(name)


def _string(rule: strings.StringRule) -> Node:
    text = rule.serialize()[1:-1]
    parts = (part.content for part in rule.string_parts if hasattr(part, "content"))
    if any(isinstance(part, strings.InterpolationRule) for part in parts):
        return Other(text)
    return Literal(_unescaped(text))


def _heredoc(rule: Any) -> Node:
    written = str(getattr(rule.heredoc, "value", rule.heredoc)).replace("\r\n", "\n").rstrip()
    first, *lines = written.split("\n")  # the last one is the end mark
    text = "".join(f"{line}\n" for line in lines[:-1])
    if "${" in text.replace("$${", "") or "%{" in text.replace("%%{", ""):
        return Other(text)
    if first.startswith("<<-"):  # takes away the common indentation
        text = textwrap.dedent(text)
    return Literal(text.replace("$${", "${").replace("%%{", "%{"))


_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}


def _unescaped(text: str) -> str:
    def character(found: re.Match[str]) -> str:
        code = found[1]
        return chr(int(code[1:], 16)) if code[0] in "uU" else _ESCAPES.get(code, f"\\{code}")

    text = re.sub(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", character, text, flags=re.DOTALL)
    return text.replace("$${", "${").replace("%%{", "%{")


_KEYWORDS = {"true": True, "false": False, "null": None}

# The first kind that fits decides. Anything else with one child stands for that child.
_CONVERTERS: list[tuple[Any, Any]] = [
    (expressions.ExprTermRule, lambda rule: node(rule.expression)),
    (
        expressions.ConditionalRule,
        lambda rule: Conditional(node(rule.condition), node(rule.if_true), node(rule.if_false)),
    ),
    (expressions.BinaryOpRule, _binary),
    (expressions.UnaryOpRule, _unary),
    (functions.FunctionCallRule, _call),
    (containers.TupleRule, lambda rule: Items(tuple(node(item) for item in rule.elements))),
    (containers.ObjectRule, _pairs),
    (containers.ObjectElemKeyExpressionRule, lambda rule: node(rule.expression)),
    (literal_rules.IdentifierRule, lambda rule: Reference((rule.serialize(),))),
    (literal_rules.KeywordRule, lambda rule: Reference((rule.serialize(),))),
    (literal_rules.LiteralValueRule, lambda rule: Literal(_KEYWORDS[str(rule.token.value)])),
    (literal_rules.IntLitRule, lambda rule: Literal(int(rule.serialize()))),
    (literal_rules.FloatLitRule, lambda rule: Literal(float(str(rule.token.value)))),
    (strings.StringRule, _string),
    ((strings.HeredocTemplateRule, strings.HeredocTrimTemplateRule), _heredoc),
    (for_expressions.ForTupleExprRule, _for),
    (indexing.GetAttrExprTermRule, _attribute_of),
    (indexing.IndexExprTermRule, lambda rule: Other(str(rule.serialize()))),
]
