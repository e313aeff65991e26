"""
How many requests are validated in a second, and how that grows: python benchmarks/validation.py

Prints validations per second for each item of the catalog, by the number of fields of an item, and by the number of
items in use; then the shape of a form, and a question to Terraform. All but the last are seconds of computing of this
process, so that what else the machine does hardly matters. It needs no database.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
os.environ.setdefault("GROUNDWORK_DATA_DIR", tempfile.mkdtemp(prefix="groundwork-benchmark-"))
os.environ.setdefault("GROUNDWORK_LOG_LEVEL", "ERROR")

import django

django.setup()

from django.conf import settings  # noqa: E402

from catalog_app import services  # noqa: E402
from catalog_app.manifest import Manifest  # noqa: E402
from catalog_app.models import Item, ItemVersion  # noqa: E402
from catalog_app.modules import Source, read_folder  # noqa: E402
from catalog_app.variables.module import read_module  # noqa: E402
from portal.adapters.embedded.probe import LocalProbe  # noqa: E402
from portal.errors import InvalidInput  # noqa: E402

SECONDS = 1.0  # for each figure
FIELDS = (5, 20, 80, 320)
ITEMS = (10, 100, 250, 400)
PLACE: dict[str, Any] = {"environment": "dev", "region": "northeurope"}
NETWORK = "/subscriptions/0/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet"
NEEDED = {
    "name": "shop",
    "address_space": ["10.20.0.0/22"],
    "subnet_id": f"{NETWORK}/subnets/a",
    "ssh_public_key": f"ssh-rsa {'A' * 372}",
}


def main() -> None:
    sources = read_folder(Path(settings.CATALOG_FOLDER))
    by_name = {source.manifest.name: version_of(source, 0) for source in sources}
    say(f"{'validations of':36} {'fields':>6} {'a second':>9}")
    for name, version in by_name.items():
        check = partial(services.validate, version, given_for(version), **PLACE)
        tell(name, len(version.parsed.asked), check)
    server = by_name["postgresql"]
    bad = {"name": "No Good", "sku": "Huge", "storage_gb": "x", "databases": ["A", 1]}
    tell("postgresql, with 5 mistakes", 8, partial(refuse, server, bad))
    tell("postgresql, the shape of its form", 8, partial(services.shape, server, bad, **PLACE))
    for count in FIELDS:
        tell("an item with so many fields", count, partial(services.validate, *wide(count)))
    say(f"\n{'validations of':36} {'items':>6} {'a second':>9}")
    for count in ITEMS:
        versions = [version_of(sources[number % len(sources)], number) for number in range(count)]
        tell("one item after the other", count, in_turn(versions))
    ask_terraform()


def tell(what: str, count: int, step: Callable[[], Any]) -> None:
    say(f"{what:36} {count:>6} {rate(step):>9,.0f}")


def version_of(source: Source, number: int) -> ItemVersion:
    return ItemVersion(
        item=Item(slug=source.manifest.name),
        version=source.manifest.version,
        digest=f"{source.digest}{number}",
        manifest=source.data,
        schema=source.schema,
        server_checks=source.server_checks,
    )


def given_for(version: ItemVersion) -> dict[str, Any]:
    """What is needed, and the defaults of the rest."""
    asked = services.asked_schema(version)["properties"]
    return {name: NEEDED.get(name, schema.get("default")) for name, schema in asked.items()}


def wide(count: int) -> tuple[ItemVersion, dict[str, Any]]:
    """An item with so many fields; every fifth is shown for one value of another, and every seventh has choices."""
    rule = 'validation {\n condition = contains(["a", "b"], var.f%d)\n error_message = "x"\n }'
    text = "\n".join(
        f'variable "f{number}" {{\n type = string\n default = "a"\n {rule % number}\n}}'
        for number in range(count)
    )
    fields: dict[str, dict[str, Any]] = {
        f"f{number}": {"show_if": "params.f0 == 'a'"} for number in range(5, count, 5)
    }
    for number in range(7, count, 7):
        fields.setdefault(f"f{number}", {})["choices_if"] = {"b": "params.f0 == 'a'"}
    example = read_folder(Path(settings.CATALOG_FOLDER))[0].data
    data = {
        **example,
        "form": {
            "sections": [{"title": "All", "fields": [f"f{number}" for number in range(count)]}],
            "fields": fields,
            "inject": {},
        },
    }
    Manifest.model_validate(data)
    version = ItemVersion(
        digest=f"wide{count}", manifest=data, schema=read_module({"v.tf": text}, "wide").schema
    )
    return version, {f"f{number}": "a" for number in range(count)}


def in_turn(versions: list[ItemVersion]) -> Callable[[], Any]:
    given = {version.digest: given_for(version) for version in versions}
    number = 0

    def step() -> None:
        nonlocal number
        version = versions[number % len(versions)]
        number += 1
        services.validate(version, given[version.digest], **PLACE)

    return step


def refuse(version: ItemVersion, given: dict[str, Any]) -> None:
    try:
        services.validate(version, given, **PLACE)
    except InvalidInput:
        return
    raise AssertionError("this should be refused")


def ask_terraform() -> None:
    """New questions, and one that was asked before; in ms as they pass for whoever waits."""
    rule = 'validation {\n condition = var.few <= var.many\n error_message = "x"\n }'
    blocks = {
        "few": f'variable "few" {{\n type = number\n {rule}\n}}',
        "many": 'variable "many" {\n type = number\n}',
    }
    with tempfile.TemporaryDirectory() as folder:
        probe = LocalProbe("embedded", folder)
        times = []
        for number in range(8):
            started = time.perf_counter()
            probe.problems(blocks, {"few": number, "many": 5})
            times.append((time.perf_counter() - started) * 1000)
        again = rate(lambda: probe.problems(blocks, {"few": 1, "many": 5}))
    say(
        f"a new question to Terraform: {sorted(times)[len(times) // 2]:.0f} ms; asked before: {again:,.0f} a second"
    )


def rate(step: Callable[[], Any]) -> float:
    """Times a second of computing, after a first time that fills what is kept."""
    step()
    count, started = 0, time.process_time()
    while time.process_time() - started < SECONDS:
        step()
        count += 1
    return count / (time.process_time() - started)


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
