"""
The policy files in terraform/policies: YAML, with conditions in CEL and with their own examples.

Names that expressions see: `request` (the facts of the request), `data` (the tables at the head of the file)
and, in rules about a plan, `resource` (one changed resource: address, type, and change with actions, before
and after).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from catalog_app import documents
from catalog_app.documents import Document, Strict
from catalog_app.expressions import Context, Expression, ExpressionError, compiled
from catalog_app.manifest import Slug, Text
from catalog_app.problems import CatalogProblems, Problem

Stage = Literal["request", "plan"]
Effect = Literal["deny", "require_approval", "warn"]
ROOTS: dict[str, frozenset[str]] = {
    "request": frozenset({"request", "data"}),
    "plan": frozenset({"request", "data", "resource"}),
}
# What is known of a request when its rules are asked.
FACTS = frozenset(
    {
        "kind", "item", "environment", "region", "business_unit", "cost_center", "name", "params", "tags",
        "estimate", "requester", "allow_replace",
    }
)  # fmt: skip
_PLACE = re.compile(r"\{([^{}]*)\}")  # {request.region} in a message


class Example(Strict):
    """A test of the rule, kept beside it. `request` holds only the facts that matter."""

    name: Text
    request: dict[str, Any]
    resource: dict[str, Any] | None = None
    expect: Literal["pass", "fail", "fault"]


class RuleText(Strict):
    """One rule as written."""

    id: Slug
    version: Annotated[int, Field(ge=1)]
    title: Text
    stage: Stage
    effect: Effect
    when: str = "true"  # whether the rule is about this request at all
    # What has to be true. (Named so in the files; the word is reserved in Python.)
    check: Annotated[str, Field(alias="assert")]
    field: Annotated[str, StringConstraints(pattern=r"^[a-z_]+(\.[a-z_]+)*$")] | None = None
    message: Text  # {expression} is replaced by its value
    hint: Text | None = None
    tests: Annotated[list[Example], Field(min_length=2)]

    @model_validator(mode="after")
    def _examples_fit(self) -> Self:
        lacking = {"pass", "fail"} - {example.expect for example in self.tests}
        if lacking:
            raise ValueError(f"the rule {self.id} has no test that expects: {', '.join(sorted(lacking))}")
        for example in self.tests:
            if (example.resource is not None) != (self.stage == "plan"):
                raise ValueError(
                    "tests of the stage plan have a resource, and those of the stage request have none"
                )
        return self


class RuleFile(Strict):
    data: dict[str, Any] = {}
    rules: Annotated[list[RuleText], Field(min_length=1)]


@dataclass(frozen=True)
class Rule:
    """A rule that is ready to be asked."""

    text: RuleText
    file: str
    line: int
    data: Mapping[str, Any]
    when: Expression
    check: Expression
    words: tuple[str | Expression, ...]  # the message in parts

    def context(self, facts: Mapping[str, Any], resource: Mapping[str, Any] | None = None) -> Context:
        return Context.of(
            request=facts, data=self.data, **({} if resource is None else {"resource": resource})
        )

    def holds(self, context: Context) -> bool | None:
        """Whether the check is true; None when the rule is about something else; else ExpressionError."""
        if self.when.evaluate(context) is not True:
            return None
        return self.check.evaluate(context) is True

    def message(self, context: Context) -> str:
        try:
            parts = [part if isinstance(part, str) else str(part.evaluate(context)) for part in self.words]
        except ExpressionError:
            return f"{self.text.title}."  # the finding stands, whatever is wrong with its words
        return "".join(parts)


def read_rules(folder: Path) -> list[Rule]:
    """Every rule of the *.yaml files, or CatalogProblems. Its examples are run by `failing_examples`."""
    rules: list[Rule] = []
    found: list[Problem] = []
    homes: dict[str, str] = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            rules += _read(path, homes)
        except CatalogProblems as problems:
            found += problems.found
    if not rules and not found:
        found = [
            Problem(folder.name, 1, "there is no rule in this folder: nothing may be asked for without rules")
        ]
    if found:
        raise CatalogProblems(found)
    return rules


def failing_examples(folder: Path) -> list[Problem]:
    """The examples of the rules that do not come out as they expect."""
    return [
        Problem(
            rule.file,
            rule.line,
            f"rule {rule.text.id}: {example.name}: expected {example.expect}, got {got}",
        )
        for rule in read_rules(folder)
        for example in rule.text.tests
        if (got := _outcome(rule, example)) != example.expect
    ]


def _outcome(rule: Rule, example: Example) -> str:
    try:
        return "fail" if rule.holds(rule.context(example.request, example.resource)) is False else "pass"
    except ExpressionError:
        return "fault"


def _read(path: Path, homes: dict[str, str]) -> list[Rule]:
    """homes: rule id -> the file it was seen in."""
    file = f"{path.parent.name}/{path.name}"
    try:
        text = path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise CatalogProblems([Problem(file, 1, "the file is not written in UTF-8")]) from error
    document = documents.load(text, file)
    written = document.checked(RuleFile)
    found = [*_disagreements(document, written, homes)]
    if found:
        raise CatalogProblems(found)
    return [
        _ready(rule, written.data, file, document.line(("rules", index)))
        for index, rule in enumerate(written.rules)
    ]


def _ready(rule: RuleText, data: Mapping[str, Any], file: str, line: int) -> Rule:
    roots = ROOTS[rule.stage]
    words = tuple(
        compiled(part, roots) if index % 2 else part for index, part in enumerate(_PLACE.split(rule.message))
    )
    return Rule(rule, file, line, data, compiled(rule.when, roots), compiled(rule.check, roots), words)


def _disagreements(document: Document, written: RuleFile, homes: dict[str, str]) -> Iterator[Problem]:
    for index, rule in enumerate(written.rules):
        path = ("rules", index)
        if rule.id in homes:
            yield document.problem((*path, "id"), f"the rule {rule.id} is there already, in {homes[rule.id]}")
        homes[rule.id] = document.file
        known = {"request": FACTS, "data": written.data.keys()}
        for part, text in (("when", rule.when), ("assert", rule.check), *_places(rule.message)):
            for reason in _wrong_names(text, ROOTS[rule.stage], known):
                yield document.problem((*path, part), reason)


def _places(message: str) -> list[tuple[str, str]]:
    return [("message", text) for text in _PLACE.findall(message)]


def _wrong_names(text: str, roots: frozenset[str], known: Mapping[str, Any]) -> Iterator[str]:
    try:
        expression = compiled(text, roots)
    except ExpressionError as error:
        yield str(error)
        return
    for root, names in known.items():
        for name in sorted(expression.names_below(root) - set(names)):
            yield f"there is no {root}.{name} here; {root} has: {', '.join(sorted(names)) or 'nothing'}"
