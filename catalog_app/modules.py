"""The folders of the catalog: Terraform modules with their item.yaml, read and checked together."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog_app import documents, lint
from catalog_app.documents import Document
from catalog_app.manifest import Manifest
from catalog_app.problems import CatalogProblems, Problem
from catalog_app.variables.module import read_module

MANIFEST = "item.yaml"
SUFFIXES = (".tf", ".tftpl")  # what a module needs to run


@dataclass(frozen=True)
class Source:
    """Everything that one item version is made from."""

    manifest: Manifest
    document: Document  # the manifest as written, with its lines
    files: dict[str, str]
    digest: str
    schema: dict[str, Any]
    server_checks: list[dict[str, Any]]

    @property
    def data(self) -> dict[str, Any]:
        written: dict[str, Any] = self.document.data
        return written


def digest_of(files: Mapping[str, str]) -> str:
    """SHA-256 over the paths and texts, in the order of the paths."""
    total = hashlib.sha256()
    for path in sorted(files):
        for text in (path, files[path]):
            total.update(text.encode() + b"\0")
    return total.hexdigest()


def read_folder(folder: Path, known_meters: Collection[str] | None = None) -> list[Source]:
    """Every item below the folder, or CatalogProblems with all that is wrong in them; see `look`."""
    sources, found = look(folder, known_meters)
    if found:
        raise CatalogProblems(found)
    return sources


def look(folder: Path, known_meters: Collection[str] | None = None) -> tuple[list[Source], list[Problem]]:
    """What can be read of every <item>/item.yaml below the folder, and what is wrong.

    known_meters: the keys that have a price; None leaves that check out.
    """
    if not folder.is_dir():
        return [], [Problem(str(folder), 1, "there is no such folder")]
    modules = [path for path in sorted(folder.iterdir()) if _is_module(path)]
    if not modules:
        return [], [Problem(str(folder), 1, f"there is no module with an {MANIFEST} in this folder")]
    sources: list[Source] = []
    found: list[Problem] = []
    for module in modules:
        try:
            source, disagreements = _read(module, known_meters)
        except CatalogProblems as problems:
            found += problems.found
        else:
            sources.append(source)
            found += disagreements
    read = [(source.document, source.manifest) for source in sources]
    found += lint.successors(read, names={module.name for module in modules})
    return sources, found


def _is_module(folder: Path) -> bool:
    return folder.is_dir() and ((folder / MANIFEST).exists() or any(folder.glob("*.tf")))


def _read(folder: Path, known_meters: Collection[str] | None) -> tuple[Source, list[Problem]]:
    """The item and what is wrong with it, or CatalogProblems where there is no reading it at all."""
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
    found = [*lint.inside(document, manifest, folder.name), *lint.prices(document, manifest, known_meters)]
    found += module.problems or lint.against(document, manifest, module)
    source = Source(manifest, document, files, digest_of(files), module.schema, module.server_checks)
    return source, found


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
