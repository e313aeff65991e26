"""What stands beside a form while it is filled in: the estimate, the rules, and what happens next."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Protocol

from django.conf import settings

from billing_app.services import Estimate, Line, Standing
from catalog_app.policy import Finding, Verdict
from portal.identity.models import User
from requests_app.item_form import PARAMETER, ItemForm, Mistake
from requests_app.proposal import Proposal

NOTHING_CHANGES = "parameters"  # the problem of a change that changes nothing


class HasAnchors(Protocol):
    def anchor(self, path: str) -> str: ...


@dataclass(frozen=True)
class EstimateLine:
    line: Line
    percent: int  # of the largest


@dataclass(frozen=True)
class Rule:
    finding: Finding
    anchor: str  # of the field it is about

    @property
    def level(self) -> str:
        return "fail" if self.finding.effect == "deny" else "warn"


@dataclass(frozen=True)
class Panel:
    estimate: Estimate | None
    lines: list[EstimateLine]
    verdict: Verdict | None
    rules: list[Rule]
    mistakes: list[Mistake]
    approvers: list[User]
    approver_role: str
    automatic: bool
    warnings: list[str]
    ttl_days: int | None
    before: Decimal | None = None  # the monthly cost of what is changed now; None for something new
    standing: Standing | None = None  # of the budget that pays for it
    unchanged: bool = False

    @property
    def yearly(self) -> Decimal:
        return self.estimate.monthly * 12 if self.estimate else Decimal(0)

    @property
    def difference(self) -> Decimal | None:
        if self.before is None or self.estimate is None:
            return None
        return self.estimate.monthly - self.before

    @property
    def decide_within(self) -> int:
        """Days."""
        return settings.DECIDE_WITHIN_DAYS

    @property
    def blocked(self) -> bool:
        over_budget = self.standing is not None and self.standing.blocks
        return over_budget or any(rule.level == "fail" for rule in self.rules)


def look(form: ItemForm, ask: Callable[..., Proposal]) -> Panel:
    """Ask what would come of the form. The default stands in for what is wrong or missing."""
    wrong: Mapping[str, str] = form.unreadable
    proposal = ask(**form.wanted(leaving_out=_paths(wrong)))
    wrong = {**wrong, **proposal.problems}
    if proposal.problems:
        proposal = ask(**form.wanted(leaving_out=_paths(wrong)))
    mistakes = [_mistake(form, path, why) for path, why in wrong.items() if path != NOTHING_CHANGES]
    looked = made(form, proposal, mistakes)
    # A default that stands in for a mistake was not chosen by anybody: what rules say of it would mislead.
    roots = {path.partition(".")[0] for path in _paths(wrong)}
    rules = [rule for rule in looked.rules if rule.finding.field.partition(".")[0] not in roots]
    return replace(looked, rules=rules, unchanged=NOTHING_CHANGES in wrong)


def made(form: HasAnchors, proposal: Proposal, mistakes: list[Mistake] | None = None) -> Panel:
    verdict = proposal.verdict
    findings = verdict.findings if verdict else []
    return Panel(
        estimate=proposal.estimate,
        lines=_lines(proposal.estimate),
        verdict=verdict,
        rules=[Rule(finding, form.anchor(finding.field)) for finding in findings],
        mistakes=mistakes or [],
        approvers=[] if verdict and verdict.blocked else proposal.approvers,
        approver_role=proposal.approver_role,
        automatic=proposal.automatic,
        warnings=list(proposal.warnings.values()),
        ttl_days=proposal.ttl_days,
        before=proposal.cost_before if proposal.deployment else None,
        standing=proposal.standing if verdict else None,
    )


def _lines(estimate: Estimate | None) -> list[EstimateLine]:
    if estimate is None:
        return []
    largest = max((line.monthly for line in estimate.lines), default=Decimal(0))
    return [
        EstimateLine(line, int(line.monthly / largest * 100) if largest else 0) for line in estimate.lines
    ]


def _paths(wrong: Mapping[str, str]) -> list[str]:
    """Of problems, by the names of fields or of parameters."""
    return [
        path.removeprefix(PARAMETER).replace("-", ".") if path.startswith(PARAMETER) else path
        for path in wrong
    ]


def _mistake(form: ItemForm, path: str, why: str) -> Mistake:
    name = form.field_for(path)
    label = str(form[name].label) if name else path.replace("_", " ").capitalize()
    return Mistake(label, why, form.anchor(path))
