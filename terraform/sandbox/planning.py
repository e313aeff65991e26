"""What a plan adds to the proposed values: defaults, unknown results, and what forces a replacement."""

from typing import Any

from terraform.sandbox.schema import UNSET, Attribute, Block
from terraform.sandbox.values import UNKNOWN, Values, elements

Path = list[str | int]


def complete(block: Block, new: Values, prior: Values | None) -> list[Path]:
    """Complete `new` in place; the paths of the changes that can only be made by a new resource."""
    replaced: list[Path] = []
    _complete(block, new, prior, [], replaced)
    return replaced


def _complete(block: Block, new: Values, prior: Values | None, path: Path, replaced: list[Path]) -> None:
    for name, attribute in block.attributes.items():
        new[name] = _planned(attribute, name, new.get(name), prior)
        if prior is not None and _forces_new(attribute, name, prior.get(name), new.get(name)):
            replaced.append([*path, name])
    for name, nested in block.blocks.items():
        before = elements((prior or {}).get(name))
        if nested.nesting == "set":
            new[name] = _complete_set(nested, elements(new.get(name)), before)
        else:
            _complete_list(nested, elements(new.get(name)), before, [*path, name], replaced)
        if prior is not None and nested.forces_new and not _equal(elements(new.get(name)), before):
            replaced.append([*path, name])


def _complete_list(
    block: Block, new: list[Values], prior: list[Values], path: Path, replaced: list[Path]
) -> None:
    for index, element in enumerate(new):
        pair = prior[index] if index < len(prior) else None
        _complete(block, element, pair, path if block.nesting == "single" else [*path, index], replaced)


def _equal(new: list[Values], prior: list[Values]) -> bool:
    """The same blocks, in whatever order."""
    return len(new) == len(prior) and all(element in prior for element in new)


def _planned(attribute: Attribute, name: str, given: Any, prior: Values | None) -> Any:
    if attribute.has("write_only"):
        return None
    if given is None:
        return _default(attribute, is_new=prior is None)
    # Another spelling of the same value is no change.
    return prior[name] if prior and _same(name, prior.get(name), given) else given


def _default(attribute: Attribute, *, is_new: bool) -> Any:
    if attribute.has("computed"):
        return UNKNOWN if is_new else None
    return None if attribute.value is UNSET else attribute.value


def _complete_set(block: Block, new: list[Values], prior: list[Values]) -> list[Values]:
    """Elements of a set have no place to compare by: an unchanged one is found by what was given for it."""
    completed = []
    for element in new:
        _complete(block, element, None, [], [])
        completed.append(next((old for old in prior if _matches(block, old, element)), element))
    return completed


def _matches(block: Block, old: Values, new: Values) -> bool:
    return all(new.get(name) in (UNKNOWN, old.get(name)) for name in block.attributes) and all(
        new.get(name) == old.get(name) for name in block.blocks
    )


def _forces_new(attribute: Attribute, name: str, old: Any, new: Any) -> bool:
    if attribute.has("forces_new_on_decrease"):
        return isinstance(old, int | float) and isinstance(new, int | float) and new < old
    if not attribute.has("forces_new") or _same(name, old, new):
        return False
    return not (old is None and attribute.has("computed"))


def _same(name: str, old: Any, new: Any) -> bool:
    if name == "location" and isinstance(old, str) and isinstance(new, str):  # "North Europe" is northeurope
        return old.replace(" ", "").lower() == new.replace(" ", "").lower()
    return bool(old == new)
