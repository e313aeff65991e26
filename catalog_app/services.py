"""The catalog: asked what may be asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from catalog_app import answers, form
from catalog_app.answers import Shape
from catalog_app.expressions import Context, ExpressionError, compiled
from catalog_app.manifest import ROOTS
from catalog_app.models import ItemVersion
from catalog_app.variables.dialect import DIALECT
from catalog_app.variables.limits import unusable
from catalog_app.variables.values import Problems, Values
from catalog_app.versions import is_newer
from portal import ports
from portal.errors import InvalidInput

LONGEST_NAME = 40  # characters of a name that is compared with others


def form_fields(version: ItemVersion) -> list[form.Section]:
    """The form of the item, for pages."""
    return form.sections(version.parsed, version.schema)


def asked_schema(version: ItemVersion) -> dict[str, Any]:
    """JSON Schema of the parameters that people give."""
    asked = version.parsed.asked
    return {
        "$schema": DIALECT,
        "type": "object",
        "additionalProperties": False,
        "required": [name for name in version.schema["required"] if name in asked],
        "properties": {name: version.schema["properties"][name] for name in asked},
    }


def editable(version: ItemVersion, *, environment: str = "") -> list[str]:
    """The parameters that an update may change, in the order of the form."""
    updates = version.parsed.operations_of("update", environment)
    fields = {name for operation in updates for name in operation.fields}
    return [name for name in version.parsed.asked if name in fields]


def newer(
    version: ItemVersion, *, user: Any, environment: str, region: str, business_unit: str
) -> ItemVersion | None:
    """The version that a deployment there can be upgraded to. Nobody but operators is offered a draft."""
    current = version.item.current
    if current is None or not is_newer(current, version):
        return None
    if version.item.lifecycle == "draft" and not user.is_operator:
        return None
    where = {"environment": environment, "region": region, "business_unit": business_unit}
    return None if availability_problems(current, **where) else current


def carried(version: ItemVersion, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Of the parameters of an older version, those that this one still asks for."""
    return {name: parameters[name] for name in version.parsed.asked if name in parameters}


def open_to_upgrade(
    version: ItemVersion, parameters: Mapping[str, Any], *, environment: str = ""
) -> list[str]:
    """What an upgrade to this version may set: what an update may, what is new, and what has to change."""
    kept = carried(version, parameters)
    wrong = {path.split(".")[0] for path in _checked(_Key.of(version)).problems(kept)}
    fields = {*editable(version, environment=environment), *wrong}
    return [name for name in version.parsed.asked if name in fields or name not in kept]


def validate(
    version: ItemVersion,
    given: Mapping[str, Any],
    *,
    environment: str = "",
    region: str = "",
    business_unit: str = "",
    before: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The asked parameters with defaults filled in and hidden ones back at theirs, or InvalidInput.

    Where the environment, the region or the business unit is given, it must be one the item is offered in.
    before: the parameters of what is there; a choice that could not be made there any more may stay.
    """
    problems = availability_problems(
        version, environment=environment, region=region, business_unit=business_unit
    )
    if harmful := unusable(given):
        raise InvalidInput(problems | harmful)
    checked, where = _checked(_Key.of(version)), _where(version, environment, region)
    problems |= _parameter_problems(version, checked, given)
    parameters, found = _settled(version, checked, given, _roots(problems), where)
    stays = _refused_before(version, parameters, where, before or {})
    refused = _refused(version, found, parameters)
    problems = {name: why for name, why in refused.items() if name not in stays} | problems
    if problems:
        raise InvalidInput(problems)
    return parameters


def shape(
    version: ItemVersion, given: Mapping[str, Any], *, environment: str = "", region: str = ""
) -> Shape:
    """What a form shows, and what can be chosen in it, for values that may be incomplete or wrong."""
    checked, where = _checked(_Key.of(version)), _where(version, environment, region)
    return _settled(version, checked, given, _roots(checked.problems(given)), where)[1]


def ask_terraform(version: ItemVersion, values: Mapping[str, Any]) -> Problems:
    """What Terraform itself has against values that are good so far; Unavailable where it cannot be asked.

    Only where the module has rules that JSON Schema cannot say; values: all of them, the injected ones included.
    """
    blocks = {name: text for check in version.server_checks for name, text in check.get("blocks", {}).items()}
    if not blocks:
        return {}
    known = {name: values[name] for name in blocks if name in values}
    return dict(ports.probe().problems(blocks, known))


def availability_problems(
    version: ItemVersion, *, environment: str = "", region: str = "", business_unit: str = ""
) -> Problems:
    """Where the item is not offered; what is empty is not looked at."""
    offered = version.parsed.availability
    problems: Problems = {}
    for name, value, choices in (
        ("environment", environment, offered.environments),
        ("region", region, offered.regions),
    ):
        if value and value not in choices:
            problems[name] = (
                f"{version.parsed.title} is not offered in the {name} {value}. "
                f"Choose one of: {', '.join(choices)}."
            )
    if business_unit and not offered.includes(business_unit):
        # The others are not named: which units there are, and what they get, is not for everybody.
        problems["business_unit"] = f"{version.parsed.title} is not offered to {business_unit}."
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
    problems: Problems = {}
    asked, slug = version.parsed.asked, version.parsed.name
    for name in given:
        if name in version.parsed.form.inject:
            problems[name] = f"{name} is filled in by the portal and cannot be given: leave it out."
        elif name not in asked:
            near = get_close_matches(name[:LONGEST_NAME], asked, n=1)
            hint = f"did you mean {near[0]}? It" if near else "it"
            problems[name] = f"{name} is not a parameter of {slug}; {hint} takes: {', '.join(asked)}."
    for name in asked:
        if name in version.schema["required"] and name not in given:
            problems[name] = "This is needed and was not given."
    return problems | checked.problems({name: value for name, value in given.items() if name in asked})


def _where(version: ItemVersion, environment: str, region: str) -> dict[str, str]:
    """What conditions see of the request; a place where the item is not offered is none."""
    offered = version.parsed.availability
    return {
        "environment": environment if environment in offered.environments else "",
        "region": region if region in offered.regions else "",
    }


def _roots(problems: Problems) -> set[str]:
    return {path.split(".")[0] for path in problems}


def _settled(
    version: ItemVersion,
    checked: Values,
    given: Mapping[str, Any],
    wrong: set[str],
    where: Mapping[str, str],
) -> tuple[dict[str, Any], Shape]:
    """Defaults filled in, also for what is wrong; what the form would hide goes back to its default, until
    nothing more hides."""
    kept = {name: value for name, value in given.items() if name in checked.variables and name not in wrong}
    while True:
        parameters = checked.completed(kept)
        missing = checked.variables.keys() - parameters.keys()
        found = answers.shape(version.parsed, parameters, where, wrong | missing)
        if not found.hidden & kept.keys():
            return parameters, found
        kept = {name: value for name, value in kept.items() if name not in found.hidden}


def _refused(version: ItemVersion, found: Shape, parameters: Mapping[str, Any]) -> Problems:
    """The answers that cannot be chosen beside the others."""
    problems: Problems = {}
    for name, closed in found.closed.items():
        answer = str(parameters.get(name))
        if answer in closed and name not in found.hidden:
            choices = [str(choice) for choice in version.schema["properties"][name]["enum"]]
            still_open = [choice for choice in choices if choice not in closed and choice != "None"]
            problems[name] = (
                f"{answer} cannot be chosen with {closed[answer]}. "
                f"Choose one of: {', '.join(still_open) or 'none'}."
            )
    return problems


def _refused_before(
    version: ItemVersion, parameters: Mapping[str, Any], where: Mapping[str, str], before: Mapping[str, Any]
) -> set[str]:
    """Of what is there, the answers that nobody could give any more. They may stay, and nothing else."""
    if not before:
        return set()
    then = _refused(version, answers.shape(version.parsed, before, where), before)
    return {name for name in then if parameters.get(name) == before[name]}


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
