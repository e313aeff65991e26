"""Answers that depend on each other: which fields of a form are shown, and what can be chosen in them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from catalog_app.expressions import Context, Expression, ExpressionError
from catalog_app.manifest import Manifest


@dataclass(frozen=True)
class Shape:
    """What the answers so far make of a form."""

    hidden: set[str] = field(default_factory=set)
    # By field: the choices that cannot be made, as text, with what stands against each.
    closed: dict[str, dict[str, str]] = field(default_factory=dict)


def shape(
    manifest: Manifest, answers: Mapping[str, Any], where: Mapping[str, str], wrong: Collection[str] = ()
) -> Shape:
    """answers: the parameters with their defaults. where: environment and region. wrong: names of answers that
    cannot be used, for which a default stands in: nothing is closed because of them."""
    context = Context.of(params=answers, request=where)
    closed: dict[str, dict[str, str]] = {}
    for name, overlay in manifest.form.fields.items():
        if overlay.choices_if:
            found = {
                choice: _reason(condition, answers, where)
                for choice, condition in manifest.choices_if(name).items()
                if condition.names_below("params").isdisjoint(wrong) and _is_closed(condition, context)
            }
            closed |= {name: found} if found else {}
    return Shape(_hidden(manifest, context), closed)


def _hidden(manifest: Manifest, context: Context) -> set[str]:
    hidden = set()
    for name in manifest.form.fields:
        show_if = manifest.show_if(name)
        try:
            if show_if and show_if.evaluate(context) is False:
                hidden.add(name)
        except ExpressionError:
            continue  # a value it needs is not there yet: better shown than lost
    return hidden


def _is_closed(condition: Expression, context: Context) -> bool:
    try:
        return condition.evaluate(context) is not True
    except ExpressionError:
        return True  # nobody knows what it would have said


def _reason(condition: Expression, answers: Mapping[str, Any], where: Mapping[str, str]) -> str:
    """`environment prod and tier Basic`: what the condition has looked at."""
    read = [
        *(f"{name} {where[name]}" for name in sorted(condition.names_below("request")) if where.get(name)),
        *(
            f"{name} {str(answers[name]).lower() if isinstance(answers[name], bool) else answers[name]}"
            for name in sorted(condition.names_below("params") & answers.keys())
            if isinstance(answers[name], str | int | float | bool)
        ),
    ]
    return " and ".join(read) or "the other values"
