"""
JSON Schema 2020-12 as this project reads it: with RE2 for patterns, and with numbers that can be used.

RE2 is the engine Terraform uses: linear time, and `$` does not match before a final newline. The standard wants
ECMA 262; what both understand alike is all that gets into a schema (see `pattern`).
"""

import ipaddress
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import jsonschema
import re2
from jsonschema import TypeChecker
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend

from catalog_app.variables.limits import is_number
from catalog_app.variables.types import Schema

DIALECT = "https://json-schema.org/draft/2020-12/schema"
LONGEST_PATTERN = 1000  # characters
# Flags, \A, \z, \pL, [[:alpha:]] and (?P<name>...) mean something else, or nothing, to other engines.
_RE2_ONLY = re.compile(r"\(\?[^:]|\\[AzZCQEpP]|\[\[:")
_PREFIX = re.compile(r"/[0-9]{1,3}\Z")
_QUIET = re2.Options()
_QUIET.log_errors = False


class BadPattern(ValueError):
    """Not a regular expression that Terraform takes."""


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> Any:
    if len(pattern) > LONGEST_PATTERN:
        raise BadPattern(f"a pattern has at most {LONGEST_PATTERN:,} characters")
    try:
        return re2.compile(pattern, _QUIET)
    except re2.error as error:
        raise BadPattern(f"the pattern {pattern} is not valid: {_reason(error)}") from error


def is_portable(pattern: str) -> bool:
    """Whether every engine reads it alike. BadPattern when Terraform itself does not take it."""
    compiled(pattern)
    return not _RE2_ONLY.search(pattern)


def quoted(text: str) -> str:
    """The pattern that matches this text. Only signs with a meaning are escaped: ECMA 262 takes no others."""
    return re.sub(r"([\\^$.|?*+()\[\]{}/])", r"\\\1", text)


def validator(schema: Schema) -> Validator:
    checker: Validator = _Validator(schema, format_checker=_FORMATS)
    return checker


def _reason(error: Exception) -> str:
    text = error.args[0] if error.args else ""
    return text.decode(errors="replace") if isinstance(text, bytes) else str(text)


_FORMATS = jsonschema.FormatChecker(formats=())


@_FORMATS.checks("cidr", raises=ValueError)
def _is_cidr(value: object) -> bool:
    if isinstance(value, str):
        # Python also takes 10.0.0.0/255.0.0.0 and fe80::%eth0/64.
        if not _PREFIX.search(value) or "%" in value:
            raise ValueError("no prefix length")
        ipaddress.ip_network(value, strict=False)
    return True


def _pattern(_: Any, pattern: str, value: Any, schema: Schema) -> Iterator[ValidationError]:
    if isinstance(value, str) and not compiled(pattern).search(value):
        yield ValidationError("the pattern does not match")


def _is_number(_: TypeChecker, value: object) -> bool:
    return is_number(value)


def _is_integer(_: TypeChecker, value: object) -> bool:
    return is_number(value) and float(value).is_integer()  # type: ignore[arg-type]


_CHECKER = jsonschema.Draft202012Validator.TYPE_CHECKER.redefine_many(
    {"number": _is_number, "integer": _is_integer}
)
_Validator = extend(  # type: ignore[no-untyped-call]
    jsonschema.Draft202012Validator, {"pattern": _pattern}, type_checker=_CHECKER
)
