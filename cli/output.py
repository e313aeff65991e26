"""What the commands print: JSON for machines, tables and short sentences for people."""

import json
import sys
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.errors import CliError

WIDE: Final = 200  # columns, where nobody looks: a pipe or a file
STYLES: Final = {
    "succeeded": "green", "ready": "green", "allow": "green",
    "failed": "red", "rejected": "red", "deny": "red", "error": "red",
    "submitted": "yellow", "require_approval": "yellow", "warn": "yellow", "incomplete": "yellow",
    "running": "cyan", "stopping": "cyan", "queued": "cyan", "approved": "cyan",
}  # fmt: skip
VERDICTS: Final = {
    "allow": "policy has nothing against it",
    "require_approval": "policy asks for a decision by a person",
    "deny": "policy refuses it",
}


def console(*, error: bool = False) -> Console:
    stream = sys.stderr if error else sys.stdout
    return Console(
        file=stream, width=None if stream.isatty() else WIDE, markup=False, highlight=False, emoji=False
    )


def print_json(value: Any) -> None:
    print(json.dumps(value, indent=2))


def plain(value: Any) -> str:
    """Without control characters: what others wrote must not steer this terminal."""
    return "".join(c for c in str(value) if c in "\n\t" or (c.isprintable() and not 0x7F <= ord(c) < 0xA0))


def readable(value: Any) -> str:
    return plain(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def styled(value: Any) -> Text:
    return Text(plain(value), style=STYLES.get(str(value), ""))


def money(value: Any, currency: str = "") -> str:
    return "not known" if value is None else f"{float(value):,.2f} {currency}".strip()


def when(iso: str | None) -> str:
    """In the time zone of this machine."""
    return datetime.fromisoformat(iso).astimezone().strftime("%Y-%m-%d %H:%M:%S") if iso else ""


def table(titles: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    grid = Table(box=None, pad_edge=False, header_style="bold")
    for title in titles:
        grid.add_column(title, overflow="fold")
    for row in rows:
        grid.add_row(*(cell if isinstance(cell, Text) else Text(plain(cell)) for cell in row))
    console().print(grid)


def facts(pairs: Mapping[str, Any]) -> None:
    """Names and values below each other; what is empty is left out."""
    grid = Table(box=None, show_header=False, pad_edge=False)
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in pairs.items():
        if value not in (None, "", [], {}):
            grid.add_row(name, value if isinstance(value, Text) else Text(plain(value)))
    console().print(grid)


def heading(text: str) -> None:
    console().print(Text(f"\n{plain(text)}", style="bold"))


def say(text: str) -> None:
    console().print(Text(plain(text)))


def estimate(found: Mapping[str, Any] | None) -> None:
    if not found:
        return
    least = "" if found["complete"] else "at least "
    heading(f"Estimate: {least}{money(found['monthly'], found['currency'])} a month")
    table(
        ("", "quantity", "unit", "a month", "price of"),
        (
            (line["label"], f"{line['quantity']:g}", line["unit"], money(line["monthly"]), line["as_of"])
            for line in found["lines"]
        ),
    )
    for missing in found["missing"]:
        say(f"{missing['label']}: no price ({missing['reason']})")


def difference(before: Any, change: Any) -> None:
    """What a deployment costs now, and how that changes; nothing is to say of a new one."""
    if float(before):
        amount = float(change)
        words = f"{money(abs(amount))} {'more' if amount > 0 else 'less'}" if amount else "the same"
        say(f"It costs {money(before)} a month now: {words}.")


def budget(found: Mapping[str, Any] | None) -> None:
    if not found or not found["exists"]:
        return
    heading(f"Budget: {money(found['monthly'], found['currency'])} a month")
    facts(
        {
            "spent": money(found["committed"]),
            "asked for": money(found["held"]),
            "with this": money(found["extra"]),
            "left then": money(found["after"]),
        }
    )


def verdict(found: Mapping[str, Any] | None) -> None:
    if not found:
        return
    heading(f"Verdict: {VERDICTS.get(found['outcome'], found['outcome'])}")
    for finding in found["findings"]:
        _finding(console(), finding)
    if found["passed"]:
        say(f"Rules that hold: {', '.join(found['passed'])}")


def findings(found: Mapping[str, Any] | None) -> None:
    """What the rules say of a plan, where they say something."""
    for finding in found["findings"] if found else ():
        _finding(console(), finding)


def problem(error: CliError) -> None:
    """What was refused, field by field, and what to do about it; to standard error."""
    out = console(error=True)
    # The message of invalid input is its problems in one line, and they follow.
    message = (
        "These values cannot be used." if error.code == "InvalidInput" and error.problems else str(error)
    )
    out.print(Text.assemble(("Refused: " if error.exit_code == 1 else "Error: ", "bold red"), plain(message)))
    if error.verdict and error.verdict.get("findings"):
        for finding in error.verdict["findings"]:
            _finding(out, finding)
    else:
        for field, why in error.problems.items():
            out.print(Text.assemble("  ", (plain(field), "bold"), f": {plain(why)}"))
    if error.fix:
        out.print(Text.assemble(("Fix: ", "bold"), plain(error.fix)))


def _finding(out: Console, finding: Mapping[str, Any]) -> None:
    """The rule, the field with its value, why, and how to put it right."""
    where = finding.get("address") or finding.get("field") or "request"
    has = f" = {readable(finding['value'])}" if finding.get("value") is not None else ""
    asked = " from a business unit admin" if finding.get("approver") == "bu_admin" else ""
    effect = (plain(finding["effect"]) + asked, STYLES.get(finding["effect"], ""))
    out.print(
        Text.assemble("  ", effect, "  ", (f"{plain(where)}{has}", "bold"), f": {plain(finding['message'])}")
    )
    hint = f"{plain(finding['hint'])} " if finding.get("hint") else ""
    out.print(
        Text(f"        {hint}[rule {plain(finding['rule'])} {finding.get('version', '')}]", style="dim")
    )
