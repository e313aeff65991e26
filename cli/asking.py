"""Commands that look at the catalog and ask for something."""

import uuid
from typing import Annotated, Any

import typer

from cli import find, options, output, values
from cli.client import Client
from cli.errors import Refused
from cli.following import ANY, follow, show_request


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
    days: options.Days = None,
    why: options.Why = "",
    wait: options.Wait = False,
    check: options.Check = False,
    key: options.Key = "",
    as_json: options.AsJson = False,
) -> None:
    """Ask for something new."""
    client = Client.from_environment()
    found = client.get(f"items/{_slug(item)}/")
    if not as_json and not check:
        _tell_lifecycle(found)
    body = {
        "kind": "create",
        "item": item,
        "name": name,
        "business_unit": unit,
        "environment": environment,
        "region": region,
        "parameters": values.read_parameters(found["schema"], parameter or [], file),
        "justification": why,
    }
    _ask(client, body, usage, days, key=key, check=check, wait=wait, as_json=as_json)


def change(
    deployment: options.DeploymentName,
    parameter: options.Parameters = None,
    file: options.File = None,
    usage: options.Usage = None,
    allow_replace: Annotated[
        bool,
        typer.Option("--allow-replace", help="Resources may be removed and made anew; their data is lost."),
    ] = False,
    upgrade: Annotated[bool, typer.Option("--upgrade", help="Take the newest version of the item.")] = False,
    days: options.Days = None,
    why: options.Why = "",
    wait: options.Wait = False,
    check: options.Check = False,
    key: options.Key = "",
    as_json: options.AsJson = False,
) -> None:
    """Ask for a change of what is there."""
    client = Client.from_environment()
    found = find.deployment(client, deployment)
    newest = found["newer_version"] if upgrade else None
    schema = newest["schema"] if newest else found["schema"]
    body = {
        "kind": "update",
        "deployment": found["id"],
        "parameters": values.read_parameters(schema, parameter or [], file),
        "allow_replace": allow_replace,
        "upgrade": upgrade,
        "justification": why,
    }
    _ask(client, body, usage, days, key=key, check=check, wait=wait, as_json=as_json)


def extend(
    deployment: options.DeploymentName,
    days: Annotated[
        int | None, typer.Option("--days", metavar="DAYS", help="From today; else as many as usual.")
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Keep a deployment longer than was agreed."""
    client = Client.from_environment()
    found = find.deployment(client, deployment)
    body = {} if days is None else {"ttl_days": days}
    extended = client.post(f"deployments/{found['id']}/extend/", body)
    if as_json:
        return output.print_json(extended)
    return output.say(f"{extended['name']} stays until {output.when(extended['expires_at'])[:10]}.")


def destroy(
    deployment: options.DeploymentName,
    why: options.Why = "",
    wait: options.Wait = False,
    check: options.Check = False,
    key: options.Key = "",
    as_json: options.AsJson = False,
) -> None:
    """Ask for the removal of a deployment and everything in it."""
    client = Client.from_environment()
    found = find.deployment(client, deployment)
    body = {"kind": "destroy", "deployment": found["id"], "justification": why}
    _ask(client, body, None, None, key=key, check=check, wait=wait, as_json=as_json)


def _ask(
    client: Client,
    body: dict[str, Any],
    usage: list[str] | None,
    days: int | None,
    *,
    key: str,
    check: bool,
    wait: bool,
    as_json: bool,
) -> None:
    if usage:
        body["usage"] = values.read_usage(usage)
    if days is not None:
        body["ttl_days"] = days
    if check:
        return _show_check(client.post("requests/check/", body), as_json=as_json)
    request = client.ask("requests/", body, key or str(uuid.uuid4()))
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
        for warning in found["warnings"].values():
            output.say(f"Note: {warning}")
        output.estimate(found["estimate"])
        if found["cost"]:
            output.difference(found["cost"]["before"], found["cost"]["difference"])
        output.budget(found["budget"])
        output.verdict(found["verdict"])
    if found["problems"]:
        raise Refused("It would be refused.", code="InvalidInput", problems=found["problems"])
    if found["verdict"] and found["verdict"]["outcome"] == "deny":
        raise Refused("Policy would refuse it.", code="PolicyRefused", fix="Change the values named above.")
    budget = found["budget"]
    if budget and budget["exceeded"] and budget["action"] == "block":
        why = budget["message"]
        raise Refused("The budget would refuse it.", code="BudgetExceeded", problems={"business_unit": why})
    if not as_json:
        decides = (
            "nobody has to decide" if found["automatic"] else "decided by " + " or ".join(found["approvers"])
        )
        output.say(
            f"\nIt can be asked for; {decides if found['automatic'] or found['approvers'] else NOBODY}."
        )


NOBODY = "there is nobody yet who could approve it"


def _tell_lifecycle(item: dict[str, Any]) -> None:
    if item["lifecycle"] == "deprecated":
        instead = f" Use {item['replaced_by']} for new work." if item["replaced_by"] else ""
        output.say(f"Note: {item['title']} is retiring.{instead}")


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
            "lifecycle": "" if item["lifecycle"] == "ga" else item["lifecycle"],
            "replaced by": item["replaced_by"],
            "environments": ", ".join(item["environments"]),
            "regions": ", ".join(item["regions"]),
            "lifetime": ", ".join(map(_ttl, item["ttl"].items())),
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


def _ttl(limit: tuple[str, dict[str, int]]) -> str:
    environment, days = limit
    return f"{environment} {days['default_days']} days (at most {days['max_days']})"


def _field_row(field: dict[str, Any]) -> list[Any]:
    default = "required" if field["required"] else output.readable(field["default"])
    choices = field["schema"].get("enum") or []
    return [field["name"], default, ", ".join(map(output.readable, choices)), field["help"]]
