"""Commands that take a step of a request."""

from typing import Annotated, Any

import typer

from cli import find, options, output
from cli.client import Client


def approve(
    ref: options.Ref,
    note: Annotated[str, typer.Option("--note", help="For the requester and the audit trail.")] = "",
    version: options.Seen = None,
    as_json: options.AsJson = False,
) -> None:
    """Approve a request of somebody else."""
    _take_step("approve", ref, {"note": note}, version, as_json=as_json)


def reject(
    ref: options.Ref,
    reason: Annotated[str, typer.Option("--reason", help="What the requester should change.")],
    version: options.Seen = None,
    as_json: options.AsJson = False,
) -> None:
    """Reject a request of somebody else."""
    _take_step("reject", ref, {"reason": reason}, version, as_json=as_json)


def cancel(ref: options.Ref, version: options.Seen = None, as_json: options.AsJson = False) -> None:
    """Take a request back before it runs."""
    _take_step("cancel", ref, {}, version, as_json=as_json)


def retry(ref: options.Ref, version: options.Seen = None, as_json: options.AsJson = False) -> None:
    """Run a failed request again."""
    _take_step("retry", ref, {}, version, as_json=as_json)


def stop(ref: options.Ref, version: options.Seen = None, as_json: options.AsJson = False) -> None:
    """Ask a run to end. What it has made so far is kept."""
    _take_step("stop", ref, {}, version, as_json=as_json)


def whoami(as_json: options.AsJson = False) -> None:
    """Show whose token this is, and the roles."""
    me = Client.from_environment().get("me/")
    if as_json:
        return output.print_json(me)
    units = {unit["slug"]: ", ".join(unit["roles"]) for unit in me["business_units"]}
    operator = "yes" if me["is_operator"] else ""
    return output.facts({"user": me["username"], "name": me["name"], "operator": operator, **units})


def _take_step(step: str, ref: str, body: dict[str, Any], version: int | None, *, as_json: bool) -> None:
    client, path = Client.from_environment(), find.request_path(ref)
    seen = client.get(path)["version"] if version is None else version
    request = client.post(f"{path}{step}/", body, seen=seen)
    if as_json:
        return output.print_json(request)
    return output.say(f"{request['ref']} is {request['state']} now.")
