"""The form of an item: the variables of the module in the order and the words of the manifest."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from catalog_app.manifest import FieldOverlay, Manifest
from catalog_app.variables.types import Schema, base_type, is_nullable

MOST_RADIOS = 6  # more choices read better as a select


@dataclass(frozen=True)
class FieldSpec:
    """One field. `name` is dotted inside of an object: budget.amount."""

    name: str
    title: str
    help: str
    schema: Schema
    required: bool
    default: Any
    labels: dict[str, str]  # by value, written as text, in the order of the choices
    show_if: str | None
    # text, textarea, number, checkbox, radio, select, list, map, object or private_endpoint
    widget: str
    nullable: bool = False  # leaving it empty means null
    fields: list["FieldSpec"] = field(default_factory=list)  # of an object
    # CEL by choice: it can be made while that is true.
    choices_if: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Section:
    title: str
    fields: list[FieldSpec]


def sections(manifest: Manifest, schema: Mapping[str, Any]) -> list[Section]:
    variables, required = schema["properties"], schema["required"]
    return [
        Section(
            section.title,
            [
                _field(name, variables[name], name in required, manifest.overlay(name))
                for name in section.fields
            ],
        )
        for section in manifest.form.sections
    ]


def _field(name: str, schema: Schema, required: bool, overlay: FieldOverlay) -> FieldSpec:
    choices = [str(choice) for choice in schema.get("enum", []) if choice is not None]
    return FieldSpec(
        name=name,
        title=overlay.title or name.rpartition(".")[2].replace("_", " ").capitalize(),
        help=overlay.help or schema.get("description", ""),
        schema=schema,
        required=required,
        default=schema.get("default"),
        labels={choice: overlay.labels.get(choice, choice) for choice in choices},
        show_if=overlay.show_if,
        # In the order of the choices: a database may not keep the order of keys.
        choices_if={choice: overlay.choices_if[choice] for choice in choices if choice in overlay.choices_if},
        widget=overlay.widget or _widget(schema, choices),
        nullable=is_nullable(schema),
        fields=list(_inner(name, schema)),
    )


def _inner(name: str, schema: Schema) -> Iterable[FieldSpec]:
    properties = schema.get("properties", {})
    for inner in schema.get("x-order", []):
        yield _field(
            f"{name}.{inner}", properties[inner], inner in schema.get("required", []), FieldOverlay()
        )


def _widget(schema: Schema, choices: list[str]) -> str:
    if choices:
        return "radio" if len(choices) <= MOST_RADIOS else "select"
    kind = base_type(schema)
    if kind == "object":
        return "object" if "properties" in schema else "map"
    return {"boolean": "checkbox", "number": "number", "integer": "number", "array": "list"}.get(kind, "text")
