"""Hold the compact schema against the provider's own: the output of `terraform providers schema -json`.

That output does not say which attributes force a replacement, nor the defaults: those stay ours.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from terraform.sandbox.schema import Attribute, Block, Schema

FLAGS = ("required", "optional", "computed", "sensitive", "write_only")


def differences(schema: Schema, full: Mapping[str, Any]) -> list[str]:
    """Where the compact schema says what the provider does not say, or lacks what the provider requires."""
    provider = next(iter(full["provider_schemas"].values()))
    found = list(_block("provider", schema.provider, provider["provider"]["block"]))
    sections = (
        ("resource_schemas", schema.resources),
        ("data_source_schemas", schema.data_sources),
    )
    for section, ours in sections:
        for name, resource in ours.items():
            if name in provider[section]:
                found += _block(name, resource.block, provider[section][name]["block"])
            else:
                found.append(f"{name}: not in the provider")
    return found


def _block(where: str, ours: Block, theirs: Mapping[str, Any]) -> Iterator[str]:
    attributes, blocks = theirs.get("attributes", {}), theirs.get("block_types", {})
    for name, attribute in ours.attributes.items():
        if name in attributes:
            yield from _attribute(f"{where}.{name}", attribute, attributes[name])
        else:
            yield f"{where}.{name}: the provider has no such attribute"
    yield from _nested_blocks(where, ours, blocks)
    yield from _missing(where, ours, attributes, blocks)


def _attribute(where: str, ours: Attribute, theirs: Mapping[str, Any]) -> Iterator[str]:
    if theirs["type"] != ours.type:
        yield f"{where}: type {ours.type} is {theirs['type']} in the provider"
    for flag in FLAGS:
        if bool(theirs.get(flag)) != ours.has(flag):
            yield f"{where}: {flag} is {bool(theirs.get(flag))} in the provider"


def _nested_blocks(where: str, ours: Block, blocks: Mapping[str, Any]) -> Iterator[str]:
    for name, block in ours.blocks.items():
        if name not in blocks:
            yield f"{where}.{name}: the provider has no such block"
        elif name != "timeouts":  # the set of operations differs from type to type
            yield from _nesting(f"{where}.{name}", block, blocks[name])
            yield from _block(f"{where}.{name}", block, blocks[name]["block"])


def _missing(
    where: str, ours: Block, attributes: Mapping[str, Any], blocks: Mapping[str, Any]
) -> Iterator[str]:
    """What the provider requires and we lack."""
    for name, attribute in attributes.items():
        if attribute.get("required") and name not in ours.attributes:
            yield f"{where}.{name}: required by the provider, missing here"
    for name, block_type in blocks.items():
        if block_type.get("min_items") and name not in ours.blocks:
            yield f"{where}.{name}: block required by the provider, missing here"


def _nesting(where: str, ours: Block, theirs: Mapping[str, Any]) -> Iterator[str]:
    expected = (("nesting_mode", ours.nesting), ("min_items", ours.min), ("max_items", ours.max))
    for key, value in expected:
        if (theirs.get(key) or 0) != value:
            yield f"{where}: {key} is {theirs.get(key)} in the provider"
