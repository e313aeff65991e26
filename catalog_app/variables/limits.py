"""What no parameter can take, whatever its type: values that cannot be stored, or that do harm."""

from collections.abc import Iterator, Mapping
from typing import Any

MOST_PROBLEMS = 50
MOST_VALUES = 1000  # in one list or object
LONGEST_TEXT = 20_000  # characters
DEEPEST = 20  # objects and lists inside each other
LARGEST_NUMBER = 1e15  # whole numbers stay exact in Terraform, in JSON and in expressions


def is_number(value: object) -> bool:
    """A number that can be used; JSON from Python also knows NaN and Infinity."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST_NUMBER


def unusable(values: Mapping[str, Any]) -> dict[str, str]:
    """The problems by dotted path; empty when the values can be looked at more closely."""
    found: dict[str, str] = {}
    waiting: list[tuple[str, Any, int]] = [("", values, 0)]
    while waiting and len(found) < MOST_PROBLEMS:
        path, value, depth = waiting.pop()
        reason = _reason(value, depth)
        if reason:
            found[path or "parameters"] = reason
            continue
        for name, inner in _inside(value):
            if reason := text_problem(name):
                found[path or "parameters"] = f"A name in here cannot be used. {reason}"
            else:
                waiting.append((f"{path}.{name}".lstrip("."), inner, depth + 1))
    return found


def _inside(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield str(name), inner
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield str(index), inner


def _reason(value: Any, depth: int) -> str:
    if isinstance(value, str):
        return text_problem(value)
    if isinstance(value, Mapping | list | tuple):
        if depth > DEEPEST:
            return f"This goes deeper than {DEEPEST} levels."
        if len(value) > MOST_VALUES:
            return f"This holds more than {MOST_VALUES:,} values."
    elif isinstance(value, int | float) and not isinstance(value, bool) and not is_number(value):
        return "This is not a number that can be used: give one of at most 15 digits."
    return ""


def text_problem(text: str) -> str:
    """Why it cannot be used; empty when it can."""
    if len(text) > LONGEST_TEXT:
        return f"This is longer than {LONGEST_TEXT:,} characters."
    if any(sign == "\x00" or "\ud800" <= sign <= "\udfff" for sign in text):
        return "This has a character that cannot be stored: write it as plain text."
    return ""
