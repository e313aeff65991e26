"""Parameters in the words of the item's form."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from catalog_app import services as catalog
from catalog_app.form import FieldSpec
from catalog_app.models import ItemVersion

UNSET: tuple[Any, ...] = (None, "", [], {})
RESOURCE_ID = "/subscriptions/"  # Azure's ids are long, and their last part is the name


@dataclass(frozen=True)
class Shown:
    title: str
    value: str
    exact: str = ""  # where the value is cut short


@dataclass(frozen=True)
class Change:
    title: str
    before: str
    after: str


def parameters(version: ItemVersion, values: Mapping[str, Any]) -> list[Shown]:
    there = [spec for spec in _specs(version) if spec.name in values]
    return [each for spec in there for each in _shown(spec, values[spec.name])]


def _shown(spec: FieldSpec, value: Any) -> Iterator[Shown]:
    """One line, and for an object one more for each of its fields that is set."""
    if spec.fields and isinstance(value, Mapping):
        yield Shown(spec.title, "Yes")
        for inner in spec.fields:
            inside = value.get(inner.name.rpartition(".")[2])
            if inside not in UNSET:
                yield from _shown(inner, inside)
        return
    said = words(spec, value)
    is_id = said.startswith(RESOURCE_ID) and ", " not in said
    yield Shown(spec.title, said.rpartition("/")[2], said) if is_id else Shown(spec.title, said)


def changes(version: ItemVersion, changed: Mapping[str, Any]) -> list[Change]:
    return [
        Change(spec.title, words(spec, changed[spec.name]["from"]), words(spec, changed[spec.name]["to"]))
        for spec in _specs(version)
        if spec.name in changed
    ]


def _specs(version: ItemVersion) -> Iterator[FieldSpec]:
    for section in catalog.form_fields(version):
        yield from section.fields


def words(spec: FieldSpec, value: Any) -> str:
    if spec.schema.get("writeOnly") and value is not None:
        return "Kept secret"
    if isinstance(value, bool) or value is None or not spec.labels:
        return in_words(value)
    return spec.labels.get(str(value), str(value)).partition(" (")[0]


def in_words(value: Any) -> str:
    """Any value of Terraform for people."""
    if value in UNSET:
        return "None"
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list):
        return ", ".join(in_words(each) for each in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {in_words(each)}" for name, each in value.items())
    return str(value)
