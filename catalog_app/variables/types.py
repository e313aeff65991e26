"""Terraform's type constraints as JSON Schema."""

import copy
from typing import Any

from catalog_app.variables.hcl import Call, Items, Literal, Node, Pairs, Reference, Unsupported, literal

Schema = dict[str, Any]

SIMPLE: dict[str, Schema] = {
    "any": {},
    "string": {"type": "string"},
    "number": {"type": "number"},
    "bool": {"type": "boolean"},
    # Written without what is in them: anything.
    "list": {"type": "array", "items": {}},
    "set": {"type": "array", "uniqueItems": True, "items": {}},
    "map": {"type": "object", "additionalProperties": {}},
}


def type_schema(tree: Node) -> Schema:
    """The schema of `object({name = string, size = optional(number, 1)})` and the like."""
    match tree:
        case Reference((name,)) | Literal(str(name)) if name in SIMPLE:
            return copy.deepcopy(SIMPLE[name])
        case Call("list", (element,)):
            return {"type": "array", "items": type_schema(element)}
        case Call("set", (element,)):
            return {"type": "array", "uniqueItems": True, "items": type_schema(element)}
        case Call("map", (element,)):
            return {"type": "object", "additionalProperties": type_schema(element)}
        case Call("tuple", (Items(elements),)):
            places = [type_schema(element) for element in elements]
            return {"type": "array", "prefixItems": places, "items": False, "minItems": len(places)}
        case Call("object", (Pairs(pairs),)):
            return _object_schema(pairs)
    raise Unsupported("this type is not known: use string, number, bool, list, set, map, object or tuple")


def _object_schema(pairs: tuple[tuple[str, Node], ...]) -> Schema:
    properties: dict[str, Schema] = {}
    required = []
    for name, tree in pairs:
        match tree:
            case Call("optional", (inner, default)):
                properties[name] = {**type_schema(inner), "default": literal(default)}
            case Call("optional", (inner,)):
                properties[name] = {**nullable(type_schema(inner)), "default": None}
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
    return {**schema, "type": [kind, "null"]}


def takes_anything(schema: Schema) -> bool:
    """Whether some part of it has the type `any`."""
    inner = [schema.get("items"), schema.get("additionalProperties"), *schema.get("prefixItems", [])]
    inner += schema.get("properties", {}).values()
    return "type" not in schema or any(takes_anything(each) for each in inner if isinstance(each, dict))


def is_nullable(schema: Schema) -> bool:
    kind = schema.get("type")
    return kind is None or (isinstance(kind, list) and "null" in kind)


def base_type(schema: Schema) -> str:
    """`array` for an array that may also be null; empty for anything at all."""
    kind = schema.get("type", "")
    return kind if isinstance(kind, str) else next(name for name in kind if name != "null")
