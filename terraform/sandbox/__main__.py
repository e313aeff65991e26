"""python -m terraform.sandbox serve | list | set | remove | check"""

import argparse
import json
import sys
from pathlib import Path

from terraform.sandbox.compare import differences
from terraform.sandbox.schema import DEFAULT, load
from terraform.sandbox.server import serve
from terraform.sandbox.store import Store, find


def main() -> int:
    arguments = _parser().parse_args()
    if arguments.command == "serve":
        return _serve(arguments)
    if arguments.command == "check":
        return _check(arguments.schema, arguments.full)
    if arguments.command == "list":
        return _list(Store(arguments.store))
    return _drift(arguments)


def _serve(arguments: argparse.Namespace) -> int:
    serve(
        schema_path=arguments.schema,
        store_path=arguments.store,
        socket=arguments.socket,
        faults=arguments.faults,
        time_scale=arguments.time_scale,
        lax=arguments.lax,
        groups=arguments.group,
    )
    return 0


def _check(schema: Path, full: Path) -> int:
    problems = differences(load(schema), json.loads(full.read_text()))
    sys.stdout.write(("\n".join(problems) or "the compact schema agrees with the provider") + "\n")
    return 1 if problems else 0


def _list(store: Store) -> int:
    for resource_id, resource in sorted(store.read()["resources"].items()):
        sys.stdout.write(f"{resource['type']} {resource_id}\n")
    return 0


def _drift(arguments: argparse.Namespace) -> int:
    """Change or remove a resource behind Terraform's back."""
    with Store(arguments.store).edit() as document:
        key = find(document, arguments.id)
        if key is None:
            sys.stderr.write(f"there is no {arguments.id} in {arguments.store}\n")
            return 1
        if arguments.command == "remove":
            del document["resources"][key]
        else:
            document["resources"][key]["values"][arguments.attribute] = arguments.value
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m terraform.sandbox", description="A stand-in for azurerm."
    )
    parser.add_argument("--schema", type=Path, default=DEFAULT, help="compact schema (YAML)")
    commands = parser.add_subparsers(dest="command", required=True)

    run = commands.add_parser(
        "serve", help="run the provider; prints TF_REATTACH_PROVIDERS; ends with its input"
    )
    run.add_argument("--store", type=Path, required=True)
    run.add_argument("--socket", type=Path, required=True)
    run.add_argument("--faults", default="", help="failures to pretend: a JSON list, or a file with one")
    run.add_argument("--time-scale", type=float, default=0.0, help="1: as slow as Azure, 0: at once")
    run.add_argument("--lax", action="store_true", help="do not require parents to exist")
    run.add_argument(
        "--group",
        nargs=2,
        action="append",
        default=[],
        metavar=("NAME", "LOCATION"),
        help="exists before the run",
    )

    commands.add_parser("check", help="compare with the provider's full schema").add_argument(
        "full", type=Path
    )

    show = commands.add_parser("list", help="show the resources")
    change = commands.add_parser("set", help="drift: change an attribute")
    remove = commands.add_parser("remove", help="drift: remove a resource")
    for command in (show, change, remove):
        command.add_argument("--store", type=Path, required=True)
    for command in (change, remove):
        command.add_argument("id")
    change.add_argument("attribute")
    change.add_argument("value", type=json.loads, help="in JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
