"""Terraform's type constraints as JSON Schema."""

from typing import Any

from catalog_app.variables.hcl import Call, Literal, Node, Pairs, Reference, Unsupported, literal

Schema = dict[str, Any]

PRIMITIVES = {"string": "string", "number": "number", "bool": "boolean"}


def type_schema(tree: Node) -> Schema:
    """The schema of `object({name = string, size = optional(number, 1)})` and the like."""
    match tree:
        case Reference((name,)) | Literal(str(name)) if name in PRIMITIVES:
            return {"type": PRIMITIVES[name]}
        case Reference(("any",)):
            return {}
        case Reference((("list" | "map" | "set") as name,)):
            return type_schema(Call(name, (Reference(("any",)),)))
        case Call("list", (element,)):
            return {"type": "array", "items": type_schema(element)}
        case Call("set", (element,)):
            return {"type": "array", "uniqueItems": True, "items": type_schema(element)}
        case Call("map", (element,)):
            return {"type": "object", "additionalProperties": type_schema(element)}
        case Call("object", (Pairs(pairs),)):
            return _object_schema(pairs)
    raise Unsupported("this type is not known: use string, number, bool, list, set, map or object")


def _object_schema(pairs: tuple[tuple[str, Node], ...]) -> Schema:
    properties: dict[str, Schema] = {}
    required = []
    for name, tree in pairs:
        match tree:
            case Call("optional", (inner, default)):
                properties[name] = {**type_schema(inner), "default": literal(default)}
            case Call("optional", (inner,)):
                properties[name] = nullable(type_schema(inner))
            case _:
                properties[name] = type_schema(tree)
                required.append(name)
    schema: Schema = {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "x-order": list(properties),
    }
    return {**schema, "required": required} if required else schema


def nullable(schema: Schema) -> Schema:
    """The same schema that also takes null."""
    kind = schema.get("type")
    if kind is None or is_nullable(schema):
        return schema
    changed = {**schema, "type": [*([kind] if isinstance(kind, str) else kind), "null"]}
    if "enum" in schema:
        changed["enum"] = [*schema["enum"], None]
    return changed


def is_nullable(schema: Schema) -> bool:
    kind = schema.get("type")
    return kind is None or (isinstance(kind, list) and "null" in kind)


def base_type(schema: Schema) -> str:
    """`array` for an array that may also be null; empty for anything at all."""
    kind = schema.get("type", "")
    return kind if isinstance(kind, str) else next(name for name in kind if name != "null")
