"""What the rules say about a request, and about the plan that Terraform made for it."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from django.conf import settings

from catalog_app.expressions import Context, ExpressionError, compiled
from catalog_app.manifest import ROOTS
from catalog_app.models import ItemVersion
from catalog_app.problems import CatalogProblems
from catalog_app.rules import Effect, Rule, Stage, read_rules

Outcome = Literal["allow", "require_approval", "deny"]
SEVEREST_FIRST: tuple[Effect, ...] = ("deny", "require_approval", "warn")
UNTOUCHED = (["no-op"], ["read"])

# Read once in a process: a new set of rules comes with a new release.
_rules = lru_cache(maxsize=8)(read_rules)


@dataclass(frozen=True)
class Finding:
    """A rule that does not hold."""

    rule: str
    version: int
    title: str
    effect: Effect
    message: str
    hint: str = ""
    field: str = (
        ""  # as in the problems of a validation: a parameter by its own name, or region, environment, ...
    )
    value: Any = None  # what the field has
    address: str = ""  # of the resource, for a rule about a plan
    fault: bool = False  # the rule itself is broken. It denies: nobody knows what it would have said


@dataclass(frozen=True)
class Verdict:
    outcome: Outcome
    findings: list[Finding] = field(default_factory=list)  # the severest first
    passed: list[str] = field(default_factory=list)  # the rules that were asked, and hold

    @property
    def blocked(self) -> bool:
        return self.outcome == "deny"

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def decide(
    stage: Stage, facts: Mapping[str, Any], resources: Iterable[Mapping[str, Any]] | None = None
) -> Verdict:
    """Ask every rule of the stage; needs no database. Plan rules are asked once for each changed resource.

    facts: kind, item, environment, region, business_unit, cost_center, name, params, tags, requester,
    estimate {monthly, complete}, and allow_replace where it was said. resources: as in Terraform's JSON plan,
    {address, type, change: {actions, before, after}}.
    """
    try:
        rules = [rule for rule in _rules(Path(settings.POLICY_FOLDER)) if rule.text.stage == stage]
    except CatalogProblems as problems:
        return _verdict([_unreadable(problems)], [])
    changed: list[Mapping[str, Any] | None] = [None]
    if stage == "plan":
        changed = [each for each in resources or () if _actions(each) not in UNTOUCHED]
    findings: list[Finding] = []
    passed: set[str] = set()
    for resource in changed:
        for rule in rules:
            answer = _ask(rule, facts, resource)
            if isinstance(answer, Finding):
                findings.append(answer)
            elif answer:
                passed.add(rule.text.id)
    return _verdict(findings, sorted(passed - {finding.rule for finding in findings}))


def auto_approved(version: ItemVersion, facts: Mapping[str, Any]) -> bool:
    """Whether nobody has to decide: the item's `approval.auto_if` is true, and no rule stands against it.

    It lives here and not with the approvals, because both halves are written by those who keep the catalog:
    an item offers to be approved by itself, and any rule can ask for a person all the same. Where `auto_if`
    fails, the answer is no.
    """
    text = version.parsed.approval.auto_if
    if not text or decide("request", facts).outcome != "allow":
        return False
    try:
        return compiled(text, ROOTS["auto_if"]).evaluate(Context.of(request=facts)) is True
    except ExpressionError:
        return False


def _ask(rule: Rule, facts: Mapping[str, Any], resource: Mapping[str, Any] | None) -> Finding | bool | None:
    """True when it holds, None when it is about something else."""
    text = rule.text
    about: dict[str, Any] = {
        "rule": text.id,
        "version": text.version,
        "title": text.title,
        "hint": text.hint or "",
        "address": str(resource.get("address", "")) if resource else "",
    }
    if text.field:
        about |= {"field": text.field.removeprefix("params."), "value": _value(facts, text.field)}
    context = rule.context(facts, resource)
    try:
        holds = rule.holds(context)
    except ExpressionError as error:
        message = f"The rule could not be checked: {error}. Tell the platform team."
        return Finding(**about, effect="deny", message=message, fault=True)
    return Finding(**about, effect=text.effect, message=rule.message(context)) if holds is False else holds


def _value(facts: Any, path: str) -> Any:
    for name in path.split("."):
        facts = facts.get(name) if isinstance(facts, Mapping) else None
    return facts


def _actions(resource: Mapping[str, Any]) -> Any:
    change = resource.get("change")
    return change.get("actions") if isinstance(change, Mapping) else None


def _unreadable(problems: CatalogProblems) -> Finding:
    message = f"The rules cannot be read, so nothing can be allowed: {problems}"
    return Finding("policies", 0, "The rules can be read", "deny", message, fault=True)


def _verdict(findings: list[Finding], passed: list[str]) -> Verdict:
    findings = sorted(findings, key=lambda finding: SEVEREST_FIRST.index(finding.effect))
    effects = {finding.effect for finding in findings}
    outcome: Outcome = "allow"
    if "deny" in effects:
        outcome = "deny"
    elif "require_approval" in effects:
        outcome = "require_approval"
    return Verdict(outcome, findings, passed)
