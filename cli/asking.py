"""Commands that look at the catalog and ask for something."""

from typing import Annotated, Any

import typer

from cli import find, options, output, values
from cli.client import Client
from cli.errors import Refused
from cli.following import follow, show_request

ANY = 10_000


def catalog(
    item: Annotated[str | None, typer.Argument(metavar="[ITEM]", help="Show one item.")] = None,
    search: Annotated[str, typer.Option("--search", help="Only items with this text.")] = "",
    as_json: options.AsJson = False,
) -> None:
    """Show what can be asked for, or what one item takes."""
    client = Client.from_environment()
    if item:
        detail = client.get(f"items/{_slug(item)}/")
        return output.print_json(detail) if as_json else _show_item(detail)
    items = list(client.pages("items/", ANY, **({"search": search} if search else {})))
    if as_json:
        return output.print_json(items)
    if not items:
        return output.say("Nothing in the catalog matches.")
    return output.table(("item", "title", "", "what it is"), map(_item_row, items))


def submit(
    item: Annotated[str, typer.Argument(metavar="ITEM", help="An item of the catalog.")],
    unit: Annotated[str, typer.Option("--unit", help="The business unit that asks.")],
    environment: Annotated[str, typer.Option("--env", help="dev, staging or prod.")],
    region: Annotated[str, typer.Option("--region", help="An Azure region of the item.")],
    name: Annotated[str, typer.Option("--name", help="Short name of the workload.")],
    parameter: options.Parameters = None,
    file: options.File = None,
    usage: options.Usage = None,
    why: options.Why = "",
    wait: options.Wait = False,
    check: options.Check = False,
    as_json: options.AsJson = False,
) -> None:
    """Ask for something new."""
    client = Client.from_environment()
    schema = client.get(f"items/{_slug(item)}/")["schema"]
    body = {
        "kind": "create",
        "item": item,
        "name": name,
        "business_unit": unit,
        "environment": environment,
        "region": region,
        "parameters": values.read_parameters(schema, parameter or [], file),
        "justification": why,
    }
    _ask(client, body, usage, check=check, wait=wait, as_json=as_json)


def change(
    deployment: options.DeploymentName,
    parameter: options.Parameters = None,
    file: options.File = None,
    usage: options.Usage = None,
    allow_replace: Annotated[
        bool,
        typer.Option("--allow-replace", help="Resources may be removed and made anew; their data is lost."),
    ] = False,
    why: options.Why = "",
    wait: options.Wait = False,
    check: options.Check = False,
    as_json: options.AsJson = False,
) -> None:
    """Ask for a change of what is there."""
    client = Client.from_environment()
    found = find.deployment(client, deployment)
    schema = client.get(f"items/{found['item']}/")["schema"]
    body = {
        "kind": "update",
        "deployment": found["id"],
        "parameters": values.read_parameters(schema, parameter or [], file),
        "allow_replace": allow_replace,
        "justification": why,
    }
    _ask(client, body, usage, check=check, wait=wait, as_json=as_json)


def destroy(
    deployment: options.DeploymentName,
    why: options.Why = "",
    wait: options.Wait = False,
    check: options.Check = False,
    as_json: options.AsJson = False,
) -> None:
    """Ask for the removal of a deployment and everything in it."""
    client = Client.from_environment()
    found = find.deployment(client, deployment)
    body = {"kind": "destroy", "deployment": found["id"], "justification": why}
    _ask(client, body, None, check=check, wait=wait, as_json=as_json)


def _ask(
    client: Client, body: dict[str, Any], usage: list[str] | None, *, check: bool, wait: bool, as_json: bool
) -> None:
    if usage:
        body["usage"] = values.read_usage(usage)
    if check:
        return _show_check(client.post("requests/check/", body), as_json=as_json)
    request = client.post("requests/", body)
    if not as_json:
        output.say(f"{request['ref']} is asked for: {request['web_url']}")
        show_request(request)
    if wait:
        return follow(client, request["ref"], timeout=None, log=False, as_json=as_json)
    if as_json:
        output.print_json(request)
    return None


def _show_check(found: dict[str, Any], *, as_json: bool) -> None:
    """Exit as the request itself would."""
    if as_json:
        output.print_json(found)
    else:
        output.estimate(found["estimate"])
        output.verdict(found["verdict"])
    if found["problems"]:
        raise Refused("It would be refused.", code="InvalidInput", problems=found["problems"])
    if found["verdict"] and found["verdict"]["outcome"] == "deny":
        raise Refused("Policy would refuse it.", code="PolicyRefused", fix="Change the values named above.")
    if not as_json:
        decides = (
            "nobody has to decide" if found["automatic"] else "decided by " + " or ".join(found["approvers"])
        )
        output.say(
            f"\nIt can be asked for; {decides if found['automatic'] or found['approvers'] else NOBODY}."
        )


NOBODY = "there is nobody yet who could approve it"


def _slug(item: str) -> str:
    if not item.replace("-", "").isalnum() or not item.isascii():
        fix = "`groundwork catalog` lists the items."
        raise Refused(f"“{item}” is no item.", code="InvalidInput", fix=fix)
    return item


def _item_row(item: dict[str, Any]) -> list[Any]:
    return [
        item["slug"],
        item["title"],
        "" if item["lifecycle"] == "ga" else item["lifecycle"],
        item["summary"],
    ]


def _show_item(item: dict[str, Any]) -> None:
    output.facts(
        {
            "item": f"{item['slug']} {item['version']}",
            "title": item["title"],
            "about": item["summary"],
            "environments": ", ".join(item["environments"]),
            "regions": ", ".join(item["regions"]),
        }
    )
    for section in item["sections"]:
        output.heading(section["title"])
        output.table(("parameter", "default", "choices", "what it is"), map(_field_row, section["fields"]))
    if item["usage"]:
        output.heading("Usage, for the estimate")
        output.table(
            ("name", "default", "what it is"), ([u["id"], u["default"], u["label"]] for u in item["usage"])
        )


def _field_row(field: dict[str, Any]) -> list[Any]:
    default = "required" if field["required"] else output.readable(field["default"])
    choices = field["schema"].get("enum") or []
    return [field["name"], default, ", ".join(map(output.readable, choices)), field["help"]]
