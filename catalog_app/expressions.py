"""
Small expressions in CEL, which manifests, prices, approvals and policies share.

The only module that knows the CEL library. CEL does not mix whole and broken numbers, so every number that
goes in becomes a double: expressions write `1.0`. Added to the language: `join(list)`, the elements with
commas between.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cel

MAX_LENGTH = 1500  # characters: the language has no cost limit, so what can be written is limited
FUNCTIONS = frozenset(
    ["contains", "endsWith", "matches", "startsWith", "size", "string", "double", "int", "join"]
)

# The names that a macro binds: t in `tags.all(t, t != '')`. The library reports them like variables.
_BOUND = re.compile(r"\.(?:all|exists|exists_one|filter|map)\(\s*([A-Za-z_]\w*)\s*,")
_TEXT = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")


class ExpressionError(ValueError):
    """An expression that cannot be compiled, or that failed on the values it was given."""


@dataclass(frozen=True)
class Context:
    """The values that expressions see; made once, used by many."""

    cel: cel.Context

    @classmethod
    def of(cls, **roots: Any) -> "Context":
        context = cel.Context(variables={name: _into(value) for name, value in roots.items()})
        context.add_function("join", _join)
        return cls(context)


@dataclass(frozen=True)
class Expression:
    text: str
    program: cel.Program

    def evaluate(self, context: Context) -> Any:
        """The value, or ExpressionError. Whole numbers come back as int."""
        try:
            return _out_of(self.program.execute(context.cel))
        except KeyError as error:
            raise ExpressionError(f"there is no {error.args[0]} in `{self.text}`") from error
        except (TypeError, ValueError, RuntimeError, LookupError, ArithmeticError) as error:
            raise ExpressionError(f"`{self.text}` failed: {_first_line(error)}") from error

    def names_below(self, root: str) -> set[str]:
        """The names read directly below `root`: {'sku'} for params.sku."""
        return set(re.findall(rf"\b{root}\.([A-Za-z_]\w*)", _TEXT.sub("''", self.text)))


@lru_cache(maxsize=2048)
def compiled(text: str, roots: frozenset[str]) -> Expression:
    """Compile an expression that may use the names in `roots`, or raise ExpressionError."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"the expression is longer than {MAX_LENGTH} characters")
    try:
        program = cel.compile(text)
    except (ValueError, RuntimeError) as error:
        raise ExpressionError(f"`{text}` is not an expression: {_syntax(error)}") from error
    unknown = set(program.variables()) - roots - set(_BOUND.findall(text))
    if unknown:
        raise ExpressionError(f"`{text}` uses {_listed(unknown)}, and only {_listed(roots)} can be used here")
    # Operators are reported as functions too, with names such as `_+_` and `@in`.
    strange = {name for name in program.functions() if name.isidentifier() and name[0] != "_"} - FUNCTIONS
    if strange:
        raise ExpressionError(f"`{text}` calls {_listed(strange)}, which does not exist")
    return Expression(text, program)


def _into(value: Any) -> Any:
    if isinstance(value, bool | str) or value is None:
        return value
    if isinstance(value, Mapping):
        return {str(key): _into(each) for key, each in value.items()}
    if isinstance(value, Iterable):
        return [_into(each) for each in value]
    return float(value)


def _out_of(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _out_of(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_out_of(each) for each in value]
    return value


def _join(values: list[Any]) -> str:
    return ", ".join(str(_out_of(value)) for value in values)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].split(". ")[0]


def _syntax(error: Exception) -> str:
    """`column 5: Syntax error: mismatched input` out of the library's long report."""
    found = re.search(r"ERROR: <input>:\d+:(\d+): (.*?)(?: expecting |\n|$)", str(error))
    return f"column {found[1]}: {found[2]}" if found else _first_line(error)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
