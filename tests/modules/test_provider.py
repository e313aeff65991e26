"""The sandbox and the modules, held against the schema of the real provider."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from catalog_app.variables.hcl import Block, parse
from terraform.sandbox.compare import differences
from terraform.sandbox.schema import load
from tests.catalog.conftest import MODULES, PROJECT
from tests.modules.examples import EXAMPLES

SCHEMA = PROJECT.parent / "shared" / "data" / "azurerm-5.2.0-schema.json"
OF_TERRAFORM = {"count", "for_each", "depends_on", "provider", "lifecycle"}


@pytest.fixture(scope="module")
def azurerm() -> dict[str, Any]:
    """What `terraform providers schema -json` prints for azurerm 5.2.0."""
    if not SCHEMA.exists():
        pytest.skip(f"the schema of azurerm 5.2.0 is not there: {SCHEMA}")
    document: dict[str, Any] = json.loads(SCHEMA.read_text())
    return document


def test_the_sandbox_agrees_with_the_provider(azurerm) -> None:
    assert differences(load(), azurerm) == []


@pytest.mark.parametrize("item", EXAMPLES)
def test_the_provider_has_every_argument_that_a_module_gives(azurerm, item) -> None:
    (provider,) = azurerm["provider_schemas"].values()
    sections = {"resource": provider["resource_schemas"], "data": provider["data_source_schemas"]}
    for path in (MODULES / item).glob("*.tf"):
        for block in parse(path.read_text()):
            if block.kind in sections:
                kind, name = block.labels
                assert list(unknown(block, sections[block.kind][kind]["block"], f"{kind}.{name}")) == []


@pytest.mark.parametrize("kind", load().resources)
def test_the_sandbox_knows_which_types_take_tags(azurerm, kind) -> None:
    """So that a resource without tags cannot hide behind the compact schema."""
    (provider,) = azurerm["provider_schemas"].values()

    takes_tags = "tags" in provider["resource_schemas"][kind]["block"]["attributes"]

    assert ("tags" in load().resources[kind].block.attributes) is takes_tags


def test_every_type_of_the_sandbox_is_used_by_a_module() -> None:
    texts = "".join(path.read_text() for path in MODULES.glob("*/main.tf"))

    assert [kind for kind in load().resources if f'resource "{kind}"' not in texts] == []


def unknown(block: Block, schema: dict[str, Any], where: str) -> Iterator[str]:
    """Arguments and blocks that the provider does not take, and required ones that are not given."""
    attributes, types = schema.get("attributes", {}), schema.get("block_types", {})
    for name in block.attributes.keys() - OF_TERRAFORM:
        if not {"required", "optional"} & {key for key, value in attributes.get(name, {}).items() if value}:
            yield f"{where}.{name}"
    given = dict(blocks(block))
    for name, inner in given.items():
        if name in types:
            yield from unknown(inner, types[name]["block"], f"{where}.{name}")
        else:
            yield f"{where}.{name}"
    required = {name for name, attribute in attributes.items() if attribute.get("required")}
    required |= {name for name, each in types.items() if each.get("min_items")}
    yield from (f"{where}.{name} is missing" for name in required - block.attributes.keys() - given.keys())


def blocks(block: Block) -> Iterator[tuple[str, Block]]:
    """The blocks inside by name; a dynamic one is what it makes."""
    for inner in block.blocks:
        if inner.kind == "dynamic":
            (content,) = (each for each in inner.blocks if each.kind == "content")
            yield inner.labels[0], content
        elif inner.kind not in OF_TERRAFORM:
            yield inner.kind, inner
