"""Putting what conditions say into the schema of the variable, so that a form can show it."""

from typing import Any

from catalog_app.variables.types import Schema, is_nullable

TIGHTEN: dict[str, Any] = {
    **dict.fromkeys(["minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"], max),
    **dict.fromkeys(["maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"], min),
}
EACH = ("items", "additionalProperties", "propertyNames")


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
        elif key == "required":
            schema[key] = [*schema[key], *(name for name in value if name not in schema[key])]
        elif key == "type":  # the only type that narrows another one
            schema[key] = ["integer", "null"] if is_nullable(schema) else "integer"
        elif key == "properties":
            for name, inner in value.items():
                merge(schema[key].setdefault(name, {}), inner)
        elif isinstance(value, dict) and isinstance(present, dict) and key in EACH:
            merge(schema[key], value)
        elif present != value:
            schema.setdefault("allOf", []).append({key: value})
