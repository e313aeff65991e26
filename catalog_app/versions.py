"""What a newer version of an item means to those who have an older one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from catalog_app import form
from catalog_app.form import FieldSpec
from catalog_app.manifest import Change, version_key
from catalog_app.models import ItemVersion

# Parts of a variable's schema that say nothing about the values it takes.
WORDS = ("description", "default", "x-rules", "x-order")


@dataclass(frozen=True)
class Changed:
    """A parameter that both versions ask for, and not in the same way."""

    before: FieldSpec
    after: FieldSpec
    takes_others: bool  # other values are possible than before

    @property
    def has_other_default(self) -> bool:
        return self.before.default != self.after.default


@dataclass(frozen=True)
class Difference:
    """From one version to a newer one, for people who decide whether to take it."""

    version: str
    is_major: bool
    notes: list[Change] = field(default_factory=list)  # of every version between, the newest first
    added: list[FieldSpec] = field(default_factory=list)
    removed: list[FieldSpec] = field(default_factory=list)
    changed: list[Changed] = field(default_factory=list)


def is_newer(version: ItemVersion, than: ItemVersion) -> bool:
    return version_key(version.version) > version_key(than.version)


def is_major(version: ItemVersion, than: ItemVersion) -> bool:
    """By its number: something is gone, renamed or replaced."""
    return version_key(version.version)[0] > version_key(than.version)[0]


def difference(old: ItemVersion, new: ItemVersion) -> Difference:
    before, after = _specs(old), _specs(new)
    both = [
        Changed(before[name], after[name], _values(old, name) != _values(new, name))
        for name in after
        if name in before
    ]
    return Difference(
        version=new.version,
        is_major=is_major(new, old),
        notes=new.parsed.changes_since(old.version),
        added=[spec for name, spec in after.items() if name not in before],
        removed=[spec for name, spec in before.items() if name not in after],
        changed=[each for each in both if each.takes_others or each.has_other_default],
    )


def _specs(version: ItemVersion) -> dict[str, FieldSpec]:
    sections = form.sections(version.parsed, version.schema)
    return {spec.name: spec for section in sections for spec in section.fields}


def _values(version: ItemVersion, name: str) -> Any:
    return _without_words(version.schema["properties"][name])


def _without_words(schema: Any) -> Any:
    if isinstance(schema, Mapping):
        return {key: _without_words(value) for key, value in schema.items() if key not in WORDS}
    if isinstance(schema, list):
        return [_without_words(each) for each in schema]
    return schema
