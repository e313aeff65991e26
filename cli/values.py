"""
What is typed on the command line, as the values that the item's JSON Schema wants.

A text that is no such value stays a text: the portal judges it, in the same words as on its pages.
"""

import json
import math
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from cli.errors import Refused

BOOLEANS: Final = {"true": True, "yes": True, "false": False, "no": False}
NUMBER: Final = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?", re.ASCII)
FIX: Final = "Correct the values named above; `groundwork catalog ITEM` lists what an item takes."
Schema = Mapping[str, Any]


def read_parameters(schema: Schema, typed: Iterable[str], file: str | None) -> dict[str, Any]:
    """Those of the file, and over them those typed as name=value. Raise Refused with all problems at once."""
    values = _from_file(file) if file else {}
    problems: dict[str, str] = {}
    seen: set[str] = set()
    for pair in typed:
        name, sign, text = pair.partition("=")
        if not sign or not name:
            problems[pair] = "write it as name=value"
        elif name in seen:
            problems[name] = "it is given twice"
        else:
            seen.add(name)
            try:
                values[name] = convert(text, schema["properties"].get(name, {"type": "string"}))
            except ValueError as error:
                problems[name] = str(error)
    if problems:
        raise Refused("These values cannot be used.", code="InvalidInput", problems=problems, fix=FIX)
    return values


def read_usage(typed: Iterable[str]) -> dict[str, Any]:
    """name=number, for the estimate."""
    return {name: _number(text) for name, _, text in (pair.partition("=") for pair in typed)}


def convert(text: str, schema: Schema) -> Any:
    """Raise ValueError, saying what is wanted."""
    kinds = _kinds(schema)
    if text == "null" and "null" in kinds:
        return None
    for kind in ("string", "boolean", "integer", "number", "array", "object"):
        if kind in kinds:
            return READERS[kind](text)
    return _any(text)


def _kinds(schema: Schema) -> set[str]:
    """The types that a schema allows; empty when it does not say."""
    kind = schema.get("type")
    if isinstance(kind, str):
        return {kind}
    if isinstance(kind, list):
        return set(kind)
    return {inner for choice in schema.get("anyOf", []) for inner in _kinds(choice)}


def _boolean(text: str) -> Any:
    return BOOLEANS.get(text.lower(), text)


def _number(text: str) -> Any:
    """A whole number stays one: 32, not 32.0."""
    if not NUMBER.fullmatch(text):
        return text
    number = float(text)
    if not math.isfinite(number):
        return text
    return int(number) if re.fullmatch(r"[-+]?[0-9]{1,15}", text) else number


def _array(text: str) -> list[Any]:
    value = _any(text)
    if not isinstance(value, list):
        raise ValueError("""write the list in JSON, in quotes for the shell: '["one", "two"]'""")
    return value


def _object(text: str) -> dict[str, Any]:
    value = _any(text)
    if not isinstance(value, dict):
        raise ValueError("""write the object in JSON, in quotes for the shell: '{"name": "value"}'""")
    return value


def _any(text: str) -> Any:
    try:
        return _read_json(text)
    except (ValueError, RecursionError):
        return text


def _read_json(text: str) -> Any:
    """As the standard has it: Python would also take NaN, and make infinity out of 1e999."""
    return json.loads(text, parse_constant=_no_number, parse_float=_finite)


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_number(text)


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is not a number that can be sent")


READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "string": str,
    "boolean": _boolean,
    "integer": _number,
    "number": _number,
    "array": _array,
    "object": _object,
}


def _from_file(file: str) -> dict[str, Any]:
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        values = _read_json(text)
    except OSError as error:
        raise _bad_file(file, f"it cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _bad_file(file, "it is not text in UTF-8") from error
    except json.JSONDecodeError as error:
        raise _bad_file(file, f"line {error.lineno}, column {error.colno}: {error.msg}") from error
    except ValueError as error:
        raise _bad_file(file, str(error)) from error
    except RecursionError as error:
        raise _bad_file(file, "its lists and objects go too deep") from error
    if not isinstance(values, dict):
        raise _bad_file(file, "it holds no JSON object")
    return values


def _bad_file(file: str, why: str) -> Refused:
    fix = 'Write the parameters as one JSON object: {"name": "orders", "storage_gb": 64}'
    return Refused("The file of parameters cannot be used.", code="BadFile", problems={file: why}, fix=fix)
