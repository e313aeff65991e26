"""YAML files checked by pydantic models, so that everything that is wrong has its file and line."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from catalog_app.problems import CatalogProblems, Problem

LONGEST_FILE = 200_000  # characters; the largest of ours has 10,000
DEEPEST = 50  # lists and mappings inside each other

Path = tuple[str | int, ...]


class Strict(BaseModel):
    """A part of a file: unknown names are refused, and nothing is changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Document:
    file: str
    data: Any
    lines: dict[Path, int]

    def line(self, path: Path) -> int:
        """The line of the deepest part of the path that is in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def problem(self, path: Path, reason: str) -> Problem:
        return Problem(self.file, self.line(path), reason)

    def checked(self, model: type[Model]) -> Model:
        """The data as the model, or CatalogProblems with all that does not fit."""
        try:
            return model.model_validate(self.data)
        except ValidationError as error:
            found = [self.problem(detail["loc"], _in_words(detail)) for detail in error.errors()]
            raise CatalogProblems(found) from error


class _Refused(yaml.MarkedYAMLError):
    """It is YAML, and more of it than is taken here."""


class _Loader(yaml.SafeLoader):
    """Without aliases: a few lines of them stand for billions of values."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            reason = f"*{event.anchor} repeats another part of the file: write it out"
            raise _Refused(problem=reason, problem_mark=event.start_mark)
        self.depth += 1
        if self.depth > DEEPEST:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise _Refused(problem="this goes too deep", problem_mark=mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def load(text: str, file: str) -> Document:
    """Read YAML, or raise CatalogProblems."""
    if len(text) > LONGEST_FILE:
        reason = f"the file has more than {LONGEST_FILE:,} characters: make it shorter"
        raise CatalogProblems([Problem(file, 1, reason)])
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        if root is None:
            raise CatalogProblems([Problem(file, 1, "the file is empty")])
        lines: dict[Path, int] = {}
        doubled = [Problem(file, line, reason) for line, reason in _walk(root, (), lines)]
        if doubled:
            raise CatalogProblems(doubled)
        return Document(file, loader.construct_document(root), lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        reason = str(error.problem) if isinstance(error, _Refused) else f"this is not YAML: {error.problem}"
        raise CatalogProblems([Problem(file, line, reason)]) from error
    except yaml.YAMLError as error:
        raise CatalogProblems([Problem(file, 1, "this is not YAML: it has control characters")]) from error
    except ValueError as error:
        reason = f"a value cannot be read, put it in quotes: {str(error).partition(';')[0]}"
        raise CatalogProblems([Problem(file, 1, reason)]) from error


def _walk(node: yaml.Node, path: Path, lines: dict[Path, int]) -> Iterator[tuple[int, str]]:
    """Note the line of every part; yield what is written twice or is not a name."""
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.tag != "tag:yaml.org,2002:str":
                yield line, f"{key.value} is read as something else than a name: put it in quotes"
            elif key.value in seen:
                yield line, f"{key.value} is there twice"
            seen.add(key.value)
            lines[(*path, str(key.value))] = line
            yield from _walk(value, (*path, str(key.value)), lines)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _walk(item, (*path, index), lines)


def _in_words(detail: ErrorDetails) -> str:
    where = ".".join(str(part) for part in detail["loc"])
    context = detail.get("ctx", {})
    match detail["type"]:
        case "missing":
            return f"{where} is missing"
        case "extra_forbidden":
            return f"{where} is not known here: look for a typing error, or remove it"
        case "string_type":
            return f"{where} must be a text: put it in quotes"
        case "literal_error":
            return f"{where} must be {context['expected']}"
        case "string_pattern_mismatch":
            return f"{where} must match {context['pattern']}"
        case "value_error":
            return f"{where}: {context['error']}" if where else str(context["error"])
        case "model_type" | "dict_type":
            return f"{where or 'the file'} must be a mapping of names to values"
    return f"{where}: {detail['msg'][0].lower()}{detail['msg'][1:]}"
