"""
A Terraform module as the catalog sees it: its variables as JSON Schema 2020-12, and the names of its outputs.

The schema of a variable carries `x-rules`: [{"message", "schema"}], one for each `validation` block, so that
a value that is refused is refused in the words of the module. Objects carry `x-order`, the names of their
properties as written, because a database may not keep the order of keys.
"""

import copy
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from catalog_app.problems import Problem
from catalog_app.variables.conditions import About, NoFragment, fragment, parts, references
from catalog_app.variables.dialect import DIALECT
from catalog_app.variables.hcl import Block, HclError, Node, Unsupported, node, parse, source
from catalog_app.variables.merge import merge
from catalog_app.variables.types import Schema, nullable, takes_anything, type_schema
from catalog_app.variables.values import Values

_READ = re.compile(r"\bvar\.([A-Za-z_][A-Za-z0-9_-]*)")


@dataclass
class Module:
    schema: Schema
    # What only Terraform can check: [{"variable", "rule", "why", "blocks"}]. The blocks {name: text} are the
    # variables that the rule reads, as written: a module of these alone is enough to ask Terraform.
    server_checks: list[dict[str, Any]] = field(default_factory=list)
    outputs: set[str] = field(default_factory=set)
    lines: dict[str, tuple[str, int]] = field(default_factory=dict)  # variable -> (file, line)
    blocks: dict[str, str] = field(default_factory=dict)  # variable -> as written
    problems: list[Problem] = field(default_factory=list)

    @property
    def variables(self) -> dict[str, Schema]:
        return self.schema["properties"]


def read_module(files: Mapping[str, str], folder: str) -> Module:
    """Read the .tf files {path: text} of the module in `folder`; what is wrong is in `problems`."""
    empty: dict[str, Any] = {"properties": {}, "required": [], "additionalProperties": False}
    schema = {"$schema": DIALECT, "type": "object", **empty}
    module = Module(schema)
    # Only the files of the module itself; a folder below it is another module.
    for path in (path for path in sorted(files) if path.endswith(".tf") and "/" not in path):
        file = f"{folder}/{path}"
        try:
            for block in parse(files[path]):
                _read_block(module, block, file)
        except HclError as error:
            module.problems.append(Problem(file, error.line, str(error)))
    for check in module.server_checks:
        check["blocks"] = {name: module.blocks[name] for name in _read_with(module, check["variable"])}
    return module


def _read_with(module: Module, name: str) -> list[str]:
    """The variable, and all that it and they read."""
    found = [name]
    for each in found:  # grows while it is walked
        read = _READ.findall(module.blocks[each])
        found += [other for other in dict.fromkeys(read) if other in module.blocks and other not in found]
    return found


def _read_block(module: Module, block: Block, file: str) -> None:
    match block.kind, block.labels:
        case "variable", (name,):
            _read_variable(module, name, block, file)
        case "output", (name,):
            module.outputs.add(name)
        case "provider", _:
            reason = "a module has no provider block: the portal writes it. Remove the block"
            module.problems.append(Problem(file, block.line, reason))
        case "terraform", _:
            module.problems += [
                Problem(file, inner.line, "a module has no backend: the portal writes it. Remove the block")
                for inner in block.blocks
                if inner.kind in ("backend", "cloud")
            ]


def _read_variable(module: Module, name: str, block: Block, file: str) -> None:
    module.lines[name], module.blocks[name] = (file, block.line), block.text
    try:
        schema = _variable(module, name, block)
    except (Unsupported, RecursionError) as error:
        reason = "something in it goes too deep" if isinstance(error, RecursionError) else str(error)
        module.problems.append(Problem(file, block.line, f"variable {name}: {reason}"))
        return
    module.variables[name] = schema
    if "default" not in block.attributes:
        module.schema["required"].append(name)


def _variable(module: Module, name: str, block: Block) -> Schema:
    schema = _typed(module, name, block)
    rules = _rules(module, name, block, schema)
    for rule in rules:
        merge(schema, copy.deepcopy(rule["schema"]))
    if rules:
        schema["x-rules"] = rules
    if "default" in block.attributes:
        schema["default"] = block.attribute("default")
        for place, why in Values({name: schema}).problems({name: schema["default"]}).items():
            raise Unsupported(f"its default is refused at {place}: {why}")
    return schema


def _typed(module: Module, name: str, block: Block) -> Schema:
    """What the variable is, without its rules."""
    if "type" not in block.attributes:
        raise Unsupported("it has no type")
    schema = type_schema(node(block.attributes["type"]))
    if takes_anything(schema):
        module.server_checks.append({"variable": name, "rule": "type", "why": "any value is taken"})
    if "default" in block.attributes and block.attribute("default") is None:
        schema = nullable(schema)
    if "description" in block.attributes:
        schema["description"] = str(block.attribute("description")).strip()
    if block.attribute("sensitive") or block.attribute("ephemeral"):
        schema |= {"writeOnly": True, "format": "password"}
    return schema


def _rules(module: Module, name: str, block: Block, schema: Schema) -> list[dict[str, Any]]:
    """The validation blocks as fragments; the parts that have no such form become server checks."""
    rules = []
    for validation in (inner for inner in block.blocks if inner.kind == "validation"):
        condition = validation.attributes.get("condition")
        if condition is None:
            raise Unsupported("a validation has no condition")
        _check_reach(references(node(condition)))
        converted: Schema = {}
        for part in parts(node(condition), "&&"):
            try:
                merge(converted, _part(part, name, schema))
            except NoFragment as error:
                check = {"variable": name, "rule": source(condition), "why": str(error)}
                module.server_checks.append(check)
        if converted:
            rules.append({"message": _message(validation), "schema": converted})
    return rules


def _check_reach(read: Iterable[tuple[str, ...]]) -> None:
    if strangers := sorted({".".join(path[:2]) for path in read if path[0] != "var"}):
        raise Unsupported(
            f"a validation reads {', '.join(strangers)}: only variables can be read there, so that values can be "
            "checked before a run"
        )


def _part(part: Node, name: str, schema: Schema) -> Schema:
    strangers = {".".join(path[:2]) for path in references(part)} - {f"var.{name}"}
    if strangers:
        raise NoFragment(f"it also reads {', '.join(sorted(strangers))}")
    return fragment(part, About(("var", name), schema))


def _message(validation: Block) -> str:
    """The module's own words; empty when they are put together by Terraform."""
    try:
        return str(validation.attribute("error_message", ""))
    except Unsupported:
        return ""
