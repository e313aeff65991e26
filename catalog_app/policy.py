"""What the rules say about a request, and about the plan that Terraform made for it."""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from django.conf import settings

from catalog_app.expressions import Context, ExpressionError, compiled
from catalog_app.manifest import ROOTS
from catalog_app.models import ItemVersion
from catalog_app.problems import CatalogProblems
from catalog_app.rules import Approver, Effect, Rule, RuleSet, Stage, read_rules

Outcome = Literal["allow", "require_approval", "deny"]
SEVEREST_FIRST: tuple[Effect, ...] = ("deny", "require_approval", "warn")
UNTOUCHED = (["no-op"], ["read"])
MOST_SECONDS = 2.0  # of computing for one verdict; a hundred rules take about a millisecond
LOOK_AT_THE_CLOCK = 8  # rules; looking takes as long as a rule does

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
    # As in the problems of a validation: a parameter by its own name, or region, environment, ...
    # For a rule about a plan, a part of the changed resource.
    field: str = ""
    value: Any = None  # what the field has
    address: str = ""  # of the resource, for a rule about a plan
    approver: Approver | Literal[""] = ""  # who has to approve, where somebody has to
    fault: bool = False  # the rule itself is broken. It denies: nobody knows what it would have said

    @property
    def sentence(self) -> str:
        """All of it in one line, for logs and for the reason of a failure."""
        where = " ".join(part for part in (self.address, self.field) if part)
        return " ".join(
            part
            for part in (f"{where}:" if where else "", self.message, self.hint, f"(rule {self.rule})")
            if part
        )


@dataclass(frozen=True)
class Verdict:
    outcome: Outcome
    findings: list[Finding] = field(default_factory=list)  # the severest first
    passed: list[str] = field(default_factory=list)  # the rules that were asked, and hold
    # What rules with the mode dry_run would say. They never count, and only the platform team sees them.
    trial: list[Finding] = field(default_factory=list)

    @property
    def blocked(self) -> bool:
        return self.outcome == "deny"

    @property
    def approver(self) -> Approver:
        """Who has to approve, if somebody has to: where rules disagree, the business unit admin."""
        reserved = any(finding.approver == "bu_admin" for finding in self.findings)
        return "bu_admin" if reserved else "approver"

    def as_json(self) -> dict[str, Any]:
        """For everybody, so without the trial."""
        return {name: value for name, value in asdict(self).items() if name != "trial"}

    def trial_as_json(self) -> list[dict[str, Any]]:
        return [asdict(finding) for finding in self.trial]


@dataclass(frozen=True)
class Answer:
    """What one rule says, about one resource where it is about a plan."""

    rule: Rule | None  # None: it is said of all rules together
    says: Finding | bool | None  # True: it holds; None: it is about something else

    @property
    def counts(self) -> bool:
        return self.rule is None or self.rule.text.mode == "enforce"


def active_rules() -> RuleSet:
    """Those of this release, or CatalogProblems."""
    return _rules(Path(settings.POLICY_FOLDER))


def decide(
    stage: Stage,
    facts: Mapping[str, Any],
    resources: Iterable[Mapping[str, Any]] | None = None,
    *,
    rules: RuleSet | None = None,
    context: Context | None = None,
) -> Verdict:
    """Ask every rule of the stage; needs no database. Plan rules are asked once for each changed resource.

    facts: see docs/policies.md. resources: as in Terraform's JSON plan, {address, type, change: {actions, before,
    after}}. rules: instead of the active ones; context: of these rules, to be used more than once.
    """
    try:
        rules = active_rules() if rules is None else rules
    except CatalogProblems as problems:
        return _verdict([Answer(None, _unreadable(problems))])
    return _verdict(_answers(stage, facts, resources, rules, context or rules.context()))


def _answers(
    stage: Stage,
    facts: Mapping[str, Any],
    resources: Iterable[Mapping[str, Any]] | None,
    rules: RuleSet,
    context: Context,
) -> Iterator[Answer]:
    """Every rule of the stage, one after the other; the last answer is a fault where they take too long."""
    asked = rules.of(stage)
    until = time.thread_time() + MOST_SECONDS
    changed: list[Mapping[str, Any] | None] = [None]
    if stage == "plan":
        changed = [each for each in resources or () if _actions(each) not in UNTOUCHED]
    unreadable = _cannot_see(context, request=facts)
    for resource in changed:
        problem = unreadable or _cannot_see(context, resource=resource)
        for number, rule in enumerate(asked):
            if number % LOOK_AT_THE_CLOCK == 0 and time.thread_time() > until:
                yield Answer(None, _too_slow())
                return
            yield Answer(rule, _ask(rule, context, facts, resource, problem))


def auto_approved(version: ItemVersion, verdict: Verdict, facts: Mapping[str, Any]) -> bool:
    """Whether nobody has to decide: the item's `approval.auto_if` is true, and no rule stands against it.

    It lives here and not with the approvals, because both halves are written by those who keep the catalog:
    an item offers to be approved by itself, and any rule can ask for a person all the same. Where `auto_if`
    fails, the answer is no.
    """
    text = version.parsed.approval.auto_if
    if not text or verdict.outcome != "allow":
        return False
    try:
        return compiled(text, ROOTS["auto_if"]).evaluate(Context.of(request=facts)) is True
    except ExpressionError:
        return False


def _cannot_see(context: Context, **values: Any) -> ExpressionError | None:
    """Let the rules see the values; the reason why they cannot."""
    try:
        context.set(**values)
    except ExpressionError as error:
        return error
    return None


def _ask(
    rule: Rule,
    context: Context,
    facts: Mapping[str, Any],
    resource: Mapping[str, Any] | None,
    problem: ExpressionError | None,
) -> Finding | bool | None:
    """True when it holds, None when it is about something else."""
    try:
        if problem:
            raise problem
        holds = rule.holds(context)
    except ExpressionError as error:
        message = f"The rule could not be checked: {error}. Tell the platform team."
        return _finding(rule, facts, resource, "deny", message, fault=True)
    if holds is not False:
        return holds
    return _finding(rule, facts, resource, rule.text.effect, rule.message(context))


def _finding(
    rule: Rule,
    facts: Mapping[str, Any],
    resource: Mapping[str, Any] | None,
    effect: Effect,
    message: str,
    *,
    fault: bool = False,
) -> Finding:
    text = rule.text
    about = facts if resource is None else resource
    values = {place: _value(about, place) for place in text.fields}
    place = next((place for place, value in values.items() if value is not None), text.field)
    return Finding(
        rule=text.id,
        version=text.version,
        title=text.title,
        effect=effect,
        message=message,
        hint=text.hint or "",
        field=place.removeprefix("params.").removeprefix("change.after."),
        value=values.get(place),
        address=str(resource.get("address", "")) if resource else "",
        approver=(text.approver or "approver") if effect == "require_approval" else "",
        fault=fault,
    )


def _too_slow() -> Finding:
    message = f"The rules took longer than {MOST_SECONDS:g} seconds to check. Tell the platform team."
    return Finding("policies", 0, "The rules are quick", "deny", message, fault=True)


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


def _verdict(answers: Iterable[Answer]) -> Verdict:
    findings: list[Finding] = []
    trial: list[Finding] = []
    passed: set[str] = set()
    for answer in answers:
        if isinstance(answer.says, Finding):
            (findings if answer.counts else trial).append(answer.says)
        elif answer.rule and answer.says and answer.counts:
            passed.add(answer.rule.text.id)
    findings.sort(key=lambda finding: SEVEREST_FIRST.index(finding.effect))
    effects = {finding.effect for finding in findings}
    outcome: Outcome = "allow"
    if "deny" in effects:
        outcome = "deny"
    elif "require_approval" in effects:
        outcome = "require_approval"
    return Verdict(outcome, findings, sorted(passed - {finding.rule for finding in findings}), trial)
