"""
Conditions of `validation` blocks as JSON Schema.

A fragment says the same as the condition, about one variable. What has no such form raises NoFragment and
stays a check that only Terraform can make. Null is the business of the type: `v == null || C` becomes C.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import re2

from catalog_app.variables.hcl import (
    Binary,
    Call,
    Conditional,
    For,
    Items,
    Literal,
    Node,
    Reference,
    Unary,
    Unsupported,
    literal,
)
from catalog_app.variables.types import Schema, base_type

FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}
LIMITS = {">=": "minimum", ">": "exclusiveMinimum", "<=": "maximum", "<": "exclusiveMaximum"}
SIZES = {"string": "Length", "array": "Items", "object": "Properties"}
Path = tuple[str, ...]


class NoFragment(ValueError):
    """The condition has no form in JSON Schema."""


def parts(tree: Node, operator: str) -> list[Node]:
    """The operands of a chain: a, b and c of `a && b && c`."""
    match tree:
        case Binary(op, left, right) if op == operator:
            return [*parts(left, operator), *parts(right, operator)]
    return [tree]


def references(tree: Any) -> Iterator[Path]:
    """Every name that is read in the tree."""
    if isinstance(tree, Reference):
        yield tree.path
    elif isinstance(tree, tuple):
        for each in tree:
            yield from references(each)
    elif hasattr(tree, "__dataclass_fields__"):
        for field in tree.__dataclass_fields__:
            yield from references(getattr(tree, field))


def fragment(tree: Node, subject: Path, schema: Schema) -> Schema:  # noqa: C901 - a case for each form
    """What the condition says about `subject`, whose schema is `schema`."""
    match tree:
        case Binary("&&"):
            return _all_of([fragment(part, subject, schema) for part in parts(tree, "&&")])
        case Binary("||"):
            return _any_of(tree, subject, schema)
        case Unary("!", operand):
            return {"not": fragment(operand, subject, schema)}
        case Conditional(Binary("==", guard, Literal(None)), Literal(True), body):
            return _guarded([guard], [body], subject, schema)
        case Conditional(Binary("!=", guard, Literal(None)), body, Literal(True)):
            return _guarded([guard], [body], subject, schema)
        case Call(("alltrue" | "anytrue") as name, (For() as loop,)):
            return _loop(name, loop, subject, schema)
        case Call():
            return _call(tree, subject, schema)
        case Binary(operator, left, right) if operator in FLIPPED:
            if isinstance(left, Literal):
                operator, left, right = FLIPPED[operator], right, left
            return _comparison(operator, left, right, subject, schema)
    raise NoFragment("this form of condition is not known")


def _all_of(fragments: list[Schema]) -> Schema:
    """Side by side where the keywords differ, else under allOf."""
    merged: Schema = {}
    for each in fragments:
        if merged.keys() & each.keys():
            merged.setdefault("allOf", []).append(each)
        else:
            merged.update(each)
    return merged


def _any_of(tree: Node, subject: Path, schema: Schema) -> Schema:
    guards, bodies = [], []
    for part in parts(tree, "||"):
        match part:
            case Binary("==", Reference(path) as guard, Literal(None)) if path[: len(subject)] == subject:
                guards.append(guard)
            case _:
                bodies.append(part)
    if guards and bodies:
        return _guarded(guards, bodies, subject, schema)
    return {"anyOf": [fragment(part, subject, schema) for part in parts(tree, "||")]}


def _guarded(guards: list[Any], bodies: list[Node], subject: Path, schema: Schema) -> Schema:
    """`v == null || v.x == null || C` is C, as long as C reads only what the guards are about."""
    for path in references(tuple(bodies)):
        if path[0] == subject[0] and any(path[: len(guard.path)] != guard.path for guard in guards):
            raise NoFragment("the null guard is about something else")
    found = [fragment(body, subject, schema) for body in bodies]
    return found[0] if len(found) == 1 else {"anyOf": found}


def _call(tree: Call, subject: Path, schema: Schema) -> Schema:
    match tree:
        case Call("contains", (Items() | Call("toset" | "tolist", (Items(),)) as choices, value)):
            items = choices if isinstance(choices, Items) else choices.arguments[0]
            return _about(value, subject, schema, lambda _: {"enum": literal(items)})
        case Call("can", (Call("regex", (Literal(str(pattern)), value)),)):
            return _about(value, subject, schema, lambda _: {"pattern": _checked(pattern)})
        case Call("can", (Call("cidrhost" | "cidrnetmask" | "cidrsubnet", (value, *_)),)):
            return _about(value, subject, schema, lambda _: {"format": "cidr"})
        case Call("startswith", (value, Literal(str(text)))):
            return _about(value, subject, schema, lambda _: {"pattern": f"^{re.escape(text)}"})
        case Call("endswith", (value, Literal(str(text)))):
            return _about(value, subject, schema, lambda _: {"pattern": f"{re.escape(text)}$"})
        case Call("strcontains", (value, Literal(str(text)))):
            return _about(value, subject, schema, lambda _: {"pattern": re.escape(text)})
    raise NoFragment(f"{tree.name}() is not known here")


def _loop(name: str, loop: For, subject: Path, schema: Schema) -> Schema:
    if loop.is_filtered:
        raise NoFragment("the loop has a filter")
    over = base_type(_at(loop.collection, subject, schema))
    element = (loop.names[-1],)

    def inner(here: Schema) -> Schema:
        if over == "array":
            found = fragment(loop.value, element, here.get("items", {}))
            return {"items": found} if name == "alltrue" else {"contains": found}
        if over == "object" and name == "alltrue":
            return _all_of([_map_part(part, loop.names, here) for part in parts(loop.value, "&&")])
        raise NoFragment(f"{name}() over this type is not known")

    return _about(loop.collection, subject, schema, inner)


def _map_part(part: Node, names: Path, schema: Schema) -> Schema:
    """One part of a condition over the keys or over the values of a map, not over both."""
    used = {path[0] for path in references(part)} & set(names)
    if len(names) == 2 and used == {names[0]}:
        return {"propertyNames": fragment(part, (names[0],), {"type": "string"})}
    if used == {names[-1]}:
        return {"additionalProperties": fragment(part, (names[-1],), schema.get("additionalProperties", {}))}
    raise NoFragment("key and value are compared")


def _comparison(  # noqa: C901 - a case for each form
    operator: str, left: Node, right: Node, subject: Path, schema: Schema
) -> Schema:
    match operator, left, right:
        case "==", Call("floor" | "ceil", (value,)), other if value == other:
            return _about(value, subject, schema, lambda _: {"type": "integer"})
        case "==", other, Call("floor" | "ceil", (value,)) if value == other:
            return _about(value, subject, schema, lambda _: {"type": "integer"})
        case "==", Binary("%", value, Literal(step)), Literal(0):
            return _about(value, subject, schema, lambda _: {"multipleOf": step})
        case _, Call("length", (value,)), Literal(int(size)):
            return _about(value, subject, schema, lambda here: _size(operator, size, here))
        case _, _, Literal(None) if operator == "!=":
            return _about(left, subject, schema, lambda _: {"not": {"type": "null"}})
        case _, _, Literal(value) if operator in LIMITS:
            return _about(left, subject, schema, lambda _: {LIMITS[operator]: value})
        case "==", _, Literal(value):
            return _about(left, subject, schema, lambda _: {"const": value})
        case "!=", _, Literal(value):
            return _about(left, subject, schema, lambda _: {"not": {"const": value}})
    raise NoFragment("two values are compared")


def _size(operator: str, size: int, schema: Schema) -> Schema:
    kind = SIZES.get(base_type(schema))
    if not kind:
        raise NoFragment("length() of this type is not known")
    least, most = f"min{kind}", f"max{kind}"
    if operator == "!=" and size == 0:
        return {least: 1}
    limits = {
        ">=": {least: size},
        ">": {least: size + 1},
        "<=": {most: size},
        "<": {most: size - 1},
        "==": {least: size, most: size},
    }
    if operator not in limits:
        raise NoFragment("this comparison of length() is not known")
    return limits[operator]


def _about(value: Node, subject: Path, schema: Schema, make: Callable[[Schema], Schema]) -> Schema:
    """A fragment about `value`, which is the subject or something inside of it."""
    made = make(_at(value, subject, schema))
    path = _unwrapped(value).path[len(subject) :]
    for name in reversed(path):
        made = {"properties": {name: made}}
    return made


def _at(value: Node, subject: Path, schema: Schema) -> Schema:
    reference = _unwrapped(value)
    if reference.path[: len(subject)] != subject:
        raise NoFragment("another value is read")
    for name in reference.path[len(subject) :]:
        schema = schema.get("properties", {}).get(name)
        if schema is None:
            raise NoFragment(f"there is no {name}")
    return schema


def _unwrapped(value: Node) -> Reference:
    match value:
        case Reference():
            return value
        case Call("tolist" | "toset" | "tostring", (Reference() as inner,)):
            return inner
    raise NoFragment("this expression is not known")


def _checked(pattern: str) -> str:
    try:
        re2.compile(pattern)
    except re2.error as error:
        raise Unsupported(f"the pattern {pattern} is not valid") from error
    return pattern
