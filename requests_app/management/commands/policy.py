import json
import time
from argparse import ArgumentParser
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from catalog_app import modules, policy
from catalog_app.explain import Explanation, explain
from catalog_app.expressions import ExpressionError
from catalog_app.problems import CatalogProblems, Problem
from catalog_app.rule_lint import lint
from catalog_app.rules import ExampleResult, RuleSet, Stage, read_rules, run_examples
from requests_app.models import ServiceRequest
from requests_app.replay import Change, Summary, replay

LONGEST_VALUE = 60  # characters
MARKS = {True: "holds", False: "does not hold", None: "fault"}


class Command(BaseCommand):
    help = "Test, lint, explain and replay the rules; docs/policies.md tells when to use which."

    def add_arguments(self, parser: ArgumentParser) -> None:
        steps = parser.add_subparsers(dest="step", required=True)
        for name, about in (
            ("test", "Run the tests that are written beside the rules."),
            ("lint", "Name everything that is wrong with the files, or that can never matter."),
        ):
            step = steps.add_parser(name, help=about)
            step.add_argument("folder", nargs="?", type=Path, default=settings.POLICY_FOLDER)
        step = steps.add_parser("explain", help="Show rule by rule what it says, and why.")
        step.add_argument(
            "what", help="REQ-1, or a JSON file: {request: facts, resource: a changed resource}"
        )
        step.add_argument("--rule", default="", help="Only this one.")
        step.add_argument("--rules", type=Path, default=settings.POLICY_FOLDER, metavar="FOLDER")
        step = steps.add_parser("replay", help="Ask a draft about past requests; changes nothing.")
        step.add_argument("folder", type=Path, help="All rules as they would be, or with --add some more.")
        step.add_argument(
            "--add", action="store_true", help="The active rules stay, besides those of the same id."
        )
        step.add_argument("--newest", type=int, default=10_000, metavar="N", help="At most so many requests.")
        step.add_argument("--show", type=int, default=20, metavar="N", help="At most so many changes.")

    def handle(self, *, step: str, **options: Any) -> None:
        try:
            getattr(self, f"_{step}")(**options)
        except CatalogProblems as problems:
            self._refuse(problems.found)

    # ── the steps ─────────────────────────────────────────────────────────────────────────────────────

    def _test(self, *, folder: Path, **options: Any) -> None:
        results = run_examples(_folder(folder))
        by_rule: dict[str, list[ExampleResult]] = {}
        for result in results:
            by_rule.setdefault(result.rule.text.id, []).append(result)
        width = max(map(len, by_rule))
        self.stdout.write(
            f"{'rule':{width}}  version  stage    effect                          mode     tests"
        )
        for name, own in by_rule.items():
            self.stdout.write(_row(width, name, own))
        wrong = [result for result in results if not result.is_right]
        for result in wrong:
            rule, test = result.rule, result.example
            self.stdout.write(
                f"{rule.file}:{rule.line}: {test.name}: expected {test.expect}, got {result.got}"
            )
        if wrong:
            raise CommandError(f"{len(wrong)} of {len(results)} tests failed.")
        self.stdout.write(f"{len(results)} tests of {len(by_rule)} rules passed.")

    def _lint(self, *, folder: Path, **options: Any) -> None:
        _check(folder)
        sources, _ = modules.look(
            settings.CATALOG_FOLDER
        )  # what is wrong with those is for sync_catalog to tell
        if found := lint(folder, [source.manifest for source in sources]):
            self._refuse(found)
        self.stdout.write("Nothing to say.")

    def _explain(self, *, what: str, rule: str, rules: Path, **options: Any) -> None:
        facts, resource = _facts(what)
        rule_set = _folder(rules)
        stages: list[Stage] = ["request", "plan"] if resource else ["request"]
        try:
            found = [each for stage in stages for each in explain(stage, facts, resource, rule_set)]
        except ExpressionError as error:
            raise CommandError(f"These facts cannot be used: {error}.") from error
        chosen = [each for each in found if rule in ("", each.rule.text.id)]
        if not chosen:
            raise CommandError(f"There is no rule {rule} about this stage.")
        for each in chosen:
            self._tell(each)

    def _replay(self, *, folder: Path, add: bool, newest: int, show: int, **options: Any) -> None:
        active = policy.active_rules()
        draft = _folder(folder, beside=active if add else None)
        summary, began = Summary(), time.monotonic()
        for change in replay(draft, active, summary, newest):
            if summary.changed <= show:
                self._show(change)
        if summary.changed > show:
            self.stdout.write(f"... and {summary.changed - show} more")
        self._sum_up(summary, time.monotonic() - began)

    # ── what is printed ───────────────────────────────────────────────────────────────────────────────

    def _refuse(self, found: Iterable[Problem]) -> None:
        lines = list(map(str, found))
        for line in lines:
            self.stdout.write(line)
        raise CommandError(f"{len(lines)} problem{'' if len(lines) == 1 else 's'}.")

    def _tell(self, each: Explanation) -> None:
        text = each.rule.text
        said = MARKS[each.held] if each.applied else "is about something else"
        mode = " (dry run)" if text.mode == "dry_run" else ""
        self.stdout.write(f"\n{text.id} {text.version}: {said}{mode}")
        if each.held is False:
            self.stdout.write(f"  {text.effect}: {each.message}")
        if each.error:
            self.stdout.write(f"  {each.error}")
        for part in each.parts:
            value = f"cannot be told: {part.error}" if part.error else _short(part.value)
            self.stdout.write(f"  {'  ' * part.depth}{' '.join(part.text.split())}  ->  {value}")

    def _show(self, change: Change) -> None:
        self.stdout.write(f"{change.ref} {change.title}: {change.before.outcome} -> {change.after.outcome}")
        trial = change.after.trial
        for finding in change.new:
            tried = " (dry run)" if finding in trial else ""
            self.stdout.write(f"  + {finding.rule} {finding.effect}{tried}: {finding.message}")
        for finding in change.gone:
            self.stdout.write(f"  - {finding.rule} {finding.effect}: {finding.message}")

    def _sum_up(self, summary: Summary, seconds: float) -> None:
        self.stdout.write("")
        for (before, after), number in sorted(summary.outcomes.items()):
            self.stdout.write(f"{number:>6}  {before} -> {after}")
        for sign, counted in (("+", summary.new), ("-", summary.gone)):
            for name, number in counted.most_common():
                self.stdout.write(f"{number:>6}  {sign} {name}")
        without = f", {summary.without_facts} of them without facts" if summary.without_facts else ""
        self.stdout.write(
            f"{summary.changed} of {summary.requests} requests{without} would have been judged differently "
            f"({seconds:.1f} s). Nothing was changed."
        )


def _row(width: int, name: str, own: list[ExampleResult]) -> str:
    text = own[0].rule.text
    effect = f"{text.effect} from {text.approver}" if text.approver else text.effect
    good = sum(result.is_right for result in own)
    failed = "" if good == len(own) else "  FAILED"
    return f"{name:{width}}  {text.version:<7}  {text.stage:7}  {effect:30}  {text.mode:7}  {good}/{len(own)}{failed}"


def _check(folder: Path) -> None:
    if not folder.is_dir():
        raise CommandError(f"There is no folder {folder}.")


def _folder(folder: Path, beside: RuleSet | None = None) -> RuleSet:
    _check(folder)
    return read_rules(folder, beside=beside)


def _facts(what: str) -> tuple[Mapping[str, Any], Mapping[str, Any] | None]:
    """Of a stored request, or of a JSON file."""
    number = what.upper().removeprefix("REQ-")
    if number.isdecimal():
        facts = ServiceRequest.objects.filter(pk=int(number)).values_list("facts", flat=True).first()
        if facts is None:
            raise CommandError(f"There is no request {what}.")
        return facts, None
    try:
        told = json.loads(Path(what).read_text(encoding="utf-8"))
        return told["request"], told.get("resource")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CommandError(
            f"{what} is neither a request such as REQ-1 nor a JSON file with `request` in it: {error}"
        ) from error


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."
