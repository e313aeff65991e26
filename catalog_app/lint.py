"""
What a manifest says, held against what its module and its neighbours have.

So a typing error is found when the catalog is synced, and not when somebody asks for the item.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping

from catalog_app.documents import Document, Path
from catalog_app.expressions import compiled
from catalog_app.manifest import NOT_OFFERED, ROOTS, Form, Manifest, version_key
from catalog_app.problems import Problem
from catalog_app.variables.module import Module
from portal.templatetags.ui import icon_exists

FIRST_VERSIONS = ("0.1.0", "1.0.0")  # nothing can be new in them

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
            "estimate", "requester", "lifecycle", "justification", "ttl_days", "allow_replace", "deployment", "budget",
            "now",
        }
    ),
    "meter": frozenset({"environment", "region"}),
}  # fmt: skip


def inside(document: Document, manifest: Manifest, folder: str) -> Iterator[Problem]:
    """What does not fit together in the manifest itself."""
    if manifest.name != folder:
        yield document.problem(("name",), f"name is {manifest.name}, and the folder is {folder}")
    yield from _head(document, manifest)
    yield from _expressions(document, manifest)
    yield from _operations(document, manifest)
    yield from _ttl(document, manifest)
    yield from _twice(document, manifest)


def against(document: Document, manifest: Manifest, module: Module) -> Iterator[Problem]:
    """What the module does not have, or needs."""
    yield from _form(document, manifest, module)
    yield from _labels(document, manifest, module)
    yield from _required(document, manifest, module)
    for index, output in enumerate(manifest.outputs):
        if output.name not in module.outputs:
            known = ", ".join(sorted(module.outputs))
            reason = f"the module has no output {output.name}; it has: {known}"
            yield document.problem(("outputs", index), reason)


def prices(document: Document, manifest: Manifest, known_meters: Collection[str] | None) -> Iterator[Problem]:
    """known_meters: the keys that have a price somewhere; None: nobody knows."""
    for index, meter in enumerate(manifest.pricing.meters):
        for key in sorted(set() if known_meters is None else meter.keys - set(known_meters)):
            yield document.problem(("pricing", "meters", index), f"there is no price anywhere for {key}")


def successors(items: Iterable[tuple[Document, Manifest]], names: Collection[str]) -> Iterator[Problem]:
    """Items that send people where they cannot go. names: of all items, also of those that cannot be read."""
    known = {manifest.name: (document, manifest) for document, manifest in items}
    for document, manifest in known.values():
        if manifest.replaced_by and (reason := _wrong_successor(manifest, known, names)):
            yield document.problem(("replaced_by",), reason)


def _wrong_successor(
    manifest: Manifest, known: Mapping[str, tuple[Document, Manifest]], names: Collection[str]
) -> str:
    name = str(manifest.replaced_by)
    if name not in names:
        return f"there is no item {name}; there are: {', '.join(sorted(names))}"
    way = [manifest.name]
    while way[-1] in known and (following := known[way[-1]][1].replaced_by):
        if following in way:
            return f"{' → '.join([*way, following])} is a ring: one of them has to stay"
        way.append(following)
    if name not in known:
        return ""  # it cannot be read, and that is said of it
    successor = known[name][1]
    if successor.lifecycle in NOT_OFFERED:
        return f"{name} is {successor.lifecycle} itself: name an item that people can ask for"
    if not all(successor.availability.includes(unit) for unit in manifest.availability.business_units):
        return f"{name} is not offered to all business units that have {manifest.name}"
    return ""


def _head(document: Document, manifest: Manifest) -> Iterator[Problem]:
    if not icon_exists(manifest.icon):
        yield document.problem(("icon",), f"there is no icon {manifest.icon}: choose one of lucide.dev/icons")
    if manifest.replaced_by and manifest.lifecycle not in ("deprecated", "retired"):
        reason = (
            f"only an item that is deprecated or retired is replaced, and this one is {manifest.lifecycle}"
        )
        yield document.problem(("replaced_by",), reason)
    told = [change.version for change in manifest.changes]
    for index, version in enumerate(told):
        if version_key(version) > version_key(manifest.version):
            reason = f"{version} is newer than the item, which is {manifest.version}"
            yield document.problem(("changes", index), reason)
    if manifest.version not in (*told, *FIRST_VERSIONS):
        reason = f"say what is new: changes has no entry for {manifest.version}"
        yield document.problem(("version",), reason)


def _operations(document: Document, manifest: Manifest) -> Iterator[Problem]:
    for index, operation in enumerate(manifest.operations):
        for name in sorted(set(operation.fields) - set(manifest.asked)):
            yield document.problem(("operations", index, "fields"), f"{name} is not a field of the form")
        if "environments" in operation.model_fields_set:
            for name in sorted(set(operation.environments) - set(manifest.availability.environments)):
                yield document.problem(("operations", index, "environments"), _not_offered_in(name))


def _ttl(document: Document, manifest: Manifest) -> Iterator[Problem]:
    for name in manifest.ttl:
        if name not in manifest.availability.environments:
            yield document.problem(("ttl", name), _not_offered_in(name))
        elif not manifest.operations_of("destroy", name):
            reason = (
                f"nothing can remove it in {name} when its time is over: add an operation of kind destroy"
            )
            yield document.problem(("ttl", name), reason)


def _not_offered_in(environment: str) -> str:
    return f"the item is not offered in {environment}"


def _twice(document: Document, manifest: Manifest) -> Iterator[Problem]:
    """Names that would stand for two things."""
    lists: list[tuple[Path, list[str]]] = [
        (("changes",), [change.version for change in manifest.changes]),
        (("operations",), [operation.id for operation in manifest.operations]),
        (("outputs",), [output.name for output in manifest.outputs]),
        (("pricing", "meters"), [meter.id for meter in manifest.pricing.meters]),
        (("pricing", "usage"), [question.id for question in manifest.pricing.usage]),
    ]
    for path, names in lists:
        for index, name in enumerate(names):
            if name in names[:index]:
                yield document.problem((*path, index), f"{name} is there twice")


def _form(document: Document, manifest: Manifest, module: Module) -> Iterator[Problem]:
    form = manifest.form
    places: list[tuple[Path, str]] = [
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
    yield from _asked(document, manifest, module, places[: len(manifest.asked)])
    for name in form.fields:
        if name not in manifest.asked:
            yield document.problem(
                ("form", "fields", name), f"{name} is described and not asked in any section"
            )


def _asked(
    document: Document, manifest: Manifest, module: Module, places: list[tuple[Path, str]]
) -> Iterator[Problem]:
    for path, name in places:
        if manifest.asked.count(name) > 1:
            yield document.problem(path, f"{name} is asked twice")
        if name in manifest.form.inject:
            yield document.problem(path, f"{name} is asked and injected: only one of both")
        if module.variables.get(name, {}).get("writeOnly"):
            reason = f"{name} is sensitive or ephemeral, and what is asked is kept and shown: inject it"
            yield document.problem(path, reason)


def _labels(document: Document, manifest: Manifest, module: Module) -> Iterator[Problem]:
    for name, overlay in manifest.form.fields.items():
        choices = {str(choice) for choice in module.variables.get(name, {}).get("enum", [])}
        for part in ("labels", "choices_if"):
            for choice in sorted(getattr(overlay, part).keys() - choices):
                yield document.problem(
                    ("form", "fields", name, part, choice), f"{name} has no value {choice}"
                )


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


def _conditions(form: Form) -> Iterator[tuple[str, Path, str]]:
    for name, overlay in form.fields.items():
        if overlay.show_if:
            yield "show_if", ("form", "fields", name, "show_if"), overlay.show_if
        for choice, text in overlay.choices_if.items():
            yield "show_if", ("form", "fields", name, "choices_if", choice), text


def _all_expressions(manifest: Manifest) -> Iterator[tuple[str, Path, str]]:
    for name, text in manifest.form.inject.items():
        yield "inject", ("form", "inject", name), text
    yield from _conditions(manifest.form)
    if manifest.approval.auto_if:
        yield "auto_if", ("approval", "auto_if"), manifest.approval.auto_if
    for index, meter in enumerate(manifest.pricing.meters):
        for part, written in (("by", meter.by), ("quantity", meter.quantity), ("when", meter.when)):
            if written:
                yield "meter", ("pricing", "meters", index, part), written
