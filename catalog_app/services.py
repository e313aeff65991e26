"""The catalog: kept equal to the files, and asked what may be asked for."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.db import transaction

from catalog_app import form
from catalog_app.expressions import Context, ExpressionError, compiled
from catalog_app.manifest import ROOTS, Manifest
from catalog_app.models import Item, ItemVersion
from catalog_app.modules import Source, read_folder
from catalog_app.problems import CatalogProblems
from catalog_app.variables.limits import unusable
from catalog_app.variables.values import Problems, Values
from portal.errors import InvalidInput

NOT_OFFERED = ("draft", "retired")


@dataclass
class SyncResult:
    """Slugs of the items, and `slug version` of what is new."""

    items: list[str] = field(default_factory=list)
    created: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)


@transaction.atomic
def sync(folder: Path, *, known_meters: Collection[str] | None = None) -> SyncResult:
    """Make the catalog equal to the modules in `folder`: all of them, or CatalogProblems and no change.

    known_meters: the keys that have a price somewhere; None leaves that check out.
    """
    sources = read_folder(folder, known_meters)
    changed = [source.version_problem for source in sources if _exists_differently(source)]
    if changed:
        raise CatalogProblems(changed)
    result = SyncResult()
    for source in sources:
        _sync_one(source, result)
    gone = Item.objects.exclude(slug__in=result.items).filter(is_offered=True)
    result.withdrawn = sorted(gone.values_list("slug", flat=True))
    gone.update(is_offered=False)
    return result


def read(folder: Path, *, known_meters: Collection[str] | None = None) -> SyncResult:
    """The items of the folder, without looking at what the catalog has; CatalogProblems."""
    return SyncResult(items=[source.manifest.name for source in read_folder(folder, known_meters)])


def _exists_differently(source: Source) -> bool:
    """Whether the version is there with other files. It must not change: deployments were made with it."""
    same = ItemVersion.objects.filter(item__slug=source.manifest.name, version=source.manifest.version)
    return same.exclude(digest=source.digest).exists()


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


def form_fields(version: ItemVersion) -> list[form.Section]:
    """The form of the item, for pages."""
    return form.sections(version.parsed, version.schema)


def editable(version: ItemVersion, *, environment: str = "") -> list[str]:
    """The parameters that an update may change, in the order of the form."""
    updates = version.parsed.operations_of("update", environment)
    fields = {name for operation in updates for name in operation.fields}
    return [name for name in version.parsed.asked if name in fields]


def validate(
    version: ItemVersion,
    given: Mapping[str, Any],
    *,
    environment: str = "",
    region: str = "",
    business_unit: str = "",
) -> dict[str, Any]:
    """The asked parameters with defaults filled in and hidden ones back at theirs, or InvalidInput.

    Where the environment, the region or the business unit is given, it must be one the item is offered in.
    """
    problems = availability_problems(
        version, environment=environment, region=region, business_unit=business_unit
    )
    checked = _checked(_Key.of(version))
    problems |= _parameter_problems(version, checked, given)
    if problems:
        raise InvalidInput(problems)
    return _pruned(version.parsed, checked, given, environment, region)


def visible(
    version: ItemVersion, given: Mapping[str, Any], *, environment: str = "", region: str = ""
) -> set[str]:
    """The fields to show for values that may be incomplete or wrong: a form that is being filled in."""
    checked = _checked(_Key.of(version))
    wrong = {path.split(".")[0] for path in checked.problems(given)}
    good = {name: value for name, value in given.items() if name in checked.variables and name not in wrong}
    hidden = _hidden(version.parsed, checked.completed(good), environment, region)
    return set(version.parsed.asked) - hidden


def availability_problems(
    version: ItemVersion, *, environment: str = "", region: str = "", business_unit: str = ""
) -> Problems:
    """Where the item is not offered; what is empty is not looked at."""
    offered = version.parsed.availability
    problems: Problems = {}
    for name, value, choices in (
        ("environment", environment, offered.environments),
        ("region", region, offered.regions),
        ("business_unit", business_unit, offered.business_units),
    ):
        if value and value not in choices and "*" not in choices:
            title = name.replace("_", " ")
            problems[name] = (
                f"{version.parsed.title} is not offered in the {title} {value}. "
                f"Choose one of: {', '.join(choices)}."
            )
    return problems


def inject(
    version: ItemVersion, asked: Mapping[str, Any], *, request: Mapping[str, Any], base: Mapping[str, Any]
) -> dict[str, Any]:
    """All values for the module: what was asked, and what the portal fills in.

    request: the facts of the request (environment, region, business_unit, tags, unique_suffix, ...).
    base: the outputs of the landing zone of the business unit in this environment; empty when there is none.
    """
    context = Context.of(request=request, base=base)
    injected: dict[str, Any] = {}
    for name, text in version.parsed.form.inject.items():
        expression = compiled(text, ROOTS["inject"])
        if expression.names_below("base") - base.keys():
            raise InvalidInput({"business_unit": _no_landing_zone(version, request)})
        try:
            injected[name] = expression.evaluate(context)
        except ExpressionError as error:
            raise InvalidInput({name: f"The portal could not fill in {name}: {error}."}) from error
    problems = _checked_inside(_Key.of(version)).problems(injected)
    if problems:
        raise InvalidInput(problems)
    return {**asked, **injected}


def _no_landing_zone(version: ItemVersion, request: Mapping[str, Any]) -> str:
    return (
        f"{request.get('business_unit', 'The business unit')} has no landing zone in "
        f"{request['environment']} for {version.parsed.title}: ask the platform team to set one up."
    )


def _parameter_problems(version: ItemVersion, checked: Values, given: Mapping[str, Any]) -> Problems:
    if harmful := unusable(given):
        return harmful
    problems: Problems = {}
    asked, slug = version.parsed.asked, version.parsed.name
    for name in given:
        if name in version.parsed.form.inject:
            problems[name] = f"{name} is filled in by the portal and cannot be given: leave it out."
        elif name not in asked:
            problems[name] = f"{name} is not a parameter of {slug}; it takes: {', '.join(asked)}."
    for name in asked:
        if name in version.schema["required"] and name not in given:
            problems[name] = "This is needed and was not given."
    return problems | checked.problems({name: value for name, value in given.items() if name in asked})


def _pruned(
    manifest: Manifest, checked: Values, given: Mapping[str, Any], environment: str, region: str
) -> dict[str, Any]:
    """Defaults filled in; what the form would hide goes back to its default, until nothing more hides."""
    kept = dict(given)
    while True:
        parameters = checked.completed(kept)
        hidden = _hidden(manifest, parameters, environment, region) & kept.keys()
        if not hidden:
            return parameters
        kept = {name: value for name, value in kept.items() if name not in hidden}


def _hidden(manifest: Manifest, parameters: Mapping[str, Any], environment: str, region: str) -> set[str]:
    context = Context.of(params=parameters, request={"environment": environment, "region": region})
    hidden = set()
    for name in manifest.asked:
        show_if = manifest.show_if(name)
        try:
            if show_if and show_if.evaluate(context) is False:
                hidden.add(name)
        except ExpressionError:
            continue  # a value it needs is not there yet: better shown than lost
    return hidden


@dataclass(frozen=True)
class _Key:
    """The digest stands for all of a version, so what is made from a version is made once in a process."""

    digest: str
    version: ItemVersion = field(compare=False)

    @classmethod
    def of(cls, version: ItemVersion) -> "_Key":
        return cls(version.digest, version)


@lru_cache(maxsize=256)
def _checked(key: _Key) -> Values:
    """The checks of the parameters that are asked."""
    variables = key.version.schema["properties"]
    return Values({name: variables[name] for name in key.version.parsed.asked})


@lru_cache(maxsize=256)
def _checked_inside(key: _Key) -> Values:
    """The checks of the variables that are injected."""
    variables = key.version.schema["properties"]
    return Values({name: variables[name] for name in key.version.parsed.form.inject})
