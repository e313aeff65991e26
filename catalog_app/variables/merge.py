"""Putting what conditions say into the schema of the variable, so that a form can show it."""

from typing import Any

from catalog_app.variables.types import Schema, is_nullable

TIGHTEN: dict[str, Any] = {
    **dict.fromkeys(["minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"], max),
    **dict.fromkeys(["maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"], min),
}


def merge(schema: Schema, fragment: Schema) -> None:  # noqa: C901 - a case for each keyword
    """Add the fragment to the schema in place; what does not fit beside the rest goes under allOf."""
    for key, value in fragment.items():
        present = schema.get(key)
        if key not in schema:
            schema[key] = value
        elif key in TIGHTEN:
            schema[key] = TIGHTEN[key](present, value)
        elif key == "enum":
            schema[key] = [choice for choice in schema[key] if choice in value]
        elif key == "type" and value == "integer":
            schema[key] = ["integer", "null"] if is_nullable(schema) else "integer"
        elif key == "properties":
            for name, inner in value.items():
                merge(schema[key].setdefault(name, {}), inner)
        elif isinstance(value, dict) and isinstance(present, dict) and key != "not":
            merge(schema[key], value)
        elif present != value:
            schema.setdefault("allOf", []).append({key: value})


def allow_null(schema: Schema) -> None:
    """Where the type takes null, a list of choices takes it too."""
    if "enum" in schema and "type" in schema and is_nullable(schema) and None not in schema["enum"]:
        schema["enum"] = [*schema["enum"], None]
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            allow_null(schema[key])
    for inner in schema.get("properties", {}).values():
        allow_null(inner)
