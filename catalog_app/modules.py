"""
One folder of the catalog: a Terraform module with its item.yaml, read and checked together.

What the manifest says is held against what the module has, so that a typing error is found when the catalog
is synced and not when somebody asks for the item.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog_app import documents
from catalog_app.documents import Document
from catalog_app.expressions import compiled
from catalog_app.manifest import ROOTS, Manifest
from catalog_app.problems import CatalogProblems, Problem
from catalog_app.variables.module import Module, read_module

MANIFEST = "item.yaml"
SUFFIXES = (".tf", ".tftpl")  # what a module needs to run

# What the portal knows of a request, by the place of the expression.
FACTS = {
    "inject": frozenset(
        {
            "environment", "region", "business_unit", "cost_center", "requester", "name", "tags",
            "unique_suffix",
        }
    ),
    "show_if": frozenset({"environment", "region"}),
    "auto_if": frozenset(
        {
            "kind", "item", "environment", "region", "business_unit", "cost_center", "name", "params", "tags",
            "estimate", "requester",
        }
    ),
    "meter": frozenset({"environment", "region"}),
}  # fmt: skip


@dataclass(frozen=True)
class Source:
    """Everything that one item version is made from."""

    manifest: Manifest
    data: dict[str, Any]  # the manifest as written
    files: dict[str, str]
    digest: str
    schema: dict[str, Any]
    server_checks: list[dict[str, str]]
    version_problem: Problem  # what to say when this version exists with other files


def digest_of(files: Mapping[str, str]) -> str:
    """SHA-256 over the paths and texts, in the order of the paths."""
    total = hashlib.sha256()
    for path in sorted(files):
        for text in (path, files[path]):
            total.update(text.encode() + b"\0")
    return total.hexdigest()


def read_folder(folder: Path, known_meters: Collection[str] | None = None) -> list[Source]:
    """Read every <item>/item.yaml below the folder, or raise CatalogProblems with all that is wrong in them.

    known_meters: the keys that have a price; None leaves that check out.
    """
    sources, found = [], []
    if not folder.is_dir():
        raise CatalogProblems([Problem(str(folder), 1, "there is no such folder")])
    for module_folder in sorted(path for path in folder.iterdir() if path.is_dir()):
        if not (module_folder / MANIFEST).exists() and not any(module_folder.glob("*.tf")):
            continue
        try:
            sources.append(_read(module_folder, known_meters))
        except CatalogProblems as problems:
            found += problems.found
    if not sources and not found:
        found = [Problem(str(folder), 1, f"there is no module with an {MANIFEST} in this folder")]
    if found:
        raise CatalogProblems(found)
    return sources


def _read(folder: Path, known_meters: Collection[str] | None) -> Source:
    files = _files(folder)
    if MANIFEST not in files:
        raise CatalogProblems(
            [Problem(f"{folder.name}/{MANIFEST}", 1, "the file is missing: every module has one")]
        )
    module = read_module(files, folder.name)
    try:
        document = documents.load(files[MANIFEST], f"{folder.name}/{MANIFEST}")
        manifest = document.checked(Manifest)
    except CatalogProblems as problems:
        raise CatalogProblems([*problems.found, *module.problems]) from problems
    found = [*module.problems] or [*_disagreements(document, manifest, module, known_meters)]
    if manifest.name != folder.name:
        found.append(document.problem(("name",), f"name is {manifest.name}, and the folder is {folder.name}"))
    if found:
        raise CatalogProblems(found)
    again = f"version {manifest.version} is in the catalog with other files: raise the version"
    return Source(
        manifest, document.data, files, digest_of(files), module.schema, module.server_checks,
        version_problem=document.problem(("version",), again),
    )  # fmt: skip


def _files(folder: Path) -> dict[str, str]:
    """The files that the module needs to run, by path; no tests and no documentation."""
    paths = [folder / MANIFEST, *(path for path in folder.rglob("*") if path.suffix in SUFFIXES)]
    files = {}
    for path in paths:
        inside = path.relative_to(folder)
        if not path.is_file() or inside.parts[0] == "tests" or any(part[0] == "." for part in inside.parts):
            continue
        try:
            files[inside.as_posix()] = path.read_bytes().decode()
        except UnicodeDecodeError as error:
            problem = Problem(f"{folder.name}/{inside.as_posix()}", 1, "the file is not written in UTF-8")
            raise CatalogProblems([problem]) from error
    return files


def _disagreements(
    document: Document, manifest: Manifest, module: Module, known_meters: Collection[str] | None
) -> Iterator[Problem]:
    yield from _form(document, manifest, module)
    yield from _labels(document, manifest, module)
    yield from _required(document, manifest, module)
    yield from _expressions(document, manifest)
    for index, operation in enumerate(manifest.operations):
        for name in sorted(set(operation.fields) - set(manifest.asked)):
            yield document.problem(("operations", index, "fields"), f"{name} is not a field of the form")
    for index, output in enumerate(manifest.outputs):
        if output.name not in module.outputs:
            known = ", ".join(sorted(module.outputs))
            reason = f"the module has no output {output.name}; it has: {known}"
            yield document.problem(("outputs", index), reason)
    for index, meter in enumerate(manifest.pricing.meters):
        for key in sorted(meter.keys - set(known_meters) if known_meters is not None else ()):
            yield document.problem(("pricing", "meters", index), f"there is no price anywhere for {key}")


def _form(document: Document, manifest: Manifest, module: Module) -> Iterator[Problem]:
    form = manifest.form
    places = [
        *(
            (("form", "sections", number, "fields", index), name)
            for number, section in enumerate(form.sections)
            for index, name in enumerate(section.fields)
        ),
        *((("form", "fields", name), name) for name in form.fields),
        *((("form", "inject", name), name) for name in form.inject),
    ]
    for path, name in places:
        if name not in module.variables:
            known = ", ".join(module.variables)
            yield document.problem(path, f"the module has no variable {name}; it has: {known}")
    for path, name in places[: len(manifest.asked)]:
        if manifest.asked.count(name) > 1:
            yield document.problem(path, f"{name} is asked twice")
        if name in form.inject:
            yield document.problem(path, f"{name} is asked and injected: only one of both")
    for name in form.fields:
        if name not in manifest.asked:
            yield document.problem(
                ("form", "fields", name), f"{name} is described and not asked in any section"
            )


def _labels(document: Document, manifest: Manifest, module: Module) -> Iterator[Problem]:
    for name, overlay in manifest.form.fields.items():
        choices = {str(choice) for choice in module.variables.get(name, {}).get("enum", [])}
        for label in sorted(set(overlay.labels) - choices):
            yield document.problem(("form", "fields", name, "labels", label), f"{name} has no value {label}")


def _required(document: Document, manifest: Manifest, module: Module) -> Iterator[Problem]:
    for name in module.schema["required"]:
        if name not in manifest.asked and name not in manifest.form.inject:
            file, line = module.lines[name]
            reason = f"the variable {name} is required: ask it in a section, or inject it ({file}:{line})"
            yield document.problem(("form",), reason)


def _expressions(document: Document, manifest: Manifest) -> Iterator[Problem]:
    """Names below params, usage and request that nothing will ever fill."""
    usage = {question.id for question in manifest.pricing.usage}
    for place, path, text in _all_expressions(manifest):
        expression = compiled(text, ROOTS[place])
        known = {"params": set(manifest.asked), "usage": usage, "request": FACTS[place]}
        for root in sorted(ROOTS[place] & known.keys()):
            for name in sorted(expression.names_below(root) - known[root]):
                choice = ", ".join(sorted(known[root])) or "nothing"
                yield document.problem(path, f"there is no {root}.{name} here; {root} has: {choice}")


def _all_expressions(manifest: Manifest) -> Iterator[tuple[str, documents.Path, str]]:
    for name, text in manifest.form.inject.items():
        yield "inject", ("form", "inject", name), text
    for name, overlay in manifest.form.fields.items():
        if overlay.show_if:
            yield "show_if", ("form", "fields", name, "show_if"), overlay.show_if
    if manifest.approval.auto_if:
        yield "auto_if", ("approval", "auto_if"), manifest.approval.auto_if
    for index, meter in enumerate(manifest.pricing.meters):
        for part, written in (("by", meter.by), ("quantity", meter.quantity), ("when", meter.when)):
            if written:
                yield "meter", ("pricing", "meters", index, part), written
