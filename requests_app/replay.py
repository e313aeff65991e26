"""Other rules over past requests: what they would have said. Nothing is changed."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from catalog_app.policy import Finding, Verdict, decide
from catalog_app.rules import RuleSet
from requests_app.models import ServiceRequest

BATCH = 500


@dataclass(frozen=True)
class Change:
    """A request of which the draft says something else."""

    ref: str
    title: str  # what it asks for, in few words
    before: Verdict
    after: Verdict

    @property
    def new(self) -> list[Finding]:
        return _missing_in(self.before, self.after)

    @property
    def gone(self) -> list[Finding]:
        return _missing_in(self.after, self.before)


@dataclass
class Summary:
    """requests: how many were looked at; outcomes: (before, after) -> how many; by_rule: rule -> (new, gone)."""

    requests: int = 0
    without_facts: int = 0
    changed: int = 0
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    new: Counter[str] = field(default_factory=Counter)
    gone: Counter[str] = field(default_factory=Counter)

    def add(self, change: Change) -> None:
        self.changed += 1
        self.outcomes[change.before.outcome, change.after.outcome] += 1
        self.new.update({finding.rule for finding in change.new})
        self.gone.update({finding.rule for finding in change.gone})


def replay(draft: RuleSet, active: RuleSet, summary: Summary, newest: int) -> Iterator[Change]:
    """The requests of which the draft says something else than the active rules, the newest first.

    Both are asked about the facts that were kept with the request, so the answer is about the rules and not about
    what has happened since. Rules about plans are left out: plans are kept without their values.
    """
    contexts = draft.context(), active.context()
    for ref, title, facts in _kept(newest):
        summary.requests += 1
        if not facts:
            summary.without_facts += 1
            continue
        after = decide("request", facts, rules=draft, context=contexts[0])
        before = decide("request", facts, rules=active, context=contexts[1])
        if _said(before) != _said(after):
            change = Change(ref, title, before, after)
            summary.add(change)
            yield change


def _kept(newest: int) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    rows = ServiceRequest.objects.order_by("-pk").values_list("pk", "facts")[:newest]
    for pk, facts in rows.iterator(BATCH):
        title = " ".join(str(facts.get(name, "")) for name in ("kind", "item", "name", "environment"))
        yield f"REQ-{pk}", title, facts


def _said(verdict: Verdict) -> set[tuple[str, str, bool]]:
    return {_key(finding, trial) for finding, trial in _all(verdict)} | {("", verdict.outcome, False)}


def _key(finding: Finding, trial: bool) -> tuple[str, str, bool]:
    return finding.rule, f"{finding.effect} {finding.approver} {finding.fault}", trial


def _all(verdict: Verdict) -> Iterable[tuple[Finding, bool]]:
    return [*((each, False) for each in verdict.findings), *((each, True) for each in verdict.trial)]


def _missing_in(one: Verdict, other: Verdict) -> list[Finding]:
    """The findings of the other that the one does not have; those of a trial are among them."""
    known = {_key(finding, trial) for finding, trial in _all(one)}
    return [finding for finding, trial in _all(other) if _key(finding, trial) not in known]
