"""The run directory: the module's files, and a small root configuration around them.

The root holds no user input: values travel in a variables file, so "${...}" in a value stays text.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

import hcl2
from lark.exceptions import LarkError

from consumer.worker.claim import Claim, RunFailed

MODULE: Final = "module"  # folder of the module's files
ROOT: Final = "main.tf.json"
VALUES: Final = "inputs.auto.tfvars.json"
ADDRESS_PREFIX: Final = "module.this."


def short(text: str) -> str:
    """Addresses as people know them from the module: without the root's own part."""
    return text.replace(ADDRESS_PREFIX, "")


def sensitive(claim: Claim) -> set[str]:
    """Names of the values that the claim or the module calls sensitive."""
    declared = _declared(claim.files, "variable")
    own = {name for name, attributes in declared.items() if attributes.get("sensitive") is True}
    return (own | claim.sensitive) & set(claim.values)


def write(directory: Path, claim: Claim) -> None:
    """Write everything that Terraform reads; raise RunFailed where the claim does not fit the module."""
    for name, text in claim.files.items():
        path = directory / MODULE / _inside(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (directory / ROOT).write_text(json.dumps(_root(claim), indent=1))
    values = directory / VALUES
    values.touch(mode=0o600)
    values.write_text(json.dumps(claim.values, indent=1))


def _inside(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise RunFailed(f"The catalog item has a file outside its folder: {name}")
    return path


def _root(claim: Claim) -> dict[str, Any]:
    variables, outputs = _declared(claim.files, "variable"), _declared(claim.files, "output")
    # Terraform only warns about unknown names in a variables file.
    if unknown := sorted(set(claim.values) - set(variables)):
        raise RunFailed(f"{claim.item} {claim.version} has no variable {', '.join(unknown)}.")
    if unknown := sorted(set(claim.outputs) - set(outputs)):
        raise RunFailed(f"{claim.item} {claim.version} has no output {', '.join(unknown)}.")
    root: dict[str, Any] = {
        "terraform": {
            "required_version": ">= 1.11, < 2.0",
            "required_providers": {"azurerm": {"source": "hashicorp/azurerm", "version": "~> 5.2"}},
            "backend": {"http": {}},
        },
        "provider": {
            "azurerm": [
                {"features": [{}], "storage_use_azuread": True, "resource_provider_registrations": "none"}
            ]
        },
        "variable": {name: _variable(name, variables[name], claim.sensitive) for name in claim.values},
        "module": {"this": {"source": f"./{MODULE}", **{name: f"${{var.{name}}}" for name in claim.values}}},
        "output": {
            name: {"value": f"${{module.this.{name}}}", "sensitive": outputs[name].get("sensitive") is True}
            for name in claim.outputs
        },
    }
    return {key: part for key, part in root.items() if part}


def _variable(name: str, declared: Mapping[str, Any], sensitive: frozenset[str]) -> dict[str, Any]:
    return {
        "type": "any",
        "sensitive": name in sensitive or declared.get("sensitive") is True,
        "ephemeral": declared.get("ephemeral") is True,
    }


def _declared(files: Mapping[str, str], kind: str) -> dict[str, dict[str, Any]]:
    """{name: attributes} of the module's variables or outputs."""
    return dict(_blocks(files, kind))


def _blocks(files: Mapping[str, str], kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, text in files.items():
        if not path.endswith(".tf") or "/" in path or kind not in text:
            continue
        try:
            parsed = hcl2.loads(text)
        except LarkError as error:
            raise RunFailed(f"{path} of the catalog item cannot be read: {error}") from error
        for block in parsed.get(kind, []):
            for label, attributes in block.items():
                yield label.strip('"'), attributes
