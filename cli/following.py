"""Commands that look at requests and deployments, and wait for them."""

import time
from typing import Annotated, Any, Final

import typer

from cli import find, options, output
from cli.client import Client
from cli.errors import NoAnswer, Refused, RunFailed

PAUSE: Final = 1.0  # seconds between two looks
ANY: Final = 10_000
DECIDED_AGAINST: Final = {
    "rejected": "Change what the reason names, and ask again.",
    "cancelled": "Ask again if it is still wanted.",
    "expired": "Nobody decided in time. Ask again, and tell an approver.",
}
OVER: Final = {"succeeded", "failed", *DECIDED_AGAINST}


def list_requests(
    state: Annotated[str, typer.Option("--state", help="For example submitted, running, failed.")] = "",
    unit: Annotated[str, typer.Option("--unit", help="A business unit.")] = "",
    environment: Annotated[str, typer.Option("--env", help="dev, staging or prod.")] = "",
    item: Annotated[str, typer.Option("--item", help="An item of the catalog.")] = "",
    kind: Annotated[str, typer.Option("--kind", help="create, update or destroy.")] = "",
    search: Annotated[str, typer.Option("--search", help="A part of the name, or a number.")] = "",
    mine: Annotated[bool, typer.Option("--mine", help="Only what I asked for.")] = False,
    waiting: Annotated[bool, typer.Option("--waiting", help="Only what waits for my decision.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many.")] = 25,
    as_json: options.AsJson = False,
) -> None:
    """List requests, the newest first."""
    given = {
        "state": state,
        "business_unit": unit,
        "environment": environment,
        "item": item,
        "kind": kind,
        "search": search,
        "mine": "true" if mine else "",
        "waiting_for_me": "true" if waiting else "",
    }
    query = {name: value for name, value in given.items() if value}
    found = list(Client.from_environment().pages("requests/", limit, **query))
    if as_json:
        return output.print_json(found)
    if not found:
        return output.say(
            "There are no such requests." if query else "There are no requests that you can see."
        )
    titles = ("request", "kind", "item", "name", "unit", "env", "state", "a month", "by", "asked")
    return output.table(titles, map(_request_row, found))


def show(
    ref: options.Ref,
    history: Annotated[bool, typer.Option("--history", help="The audit trail as well.")] = False,
    as_json: options.AsJson = False,
) -> None:
    """Show one request: what, where, what it costs, who decided, and how far it is."""
    client = Client.from_environment()
    path = find.request_path(ref)
    request = client.get(path)
    if history:
        request["events"] = list(client.pages(f"{path}events/", ANY))
    if as_json:
        return output.print_json(request)
    show_request(request)
    _show_result(request)
    if request.get("events"):
        output.heading("Audit trail")
        output.table(("", "when", "who", "what", "note", "hash"), map(_event_row, request["events"]))
    return None


def wait(
    ref: options.Ref,
    timeout: Annotated[
        float | None, typer.Option("--timeout", min=0, metavar="SECONDS", help="Give up after so long.")
    ] = None,
    log: Annotated[bool, typer.Option("--log", help="Print the log meanwhile.")] = False,
    as_json: options.AsJson = False,
) -> None:
    """Wait until a request is over; the exit code says how: 0 done, 1 decided against, 2 not in time, 3 failed."""
    follow(Client.from_environment(), ref, timeout=timeout, log=log, as_json=as_json)


def show_log(
    ref: options.Ref,
    following: Annotated[bool, typer.Option("--follow", help="Go on until the request is over.")] = False,
    as_json: options.AsJson = False,
) -> None:
    """Print the log of the present run."""
    client, path = Client.from_environment(), find.request_path(ref)
    entries: list[dict[str, Any]] = []
    last = 0
    while True:
        page = client.get(f"{path}entries/", after=last)
        last = page["last"]
        entries += page["entries"] if as_json else []
        if not as_json:
            _print_entries(page["entries"])
        if not page["entries"]:
            if not following or page["state"] in OVER:
                break
            time.sleep(PAUSE)
    if as_json:
        output.print_json(entries)


def deployments(
    deployment: Annotated[str | None, typer.Argument(metavar="[DEPLOYMENT]", help="Show one.")] = None,
    state: Annotated[str, typer.Option("--state", help="new, ready, incomplete, destroyed, abandoned.")] = "",
    unit: Annotated[str, typer.Option("--unit", help="A business unit.")] = "",
    environment: Annotated[str, typer.Option("--env", help="dev, staging or prod.")] = "",
    item: Annotated[str, typer.Option("--item", help="An item of the catalog.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many.")] = 25,
    as_json: options.AsJson = False,
) -> None:
    """List what is there, or show one deployment with its outputs."""
    client = Client.from_environment()
    if deployment:
        found = find.deployment(client, deployment)
        return output.print_json(found) if as_json else _show_deployment(found)
    given = {"state": state, "business_unit": unit, "environment": environment, "item": item}
    query = {name: value for name, value in given.items() if value}
    listed = list(client.pages("deployments/", limit, **query))
    if as_json:
        return output.print_json(listed)
    if not listed:
        return output.say("There are no such deployments.")
    titles = ("id", "name", "item", "unit", "env", "region", "state", "a month", "owner", "until")
    return output.table(titles, map(_deployment_row, listed))


def follow(client: Client, ref: str, *, timeout: float | None, log: bool, as_json: bool) -> None:
    """Until the request is over. Raise what its end means."""
    path = find.request_path(ref)
    until = None if timeout is None else time.monotonic() + timeout
    told, last = "", 0
    while True:
        request = client.get(path)
        if log and not as_json:
            last = _print_log(client, path, last)
        told = _tell_progress(request, told, quiet=as_json)
        if request["state"] in OVER:
            break
        if until is not None and time.monotonic() >= until:
            message = f"{request['ref']} is not over after {timeout:g} seconds: it is {request['state']}."
            raise NoAnswer(message, code="Timeout", fix=f"It goes on: groundwork wait {request['ref']}")
        time.sleep(PAUSE)
    if as_json:
        output.print_json(request)
    else:
        _show_result(request)
    _raise_for(request)


def show_request(request: dict[str, Any]) -> None:
    changes = {
        name: f"{output.readable(value['from'])} → {output.readable(value['to'])}"
        for name, value in request["changes"].items()
    }
    output.facts(
        {
            "request": f"{request['ref']}  {request['kind']} {request['item']} {request['item_version']}",
            "state": output.styled(request["state"]),
            "name": request["name"],
            "where": f"{request['business_unit']}, {request['environment']}, {request['region']}",
            "asked by": f"{request['requester']}, {output.when(request['submitted_at'])}",
            "upgrade": f"{request['upgrade_from']} → {request['item_version']}"
            if request["upgrade_from"]
            else "",
            "lifetime": f"{request['ttl_days']} days" if request["ttl_days"] else "",
            "why": request["justification"],
            "decided by": _decision(request),
            "note": request["decision_note"],
            "phase": request.get("phase", ""),
            "you may": ", ".join(request.get("steps", [])),
        }
    )
    if changes or request["kind"] == "create":
        output.heading("Changes" if changes else "Parameters")
        shown = {name: output.readable(value) for name, value in request["parameters"].items()}
        output.facts(changes or shown)
    output.estimate(request["estimate"])
    output.difference(request["cost_before"], request["cost_difference"])
    output.verdict(request["verdict"])


def _decision(request: dict[str, Any]) -> str:
    if not request["decided_at"]:
        return ""
    who = "the rules of the item" if request["decided_automatically"] else request["decided_by"]
    who = "what was agreed when it was asked for" if request["on_expiry"] else who
    return f"{who}, {output.when(request['decided_at'])}"


def _show_result(request: dict[str, Any]) -> None:
    plan = request["plan"]
    if plan:
        output.heading(
            f"Plan: {plan['add']} to add, {plan['change']} to change, {plan['destroy']} to destroy"
        )
        for resource in plan.get("resources", []):
            output.say(f"  {' and '.join(resource['actions'])}  {resource['address']}")
        output.findings(plan.get("verdict"))


def _raise_for(request: dict[str, Any]) -> None:
    ref, state = request["ref"], request["state"]
    if state == "failed":
        fix = f"groundwork log {ref} shows what happened; groundwork retry {ref} tries again."
        raise RunFailed(f"{ref} failed: {request['failure']}", fix=fix)
    if state in DECIDED_AGAINST:
        note = f": {request['decision_note']}" if request["decision_note"] else ""
        raise Refused(f"{ref} is {state}{note}", code=state.capitalize(), fix=DECIDED_AGAINST[state])


def _tell_progress(request: dict[str, Any], told: str, *, quiet: bool) -> str:
    """Say it when something has changed."""
    now = f"{request['ref']} is {request['state']}" + (f" ({request['phase']})" if request["phase"] else "")
    if now != told and not quiet:
        output.say(now)
    return now


def _print_log(client: Client, path: str, last: int) -> int:
    while (page := client.get(f"{path}entries/", after=last))["entries"]:
        _print_entries(page["entries"])
        last = page["last"]
    return last


def _print_entries(entries: list[dict[str, Any]]) -> None:
    for entry in entries:
        style = {"error": "red", "warn": "yellow"}.get(entry["level"], "")
        line = f"{output.when(entry['at'])[11:]}  {entry['phase']:8} {output.plain(entry['text'])}"
        output.console().print(line, style=style, soft_wrap=True)


def _request_row(found: dict[str, Any]) -> list[Any]:
    return [
        found["ref"], found["kind"], found["item"], found["name"], found["business_unit"],
        found["environment"], output.styled(found["state"]), output.money(found["monthly_cost"]), found["requester"],
        output.when(found["submitted_at"])[:16],
    ]  # fmt: skip


def _event_row(event: dict[str, Any]) -> list[Any]:
    who, what = event["actor"], event["action"]
    return [event["sequence"], output.when(event["at"]), who, what, event["note"], event["hash"][:12]]


def _deployment_row(found: dict[str, Any]) -> list[Any]:
    return [
        found["id"][:8], found["name"], found["item"], found["business_unit"], found["environment"],
        found["region"], output.styled(found["state"]), output.money(found["monthly_cost"]), found["owner"],
        output.when(found["expires_at"])[:10],
    ]  # fmt: skip


def _newer(newer: dict[str, Any] | None) -> str:
    if not newer:
        return ""
    texts = " ".join(f"{change['version']}: {change['text']}" for change in newer["changes"])
    return f"{newer['version']}{' (major)' if newer['is_major'] else ''}  {texts}".strip()


def _show_deployment(found: dict[str, Any]) -> None:
    output.facts(
        {
            "deployment": f"{found['name']}  {found['item']} {found['item_version']}",
            "id": found["id"],
            "state": output.styled(found["state"]),
            "where": f"{found['business_unit']}, {found['environment']}, {found['region']}",
            "owner": found["owner"],
            "a month": output.money(found["monthly_cost"]),
            "until": output.when(found["expires_at"])[:16],
            "newer version": _newer(found["newer_version"]),
            "open request": f"REQ-{found['open_request']}" if found["open_request"] else "",
            "you may": ", ".join(found["changes"]),
        }
    )
    for title in ("parameters", "outputs"):
        if found[title]:
            output.heading(title.capitalize())
            output.facts({name: output.readable(value) for name, value in found[title].items()})
