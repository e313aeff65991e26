"""
The README of a module: words of its own, and below a mark what is made from the module, so that it stays true.

Above the mark stands what no file says: what the item is for, what to know before and after.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from catalog_app.form import FieldSpec, sections
from catalog_app.manifest import Manifest
from catalog_app.modules import Source
from catalog_app.variables.hcl import Block, parse
from catalog_app.variables.types import Schema, base_type

MARK: Final = (
    "<!-- The rest is made by `manage.py document_modules`: change the module, and run it again. -->"
)
KINDS: Final = {"string": "Text", "number": "Number", "integer": "Whole number", "boolean": "Yes or no"}


def made(source: Source, present: str) -> str:
    """The README as it should be. present: as it is, empty where there is none yet."""
    words, _, _ = present.partition(MARK)
    if not words.strip():
        words = f"# {source.manifest.title}\n\n{source.manifest.summary}\n"
    return f"{words.rstrip()}\n\n{MARK}\n\n" + "\n".join(_lines(source))


def _lines(source: Source) -> Iterator[str]:
    manifest, variables = source.manifest, source.schema["properties"]
    blocks = [
        block for path in sorted(source.files) if path.endswith(".tf") for block in parse(source.files[path])
    ]
    yield from _table("What you choose", ("Variable", "Meaning", "Values", "Default"), _asked(source))
    injected = manifest.form.inject
    yield from _table(
        "What the portal fills in",
        ("Variable", "Meaning", "From"),
        ((_code(name), variables[name].get("description", ""), _code(injected[name])) for name in injected),
    )
    rest = [name for name in variables if name not in injected and name not in manifest.asked]
    yield from _table(
        "For use without the portal",
        ("Variable", "Meaning", "Default"),
        ((_code(name), variables[name].get("description", ""), _default(variables[name])) for name in rest),
    )
    outputs = [block for block in blocks if block.kind == "output"]
    yield from _table(
        "What you get", ("Output", "Meaning"), ((_code(b.labels[0]), _said(b)) for b in outputs)
    )
    yield from _table("What can be changed later", ("Change", "Variables"), _operations(manifest))
    resources = {block.labels[0] for block in blocks if block.kind == "resource"}
    yield f"Resources: {', '.join(_code(name) for name in sorted(resources))}."
    yield ""


def _table(title: str, head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    """A section with a table; nothing where there are no rows."""
    lines = [_row(row) for row in rows]
    if lines:
        yield from (f"## {title}", "", _row(head), f"|{'---|' * len(head)}", *lines, "")


def _row(cells: tuple[str, ...]) -> str:
    safe = (" ".join(cell.split()).replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(safe)} |"


def _asked(source: Source) -> Iterator[tuple[str, ...]]:
    for section in sections(source.manifest, source.schema):
        for field in section.fields:
            default = "" if field.required else _default(field.schema)
            yield _code(field.name), field.schema.get("description", ""), _values(field), default


def _values(field: FieldSpec) -> str:
    if field.labels:
        choices = field.labels.items()
        return "<br>".join(_code(value) + (f" {label}" if label != value else "") for value, label in choices)
    return _kind(field.schema)


def _kind(schema: Schema) -> str:
    match base_type(schema):
        case "array":
            return f"List: {_kind(schema.get('items', {})).lower()}"
        case "object" if "properties" in schema:
            return f"Object: {', '.join(_code(name) for name in schema['x-order'])}"
        case "object":
            return f"Names, each with: {_kind(schema.get('additionalProperties', {})).lower()}"
        case kind:
            return KINDS.get(kind, "Anything") + _limits(schema)


def _limits(schema: Schema) -> str:
    """` from 7 to 35`, ` of 3 to 12 characters`; empty where there are none."""
    for least, most, form in (
        ("minimum", "maximum", " from {} to {}"),
        ("minLength", "maxLength", " of {} to {} characters"),
    ):
        if least in schema and most in schema:
            return form.format(schema[least], schema[most])
    return ""


def _default(schema: Schema) -> str:
    default = schema.get("default")
    if default in (None, "", [], {}):
        return "none"
    match default:
        case bool(value):
            return "yes" if value else "no"
        case Mapping() as values:
            return ", ".join(f"{name} {_code(value)}" for name, value in values.items())
        case list(values):
            return ", ".join(map(_code, values))
        case value:
            return _code(value)


def _operations(manifest: Manifest) -> Iterator[tuple[str, ...]]:
    for operation in manifest.operations_of("update"):
        yield operation.title, ", ".join(map(_code, operation.fields))


def _said(block: Block) -> str:
    return str(block.attribute("description", ""))


def _code(value: Any) -> str:
    return f"`{value}`"
