"""Read the compact schema (azurerm.yaml) into dataclasses. The file explains its own notation."""

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

DEFAULT: Final = Path(__file__).with_name("azurerm.yaml")
NESTINGS: Final = {"single", "list", "set"}
KINDS: Final = {"required", "optional", "computed"}
FLAGS: Final = KINDS | {"sensitive", "write_only", "forces_new", "forces_new_on_decrease"}
OPERATIONS: Final = ("create", "read", "update", "delete")
UNSET: Final[Any] = object()


class BadSchema(ValueError):
    """The compact schema does not follow its notation; names the attribute."""


@dataclasses.dataclass(frozen=True)
class Attribute:
    """`type` is Terraform's JSON form, "string" or ["list", "string"]; `value` a default or a template."""

    type: Any
    flags: frozenset[str]
    value: Any = UNSET

    def has(self, flag: str) -> bool:
        return flag in self.flags


@dataclasses.dataclass(frozen=True)
class Block:
    attributes: Mapping[str, Attribute]
    blocks: Mapping[str, "Block"]
    nesting: str = "single"
    min: int = 0
    max: int = 0
    forces_new: bool = False  # any change in it needs a new resource


@dataclasses.dataclass(frozen=True)
class Resource:
    """A resource type or a data source; `id`, `parent` and `lookup` are templates, `seconds` as in Azure."""

    block: Block
    id: str = ""
    parent: str = ""
    global_name: bool = False
    match: Mapping[str, str] = dataclasses.field(default_factory=dict)
    seconds: float = 0
    lookup: str = ""


@dataclasses.dataclass(frozen=True)
class Schema:
    source: str
    provider: Block
    resources: Mapping[str, Resource]
    data_sources: Mapping[str, Resource]


def load(path: Path | str = DEFAULT) -> Schema:
    """Raise BadSchema."""
    document = yaml.safe_load(Path(path).read_text())
    shared = document.get("shared", {})

    def resource(name: str, raw: dict[str, Any]) -> Resource:
        options = {
            k: raw[k] for k in ("id", "parent", "global_name", "match", "seconds", "lookup") if k in raw
        }
        return Resource(_block(raw, shared, name), **options)

    return Schema(
        source=document["provider"]["source"],
        provider=_block(document["provider"], shared, "provider"),
        resources={n: resource(n, _managed(raw)) for n, raw in document.get("resources", {}).items()},
        data_sources={n: resource(n, raw) for n, raw in document.get("data_sources", {}).items()},
    )


def _managed(raw: dict[str, Any]) -> dict[str, Any]:
    """Every resource type has an id and timeouts."""
    timeouts = {"attributes": dict.fromkeys(OPERATIONS, "string optional")}
    return {
        **raw,
        "attributes": {"id": "string optional computed", **raw["attributes"]},
        "blocks": {**raw.get("blocks", {}), "timeouts": timeouts},
    }


def _block(raw: dict[str, Any], shared: dict[str, Any], where: str) -> Block:
    blocks = {
        name: _block(shared[name] if sub == "shared" else sub, shared, f"{where}.{name}")
        for name, sub in (raw.get("blocks") or {}).items()
    }
    attributes = {
        name: _attribute(spec, f"{where}.{name}") for name, spec in (raw.get("attributes") or {}).items()
    }
    nesting = raw.get("nesting", "single")
    if nesting not in NESTINGS:
        raise BadSchema(f"{where}: unknown nesting {nesting!r}")
    return Block(
        attributes, blocks, nesting, raw.get("min", 0), raw.get("max", 0), raw.get("forces_new", False)
    )


def _attribute(spec: Any, where: str) -> Attribute:
    if not isinstance(spec, str):
        raise BadSchema(f"{where}: write the template in block style, YAML reads {spec!r} as a mapping")
    head, has_value, tail = spec.partition(" = ")
    kind, *words = head.split()
    flags = frozenset(words)
    if flags - FLAGS or not flags & KINDS:
        raise BadSchema(f"{where}: bad flags in {spec!r}")
    attribute_type = _type(kind, where)
    if not has_value:
        return Attribute(attribute_type, flags)
    return Attribute(attribute_type, flags, _value(attribute_type, tail.strip()))


def _type(text: str, where: str) -> Any:
    if collection := re.fullmatch(r"(list|set|map)\((.+)\)", text):
        return [collection[1], _type(collection[2], where)]
    if text not in ("string", "number", "bool"):
        raise BadSchema(f"{where}: unknown type {text!r}")
    return text


def _value(attribute_type: Any, text: str) -> Any:
    if attribute_type != "string":
        return yaml.safe_load(text)
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\""
    return text[1:-1] if quoted else text
