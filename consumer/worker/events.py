"""Terraform's machine-readable output, as a person would read it in a terminal."""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from consumer.worker.root import short

QUIET: Final = {"refresh_complete", "outputs"}
OWN_WORDS: Final = {  # the module's author wrote the detail; the summary adds nothing
    "Invalid value for variable",
    "Resource precondition failed",
    "Resource postcondition failed",
    "Module output value precondition failed",
}


@dataclasses.dataclass(frozen=True)
class Line:
    level: str  # info, warn or error
    text: str


def parse(raw: str) -> dict[str, Any]:
    """One line of Terraform's output as an event; what is not JSON becomes a text event."""
    try:
        event = json.loads(raw)
    except ValueError:
        event = None
    if not isinstance(event, dict):
        return {"type": "text", "@level": "info", "@message": raw.rstrip()}
    return event


def lines(event: Mapping[str, Any]) -> Iterator[Line]:
    """What to log: nothing, or one line. Never the snippet of a diagnostic: it quotes all values."""
    if event.get("type") in QUIET:
        return
    if event.get("type") == "diagnostic":
        diagnostic = event["diagnostic"]
        is_error = diagnostic.get("severity") == "error"
        yield Line(
            "error" if is_error else "warn", f"{'Error' if is_error else 'Warning'}: {words(diagnostic)}"
        )
        return
    text = short(str(event.get("@message", ""))).strip()
    if text:
        yield Line("info", text)


def words(diagnostic: Mapping[str, Any]) -> str:
    """A diagnostic as one sentence or two, with the resource that it is about."""
    summary = str(diagnostic.get("summary", "")).strip()
    detail = str(diagnostic.get("detail", "")).split("\n\nThis was checked by the validation rule")[0].strip()
    if summary in OWN_WORDS and detail:
        text = detail
    else:
        text = f"{summary}{'' if summary.endswith(('.', ':')) or not detail else ':'} {detail}".strip()
    address = diagnostic.get("address")
    return short(f"{text} ({address})" if address and str(address) not in text else text)
