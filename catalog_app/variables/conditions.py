"""
Conditions of `validation` blocks as JSON Schema.

A fragment says exactly the same as the condition, about one variable: also of null, and of what is left out of an
object. What has no such form raises NoFragment and stays a check that only Terraform can make.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any

from catalog_app.variables.dialect import BadPattern, is_portable, quoted, validator
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
from catalog_app.variables.types import Schema, base_type, is_nullable

FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}
LIMITS = {">=": "minimum", ">": "exclusiveMinimum", "<=": "maximum", "<": "exclusiveMaximum"}
SIZES = {"string": "Length", "array": "Items", "object": "Properties"}
NUMBER, TEXT, ANY = ("number", "integer"), ("string",), ("string", "number", "integer", "boolean")
Path = tuple[str, ...]
Make = Callable[[Schema], Schema]


class NoFragment(ValueError):
    """The condition has no form in JSON Schema."""


@dataclass(frozen=True)
class About:
    """What a condition is about: the value at `path`, which has this schema."""

    path: Path
    schema: Schema
    # What another part of the condition takes care of when it is null: v in `v == null || C`.
    guarded: frozenset[Path] = frozenset()
    negated: bool = False


def parts(tree: Node, operator: str) -> list[Node]:
    """The operands of a chain: a, b and c of `a && b && c`."""
    match tree:
        case Binary(op, left, right) if op == operator:
            return [*parts(left, operator), *parts(right, operator)]
    return [tree]


def references(tree: Any) -> Iterator[Path]:
    """Every name that is read in the tree, and not made in it by a loop."""
    if isinstance(tree, Reference):
        yield tree.path
    elif isinstance(tree, For):
        yield from references(tree.collection)
        inside = (*references(tree.value), *references(tree.condition))
        yield from (path for path in inside if path[0] not in tree.names)
    elif isinstance(tree, tuple):
        for each in tree:
            yield from references(each)
    elif hasattr(tree, "__dataclass_fields__"):
        for field in tree.__dataclass_fields__:
            yield from references(getattr(tree, field))


def fragment(tree: Node, about: About) -> Schema:  # noqa: C901 - a case for each form
    """What the condition says."""
    match tree:
        case Binary("&&"):
            return _all_of([fragment(part, about) for part in parts(tree, "&&")])
        case Binary("||"):
            return _any_of(tree, about)
        case Unary("!", operand):
            return {"not": fragment(operand, replace(about, negated=not about.negated))}
        case Conditional(Binary("==", guard, Literal(None)), Literal(True), body):
            return _guarded([guard], [body], about)
        case Conditional(Binary("!=", guard, Literal(None)), body, Literal(True)):
            return _guarded([guard], [body], about)
        case Call(("alltrue" | "anytrue") as name, (For() as loop,)):
            return _loop(name, loop, about)
        case Call():
            return _call(tree, about)
        case Binary(operator, left, right) if operator in FLIPPED:
            if isinstance(left, Literal):
                operator, left, right = FLIPPED[operator], right, left
            return _comparison(operator, left, right, about)
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


def _any_of(tree: Node, about: About) -> Schema:
    guards, bodies = [], []
    for part in parts(tree, "||"):
        match part:
            case Binary("==", Reference(path) as guard, Literal(None)) if (
                path[: len(about.path)] == about.path
            ):
                guards.append(guard)
            case _:
                bodies.append(part)
    if guards and bodies:
        return _guarded(guards, bodies, about)
    return {"anyOf": [fragment(part, about) for part in parts(tree, "||")]}


def _guarded(guards: list[Any], bodies: list[Node], about: About) -> Schema:
    """`v == null || v.x == null || C` is C, as long as C reads only what the guards are about."""
    for path in references(tuple(bodies)):
        if path[0] == about.path[0] and any(path[: len(guard.path)] != guard.path for guard in guards):
            raise NoFragment("the null guard is about something else")
    inside = replace(about, guarded=about.guarded | {guard.path for guard in guards})
    found = [fragment(body, inside) for body in bodies]
    return found[0] if len(found) == 1 else {"anyOf": found}


def _call(tree: Call, about: About) -> Schema:
    match tree:
        case Call("contains", (Items() | Call("toset" | "tolist", (Items(),)) as choices, value)):
            items = choices if isinstance(choices, Items) else choices.arguments[0]
            return _about(value, about, ANY, lambda _: {"enum": _choices(items)})
        case Call("can", (Call("regex", (Literal(str(pattern)), value)),)):
            return _about(value, about, TEXT, lambda _: {"pattern": _checked(pattern)})
        case Call("can", (Call("cidrhost" | "cidrnetmask" | "cidrsubnet", (value, *_)),)):
            return _about(value, about, TEXT, lambda _: {"format": "cidr"})
        case Call("startswith", (value, Literal(str(text)))):
            return _about(value, about, TEXT, lambda _: {"pattern": f"^{quoted(text)}"})
        case Call("endswith", (value, Literal(str(text)))):
            return _about(value, about, TEXT, lambda _: {"pattern": f"{quoted(text)}$"})
        case Call("strcontains", (value, Literal(str(text)))):
            return _about(value, about, TEXT, lambda _: {"pattern": quoted(text)})
    raise NoFragment(f"{tree.name}() is not known here")


def _choices(items: Node) -> list[Any]:
    """JSON Schema wants each choice once."""
    choices: list[Any] = []
    for choice in literal(items):
        if (type(choice), choice) not in [(type(each), each) for each in choices]:
            choices.append(choice)
    if not choices:
        raise NoFragment("there is nothing to choose from")
    return choices


def _loop(name: str, loop: For, about: About) -> Schema:
    if loop.condition is not None:
        raise NoFragment("the loop has a filter")

    def inner(here: Schema) -> Schema:
        if base_type(here) == "array" and isinstance(here.get("items"), dict):
            found = fragment(loop.value, About((loop.names[-1],), here["items"]))
            return {"items": found} if name == "alltrue" else {"contains": found}
        if base_type(here) == "object" and "additionalProperties" in here and name == "alltrue":
            return _all_of([_map_part(part, loop.names, here) for part in parts(loop.value, "&&")])
        raise NoFragment(f"{name}() over this type is not known")

    return _about(loop.collection, about, ("array", "object"), inner)


def _map_part(part: Node, names: Path, schema: Schema) -> Schema:
    """One part of a condition over the keys or over the values of a map, not over both."""
    used = {path[0] for path in references(part)} & set(names)
    values = schema["additionalProperties"]
    if len(names) == 2 and used == {names[0]}:
        return {"propertyNames": fragment(part, About((names[0],), {"type": "string"}))}
    if used == {names[-1]} and isinstance(values, dict):
        return {"additionalProperties": fragment(part, About((names[-1],), values))}
    raise NoFragment("key and value are compared")


def _comparison(  # noqa: C901 - a case for each form
    operator: str, left: Node, right: Node, about: About
) -> Schema:
    match operator, left, right:
        case "==", Call("floor" | "ceil", (value,)), other if value == other:
            return _about(value, about, NUMBER, lambda _: {"type": "integer"})
        case "==", other, Call("floor" | "ceil", (value,)) if value == other:
            return _about(value, about, NUMBER, lambda _: {"type": "integer"})
        case "==", Binary("%", value, Literal(int(step))), Literal(0) if step > 0:
            return _about(value, about, NUMBER, lambda _: {"multipleOf": step})
        case _, Call("length", (Reference() as value,)), Literal(int(size)) if not isinstance(size, bool):
            return _about(value, about, tuple(SIZES), lambda here: _size(operator, size, here))
        case "!=", _, Literal(None):
            return _about(left, about, (), lambda _: {"not": {"type": "null"}}, null_is_fine=True)
        case _, _, Literal(int() | float() as limit) if operator in LIMITS and not isinstance(limit, bool):
            return _about(left, about, NUMBER, lambda _: {LIMITS[operator]: limit})
        case "==", _, Literal(value) if value is not None:
            return _about(left, about, ANY, lambda _: {"const": value})
        case "!=", _, Literal(value):
            return _about(left, about, ANY, lambda _: {"not": {"const": value}}, null_is_fine=True)
    raise NoFragment("two values are compared")


def _size(operator: str, size: int, schema: Schema) -> Schema:
    kind = SIZES[base_type(schema)]
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
    if operator not in limits or min(limits[operator].values()) < 0:
        raise NoFragment("this comparison of length() is not known")
    return limits[operator]


def _about(
    value: Node, about: About, kinds: Collection[str], make: Make, *, null_is_fine: bool = False
) -> Schema:
    """A fragment about `value`, which is the subject or something inside of it.

    kinds: the types that the keywords look at, empty for all of them; they would let pass any other type.
    null_is_fine: the condition has an answer for null, and the fragment gives the same.
    """
    names = _names(value, about)
    schemas = _schemas(about, names, null_is_fine=null_is_fine)
    if kinds and base_type(schemas[-1]) not in kinds:
        raise NoFragment("this is not known of a value of this type")
    made = _with_null(make(schemas[-1]), schemas[-1], about, names)
    for depth in range(len(names) - 1, -1, -1):
        name, parent = names[depth], schemas[depth]
        inner, made = made, {"properties": {name: made}}
        # Left out, it has its default: that is judged as if it had been given.
        if name not in parent.get("required", []) and not _takes(
            inner, parent["properties"][name]["default"]
        ):
            made["required"] = [name]
        made = _with_null(made, parent, about, names[:depth])
    return made


def _names(value: Node, about: About) -> Path:
    """The way from the subject to the value: () for the subject itself."""
    match value:
        case Reference(path) | Call("tolist" | "toset" | "tostring", (Reference(path),)):
            if path[: len(about.path)] == about.path:
                return path[len(about.path) :]
            raise NoFragment("another value is read")
    raise NoFragment("this expression is not known")


def _schemas(about: About, names: Path, *, null_is_fine: bool) -> list[Schema]:
    """The schemas on that way, both ends included."""
    schemas = [about.schema]
    for depth in range(len(names) + 1):
        here, last = (*about.path, *names[:depth]), depth == len(names)
        if is_nullable(schemas[depth]) and here not in about.guarded and not (last and null_is_fine):
            raise NoFragment(f"{'.'.join(here)} may be null, and the condition does not allow for that")
        if not last:
            inner = schemas[depth].get("properties", {}).get(names[depth])
            if inner is None:
                raise NoFragment(f"there is no {names[depth]}")
            schemas.append(inner)
    return schemas


def _with_null(made: Schema, schema: Schema, about: About, names: Path) -> Schema:
    """The same for a place that may be null and is guarded: null is taken, and below a `!` it is refused."""
    if not is_nullable(schema) or (*about.path, *names) not in about.guarded:
        return made
    if about.negated:
        return {"type": base_type(schema), **made}
    if "const" in made:
        return {"enum": [made["const"], None]}
    if "enum" in made:
        return {"enum": [*made["enum"], None]}
    return {**made, "type": [made["type"], "null"]} if "type" in made else made


def _takes(schema: Schema, value: Any) -> bool:
    return validator(schema).is_valid(value)


def _checked(pattern: str) -> str:
    try:
        if not is_portable(pattern):
            raise NoFragment("other engines read this pattern differently")
    except BadPattern as error:
        raise Unsupported(str(error)) from error
    return pattern
