"""
The policy files in terraform/policies: YAML, with conditions in CEL and with their own examples.

Names that expressions see: `request` (the facts of the request), `data` (the tables at the heads of the files) and, in
rules about a plan, `resource` (one changed resource: address, type, and change with actions, before and after).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, ValidationError, model_validator

from catalog_app import documents
from catalog_app.documents import Document, Strict
from catalog_app.expressions import Context, Expression, ExpressionError, compiled
from catalog_app.manifest import Slug, Text
from catalog_app.problems import CatalogProblems, Problem

Stage = Literal["request", "plan"]
Effect = Literal["deny", "require_approval", "warn"]
Mode = Literal["enforce", "dry_run"]
Approver = Literal["approver", "bu_admin"]
ROOTS: dict[str, frozenset[str]] = {
    "request": frozenset({"request", "data"}),
    "plan": frozenset({"request", "data", "resource"}),
}
# What is known of a request when its rules are asked; docs/policies.md says what each is.
FACTS = frozenset(
    {
        "kind", "item", "lifecycle", "environment", "region", "business_unit", "cost_center", "name", "params", "tags",
        "requester", "justification", "ttl_days", "allow_replace", "estimate", "deployment", "budget", "now",
    }
)  # fmt: skip
PARTS = {
    "request.estimate": frozenset({"monthly", "extra", "complete"}),
    "request.deployment": frozenset({"monthly", "version"}),
    "request.budget": frozenset(
        {
            "exists", "monthly", "currency", "held", "committed", "remaining", "extra", "after", "action", "exceeded",
            "message",
        }
    ),
    "request.now": frozenset({"weekday", "hour", "date"}),
    "resource": frozenset({"address", "type", "change"}),
}  # fmt: skip
_PLACE = re.compile(r"\{([^{}]*)\}")  # {request.region} in a message


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Place = Annotated[str, StringConstraints(pattern=r"^[a-z_]+(\.[a-z_]+)*$")]


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
    # Who has to approve; only with the effect require_approval. (`from` in the files; the word is reserved in Python.)
    approver: Annotated[Approver | None, Field(alias="from")] = None
    mode: Mode = "enforce"
    when: str = "true"  # whether the rule is about this request at all
    # What has to be true. (`assert` in the files.)
    check: Annotated[str, Field(alias="assert")]
    # What it is about: the first of these that the request (or the changed resource) has.
    fields: Annotated[list[Place], BeforeValidator(_as_list), Field(alias="field")] = []
    message: Text  # {expression} is replaced by its value
    hint: Text | None = None
    tests: Annotated[list[Example], Field(min_length=2)]

    @property
    def field(self) -> str:
        """The first one, where nothing is known of a request."""
        return self.fields[0] if self.fields else ""

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        if self.approver and self.effect != "require_approval":
            raise ValueError("from goes only with the effect require_approval")
        if self.stage == "plan" and self.effect == "require_approval":
            raise ValueError("a run does not wait for people: a rule about a plan denies or warns")
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
    when: Expression
    check: Expression
    words: tuple[str | Expression, ...]  # the message in parts

    def holds(self, context: Context) -> bool | None:
        """Whether the check is true; None when the rule is about something else; else ExpressionError."""
        if not _truth(self.when, context):
            return None
        return _truth(self.check, context)

    def message(self, context: Context) -> str:
        try:
            return self.spelled(context)
        except ExpressionError:
            return f"{self.text.title}."  # the finding stands, whatever is wrong with its words

    def spelled(self, context: Context) -> str:
        """The message with its values, or ExpressionError."""
        parts = [part if isinstance(part, str) else str(part.evaluate(context)) for part in self.words]
        return "".join(parts)

    def expressions(self) -> list[Expression]:
        return [self.when, self.check, *(part for part in self.words if isinstance(part, Expression))]


@dataclass(frozen=True)
class RuleSet:
    """The rules of a folder, with the tables of all its files."""

    rules: tuple[Rule, ...] = ()
    tables: Mapping[str, Any] = field(default_factory=dict)

    def of(self, stage: Stage) -> list[Rule]:
        return [rule for rule in self.rules if rule.text.stage == stage]

    def context(self) -> Context:
        """With the tables in it; `request` and `resource` are set later, as often as there are some."""
        return Context.of(data=self.tables)


@dataclass
class Reading:
    """What could be read of a folder, and what is wrong with the rest."""

    documents: list[Document] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    tables: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read_rules(folder: Path, *, beside: RuleSet | None = None) -> RuleSet:
    """Every rule of the *.yaml files, or CatalogProblems. Their examples are run by `failing_examples`.

    beside: rules that these are added to. A rule or a table of the same name takes the place of the older one.
    """
    beside = beside or RuleSet()
    reading = look_into(folder, beside.tables)
    if reading.problems:
        raise CatalogProblems(reading.problems)
    newer = {rule.text.id for rule in reading.rules}
    kept = [rule for rule in beside.rules if rule.text.id not in newer]
    return RuleSet((*kept, *reading.rules), {**beside.tables, **reading.tables})


def look_into(folder: Path, tables: Mapping[str, Any] | None = None) -> Reading:
    """Everything that can be read, whatever is wrong with the rest. tables: known besides those of the folder."""
    reading = Reading()
    written: list[tuple[Document, int, RuleText]] = []
    homes: dict[str, str] = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            document = documents.load(_text(path), f"{folder.name}/{path.name}")
        except CatalogProblems as problems:
            reading.problems += problems.found
            continue
        reading.documents.append(document)
        reading.problems += [*_add_tables(reading, document, homes)]
        written += [(document, *each) for each in _texts(reading, document)]
    if not written and not reading.problems:
        reason = "there is no rule in this folder: nothing may be asked for without rules"
        reading.problems.append(Problem(folder.name, 1, reason))
    every_table = {**(tables or {}), **reading.tables}
    for document, index, text in written:
        _add_rule(reading, document, index, text, every_table)
    return reading


def failing_examples(folder: Path) -> list[Problem]:
    """The examples of the rules that do not come out as they expect. CatalogProblems where rules cannot be read."""
    return [
        Problem(
            result.rule.file,
            result.rule.line,
            f"rule {result.rule.text.id}: {result.example.name}: expected {result.example.expect}, got {result.got}",
        )
        for result in run_examples(read_rules(folder))
        if not result.is_right
    ]


@dataclass(frozen=True)
class ExampleResult:
    rule: Rule
    example: Example
    applies: bool  # the rule was about it
    got: Literal["pass", "fail", "fault"]
    speechless: str = ""  # why the message cannot be made, where it is needed

    @property
    def is_right(self) -> bool:
        return self.got == self.example.expect


def run_examples(rules: RuleSet) -> list[ExampleResult]:
    context = rules.context()
    return [_run(rule, example, context) for rule in rules.rules for example in rule.text.tests]


def _run(rule: Rule, example: Example, context: Context) -> ExampleResult:
    try:
        context.set(request=example.request, resource=example.resource)
        holds = rule.holds(context)
    except ExpressionError:
        return ExampleResult(rule, example, applies=True, got="fault")
    if holds is not False:
        return ExampleResult(rule, example, applies=holds is not None, got="pass")
    try:
        rule.spelled(context)
    except ExpressionError as error:
        return ExampleResult(rule, example, applies=True, got="fail", speechless=str(error))
    return ExampleResult(rule, example, applies=True, got="fail")


def _truth(expression: Expression, context: Context) -> bool:
    """A condition that is neither true nor false is a mistake of its author, and nobody knows what was meant."""
    value = expression.evaluate(context)
    if not isinstance(value, bool):
        raise ExpressionError(f"`{expression.text}` is neither true nor false")
    return value


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError as error:
        file = f"{path.parent.name}/{path.name}"
        raise CatalogProblems([Problem(file, 1, "the file is not written in UTF-8")]) from error


def _texts(reading: Reading, document: Document) -> list[tuple[int, RuleText]]:
    """The rules of a file that are whole, with their places; the problems of the others are noted."""
    try:
        return [*enumerate(document.checked(RuleFile).rules)]
    except CatalogProblems as problems:
        reading.problems += problems.found
    whole = []
    listed = document.data.get("rules") if isinstance(document.data, Mapping) else None
    for index, rule in enumerate(listed if isinstance(listed, list) else ()):
        try:
            whole.append((index, RuleText.model_validate(rule)))
        except ValidationError:
            continue  # noted above
    return whole


def _add_tables(reading: Reading, document: Document, homes: dict[str, str]) -> Iterator[Problem]:
    """homes: table -> the file it was seen in."""
    tables = document.data.get("data") if isinstance(document.data, Mapping) else None
    for name, table in (tables if isinstance(tables, Mapping) else {}).items():
        path = ("data", name)
        if name in homes:
            yield document.problem(path, f"the table {name} is there already, in {homes[name]}")
        homes[name] = document.file
        if not _is_plain(table):
            yield document.problem(
                path, f"{name} holds something else than texts and numbers: put dates in quotes"
            )
        else:
            reading.tables[name] = table


def _is_plain(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _is_plain(each) for key, each in value.items())
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, str | bool | int | float)


def _add_rule(
    reading: Reading, document: Document, index: int, text: RuleText, tables: Mapping[str, Any]
) -> None:
    path = ("rules", index)
    same = next((rule for rule in reading.rules if rule.text.id == text.id), None)
    found = (
        [document.problem((*path, "id"), f"the rule {text.id} is there already, in {same.file}")]
        if same
        else []
    )
    known = {"request": FACTS, "data": tables.keys(), **PARTS}
    for part, expression in (("when", text.when), ("assert", text.check), *_places(text.message)):
        for reason in _wrong_parts(expression, ROOTS[text.stage], known, tables):
            found.append(document.problem((*path, part), reason))
    if found:
        reading.problems += found
    else:
        reading.rules.append(_ready(text, document.file, document.line(path), tables))


def _ready(text: RuleText, file: str, line: int, tables: Mapping[str, Any]) -> Rule:
    def ready(part: str) -> Expression:
        return compiled(part, ROOTS[text.stage]).knowing(data=tables)

    words = tuple(ready(part) if index % 2 else part for index, part in enumerate(_PLACE.split(text.message)))
    return Rule(text, file, line, ready(text.when), ready(text.check), words)


def _places(message: str) -> Sequence[tuple[str, str]]:
    return [("message", text) for text in _PLACE.findall(message)]


def _wrong_parts(
    text: str, roots: frozenset[str], known: Mapping[str, Any], tables: Mapping[str, Any]
) -> Iterator[str]:
    try:
        expression = compiled(text, roots).knowing(data=tables)
    except ExpressionError as error:
        yield str(error)
        return
    for root, names in known.items():
        for name in sorted(expression.names_below(root) - set(names)):
            yield f"there is no {root}.{name} here; {root} has: {', '.join(sorted(names)) or 'nothing'}"
