"""The compact schema: its notation, and how it is held against the provider's own."""

import json
from pathlib import Path
from typing import Any

import pytest

from terraform.sandbox.compare import differences
from terraform.sandbox.schema import BadSchema, load
from tests.sandbox.blocks import group
from tests.sandbox.conftest import Workspace

START = """
provider:
  source: hashicorp/azurerm
resources:
  azurerm_thing:
    attributes:
"""


@pytest.fixture
def told(workspace: Workspace) -> Any:
    """What Terraform hears from the sandbox, in the form in which it prints a provider's schema."""
    workspace.write(group())
    return json.loads(workspace.run("providers", "schema", "-json").result.output)


def test_the_provider_tells_what_the_compact_schema_says(told: Any) -> None:
    assert differences(load(), told) == []


def test_differences_to_the_provider_are_named(told: Any) -> None:
    (provider,) = told["provider_schemas"].values()
    schemas = provider["resource_schemas"]
    del schemas["azurerm_storage_container"]
    block = schemas["azurerm_storage_account"]["block"]
    block["attributes"]["location"]["type"] = "number"
    block["attributes"]["name"] |= {"required": False, "optional": True}
    block["attributes"]["owner"] = {"type": "string", "required": True}
    block["block_types"]["blob_properties"]["max_items"] = 2
    del block["attributes"]["access_tier"]

    assert differences(load(), told) == [
        "azurerm_storage_account.name: required is False in the provider",
        "azurerm_storage_account.name: optional is True in the provider",
        "azurerm_storage_account.location: type string is number in the provider",
        "azurerm_storage_account.access_tier: the provider has no such attribute",
        "azurerm_storage_account.blob_properties: max_items is 2 in the provider",
        "azurerm_storage_account.owner: required by the provider, missing here",
        "azurerm_storage_container: not in the provider",
    ]


@pytest.mark.parametrize(
    ("attribute", "problem"),
    [
        ("url: string computed = {name}", None),
        ("url: {name}", "azurerm_thing.url: write the template in block style"),
        ("size: integer required", "azurerm_thing.size: unknown type 'integer'"),
        ("size: number", "azurerm_thing.size: bad flags in 'number'"),
        ("size: number required forever", "azurerm_thing.size: bad flags in"),
    ],
)
def test_the_notation_is_checked(tmp_path: Path, attribute: str, problem: str | None) -> None:
    path = tmp_path / "schema.yaml"
    path.write_text(f"{START}      {attribute}\n")

    if problem is None:
        assert load(path).resources["azurerm_thing"].block.attributes["url"].value == "{name}"
        return
    with pytest.raises(BadSchema, match=problem):
        load(path)
