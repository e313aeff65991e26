"""The catalog kept equal to the files."""

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from django.db import transaction
from django.db.models import ProtectedError

from catalog_app.manifest import EVERY_UNIT, NOT_OFFERED
from catalog_app.models import CatalogSync, Item, ItemVersion, listed
from catalog_app.modules import Source, look
from catalog_app.problems import CatalogProblems, Problem
from catalog_app.rules import failing_examples
from portal.identity.models import BusinessUnit


@dataclass
class SyncResult:
    """Slugs of the items, and `slug version` of what is new."""

    items: list[str] = field(default_factory=list)
    created: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # what is allowed, and most likely a mistake


def sync(
    folder: Path,
    *,
    policies: Path | None = None,
    known_meters: Collection[str] | None = None,
    check: bool = False,
    by: str = "",
    commit: str = "",
) -> SyncResult:
    """Make the catalog equal to the modules in `folder`: all of them, or CatalogProblems and no change.

    policies: a folder whose rules must agree with their own examples, because items and rules come together;
    known_meters: the keys that have a price; None leaves either check out. check: only say what would happen.
    """
    try:
        with transaction.atomic():
            result = _sync(_read(folder, policies, known_meters))
            transaction.set_rollback(check)
    except CatalogProblems as problems:
        if not check:
            CatalogSync.objects.create(by=by, commit=commit, problems=str(problems))
        raise
    if not check:
        CatalogSync.objects.create(
            by=by, commit=commit, items=len(result.items), created=result.created, withdrawn=result.withdrawn
        )
    return result


def read(
    folder: Path, *, policies: Path | None = None, known_meters: Collection[str] | None = None
) -> SyncResult:
    """The same checks, as far as they need no database: a fresh clone has none."""
    sources, found = _read(folder, policies, known_meters)
    if found:
        raise CatalogProblems(found)
    return SyncResult(items=[source.manifest.name for source in sources])


def _read(
    folder: Path, policies: Path | None, known_meters: Collection[str] | None
) -> tuple[list[Source], list[Problem]]:
    sources, found = look(folder, known_meters)
    return sources, [*found, *(_wrong_rules(policies) if policies else ())]


def _wrong_rules(policies: Path) -> list[Problem]:
    try:
        return failing_examples(policies)
    except CatalogProblems as problems:
        return problems.found


def _sync(read: tuple[list[Source], list[Problem]]) -> SyncResult:
    sources, found = read
    found += [_version_problem(source) for source in sources if _differs(source)]
    if found:
        raise CatalogProblems(found)
    result = SyncResult()
    for source in sources:
        _sync_one(source, result)
    for source in sources:
        successor = Item.objects.filter(slug=source.manifest.replaced_by).first()
        Item.objects.filter(slug=source.manifest.name).update(replaced_by=successor)
    gone = Item.objects.exclude(slug__in=result.items).exclude(lifecycle="retired")
    result.withdrawn = sorted(gone.values_list("slug", flat=True))
    gone.update(is_offered=False, lifecycle="retired")
    result.notes = _unknown_units(sources)
    return result


def _differs(source: Source) -> bool:
    """Whether the version is there with other files. It must not change: deployments were made with it."""
    same = ItemVersion.objects.filter(item__slug=source.manifest.name, version=source.manifest.version)
    version = same.exclude(digest=source.digest).first()
    return version is not None and not _discarded(version)


def _discarded(version: ItemVersion) -> bool:
    """A draft that nobody has used makes room for its next state."""
    if version.manifest["lifecycle"] != "draft":
        return False
    try:
        with transaction.atomic():
            Item.objects.filter(current=version).update(current=None)
            version.delete()
    except ProtectedError:
        return False
    return True


def _version_problem(source: Source) -> Problem:
    reason = f"version {source.manifest.version} is in the catalog with other files: raise the version"
    return source.document.problem(("version",), reason)


def _sync_one(source: Source, result: SyncResult) -> None:
    manifest = source.manifest
    item, _ = Item.objects.update_or_create(
        slug=manifest.name,
        defaults={
            "title": manifest.title,
            "summary": manifest.summary,
            "category": manifest.category,
            "icon": manifest.icon,
            "lifecycle": manifest.lifecycle,
            "is_offered": manifest.lifecycle not in NOT_OFFERED,
            "business_units": listed(manifest.availability.business_units),
        },
    )
    version, is_new = ItemVersion.objects.get_or_create(
        item=item,
        version=manifest.version,
        defaults={
            "digest": source.digest,
            "manifest": source.data,
            "schema": source.schema,
            "server_checks": source.server_checks,
            "files": source.files,
        },
    )
    Item.objects.filter(pk=item.pk).update(current=version)
    result.items.append(item.slug)
    (result.created if is_new else result.unchanged).append(str(version))


def _unknown_units(sources: Collection[Source]) -> list[str]:
    """Nobody would see these items, and nobody would be told."""
    known = {EVERY_UNIT, *BusinessUnit.objects.values_list("slug", flat=True)}
    return [
        f"{source.manifest.name} is offered to {unit}, and there is no such business unit"
        for source in sources
        for unit in source.manifest.availability.business_units
        if unit not in known
    ]
