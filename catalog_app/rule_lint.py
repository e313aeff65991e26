"""What is wrong with the files of rules although they can be read: mostly what can never matter."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from catalog_app.expressions import Expression
from catalog_app.grammar import Node
from catalog_app.manifest import Manifest
from catalog_app.problems import Problem
from catalog_app.rules import ExampleResult, Reading, Rule, RuleSet, look_into, run_examples

# Facts that have one of few values. What compares them with another one can never be true.
VALUES = {
    "request.kind": {"create", "update", "destroy"},
    "request.environment": {"dev", "staging", "prod"},
    "request.lifecycle": {"draft", "preview", "ga", "deprecated", "retired"},
    "request.budget.action": {"none", "warn", "require_approval", "block"},
}


def lint(folder: Path, items: Iterable[Manifest]) -> list[Problem]:
    """All problems of all files at once, by file and line; items: those of the catalog."""
    reading = look_into(folder)
    results = run_examples(RuleSet(tuple(reading.rules), reading.tables))
    items = list(items)
    values = {**VALUES, "request.item": {item.name for item in items}}
    parameters = {name for item in items for name in item.asked}
    found = [*reading.problems, *_tables(reading), *_titles(reading.rules), *_examples(results)]
    for rule in reading.rules:
        for reason in (*_words(rule), *_parameters(rule, parameters), *_names(rule), *_values(rule, values)):
            found.append(Problem(rule.file, rule.line, f"rule {rule.text.id}: {reason}"))
    return sorted(set(found))


def _tables(reading: Reading) -> Iterator[Problem]:
    """Only where every rule could be read: else nobody knows what it uses."""
    used = {
        name for rule in reading.rules for part in rule.expressions() for name in part.names_below("data")
    }
    for document in reading.documents:
        for name in (document.data.get("data") or {}) if not reading.problems else ():
            if name not in used:
                yield document.problem(("data", name), f"no rule reads the table {name}: remove it")


def _titles(rules: Iterable[Rule]) -> Iterator[Problem]:
    seen: dict[str, Rule] = {}
    for rule in rules:
        first = seen.setdefault(rule.text.title, rule)
        if first is not rule:
            yield Problem(rule.file, rule.line, f"rule {rule.text.id}: {first.text.id} has the same title")


def _examples(results: Iterable[ExampleResult]) -> Iterator[Problem]:
    by_rule: dict[str, list[ExampleResult]] = defaultdict(list)
    for result in results:
        by_rule[result.rule.text.id].append(result)
    for name, own in by_rule.items():
        rule = own[0].rule
        for result in own:
            if not result.is_right:
                reason = f"{result.example.name}: expected {result.example.expect}, got {result.got}"
                yield Problem(rule.file, rule.line, f"rule {name}: {reason}")
            elif result.speechless:
                reason = (
                    f"the message cannot be made for the test {result.example.name!r}: {result.speechless}"
                )
                yield Problem(rule.file, rule.line, f"rule {name}: {reason}")
        if not any(result.applies and result.got == "pass" for result in own):
            reason = "no test shows it to hold: in each that passes, `when` is false"
            yield Problem(rule.file, rule.line, f"rule {name}: {reason}")
        names = [result.example.name for result in own]
        for twice in sorted({each for each in names if names.count(each) > 1}):
            yield Problem(rule.file, rule.line, f"rule {name}: two tests are called {twice!r}")


def _words(rule: Rule) -> Iterator[str]:
    if not rule.text.hint:
        yield "there is no hint: say what to do about it"
    if rule.text.when == "false" or rule.text.check in ("true", "false"):
        yield "it says the same of every request"


def _parameters(rule: Rule, known: set[str]) -> Iterator[str]:
    read = {name for part in rule.expressions() for name in part.names_below("request.params")}
    read |= {name for part in rule.expressions() for name in _looked_for(part, "request.params")}
    read |= {place.split(".")[1] for place in rule.text.fields if place.startswith("params.")}
    for name in sorted(read - known):
        yield f"no item of the catalog has the parameter {name}"


def _looked_for(expression: Expression, path: str) -> set[str]:
    """{'sku'} for `'sku' in request.params`."""
    return {
        str(node.children[0].value)
        for node in expression.node.walk()
        if node.kind == "binary" and node.text == "in" and _source(expression, node.children[1]) == path
        and isinstance(node.children[0].value, str)
    }  # fmt: skip


def _names(rule: Rule) -> Iterator[str]:
    """Names that a macro binds and nothing uses."""
    for part in rule.expressions():
        for node in part.node.walk():
            inside = {name for child in node.children[1:] for name in child.free_names()}
            if node.kind == "macro" and node.bound not in inside:
                yield f"`{_source(part, node)}` never uses {node.bound}"


def _values(rule: Rule, known: Mapping[str, set[str]]) -> Iterator[str]:
    for part in rule.expressions():
        for node in part.node.walk():
            if node.kind != "binary" or node.text not in ("==", "!=", "in"):
                continue
            for fact, other in (node.children, reversed(node.children)):
                path = _source(part, fact)
                for value in sorted(_literals(other) - known[path]) if path in known else ():
                    yield f"{path} is never {value!r}"


def _literals(node: Node) -> set[str]:
    nodes = node.children if node.kind == "list" else (node,)
    return {each.value for each in nodes if each.kind == "value" and isinstance(each.value, str)}


def _source(expression: Expression, node: Node) -> str:
    return expression.text[node.start : node.end]
