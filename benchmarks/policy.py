"""
How many requests the rules judge in a second, and how that grows: python benchmarks/policy.py [--requests 10000]

Prints the decisions per second with 10 to 400 rules, of a plan by its resources, the time that a step of effort.py
really takes, and the time of `policy replay` over so many requests in a database of its own (SQLite in a temporary
folder, or GROUNDWORK_DATABASE_URL, which must be empty). All are seconds of computing of this process, so that what
else the machine does hardly matters; the last line has both.
"""

import argparse
import copy
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
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
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils.timezone import now  # noqa: E402

from catalog_app.effort import most_steps  # noqa: E402
from catalog_app.expressions import Context, compiled  # noqa: E402
from catalog_app.models import Item  # noqa: E402
from catalog_app.policy import active_rules, decide  # noqa: E402
from catalog_app.rules import RuleSet  # noqa: E402
from portal.identity.models import BusinessUnit, User  # noqa: E402
from requests_app import services  # noqa: E402
from requests_app.models import Deployment, ServiceRequest  # noqa: E402
from requests_app.states import State  # noqa: E402

SECONDS = 1.0  # for each figure
BATCH = 1000
SKUS = ["B_Standard_B1ms", "B_Standard_B2s", "GP_Standard_D2ds_v5", "GP_Standard_D4ds_v5"]
ROOTS = frozenset({"request", "data"})
STEPS = [
    "request.params.sku == 'x' && request.region != 'y' && request.kind in ['create', 'update']",
    "request.big.all(x, x != 'nothing')",
    "request.big.exists(x, x.startsWith('z'))",
    "request.big.map(x, x).size() > 1",
    "request.name.matches('^[a-z][a-z0-9-]{1,30}$')",
    "request.few.all(x, request.few.exists(y, x == y))",
]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=10_000)
    wanted = parser.parse_args().requests
    if "127.0.0.1" not in settings.ALLOWED_HOSTS:
        sys.exit("This is for a machine of your own.")
    facts = prepare()
    decisions(facts)
    plans(facts)
    steps()
    replay(facts, wanted)


def prepare() -> dict[str, Any]:
    """The facts of a real request."""
    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    with open(os.devnull, "w") as nowhere:
        for command in ("sync_prices", "sync_catalog", "seed_demo"):
            call_command(command, stdout=nowhere)
    proposal = services.preview(
        requester=User.objects.get(username="anna"), item="postgresql", business_unit="payments", environment="staging",
        region="northeurope", name="orders", parameters={"sku": "B_Standard_B2s"},
    )  # fmt: skip
    if proposal.problems:
        sys.exit(f"The request of the benchmark cannot be made: {proposal.problems}")
    return proposal.facts


def decisions(facts: dict[str, Any]) -> None:
    own = active_rules()
    say(f"{'rules':>6} {'decisions a second':>19} {'of a second each (us)':>22}")
    for number in (10, len(own.of("request")), 50, 100, 200, 400):
        rules = of_size(own, number)
        each = timed(partial(decide, "request", facts, rules=rules))
        context = rules.context()
        again = timed(partial(decide, "request", facts, rules=rules, context=context))
        say(
            f"{number:>6} {1 / each:>19,.0f} {each * 1e6:>22,.0f}   with the tables read once: {1 / again:,.0f}"
        )


def of_size(rules: RuleSet, number: int) -> RuleSet:
    """So many rules about requests: the real ones, again and again."""
    real = rules.of("request")
    return replace(rules, rules=tuple(real[index % len(real)] for index in range(number)))


def plans(facts: dict[str, Any]) -> None:
    after = {
        "location": "northeurope",
        "tags": facts["tags"],
        **{f"argument_{n}": f"value {n}" for n in range(40)},
    }
    resource = {
        "address": "a.b",
        "type": "azurerm_subnet",
        "change": {"actions": ["create"], "before": None, "after": after},
    }
    say(f"\n{'resources':>10} {'milliseconds for a plan':>24}")
    for number in (1, 10, 100, 300):
        planned = [copy.deepcopy(resource) for _ in range(number)]
        say(f"{number:>10} {timed(partial(decide, 'plan', facts, planned)) * 1e3:>24.1f}")


def steps() -> None:
    values = {
        "params": {"sku": "a"}, "region": "b", "kind": "create", "name": "orders",
        "big": [f"text {number}" for number in range(400)], "few": [f"text {number}" for number in range(40)],
    }  # fmt: skip
    context = Context.of(request=values, data={})
    say(f"\n{'nanoseconds for a step, at most 50':>36}   expression")
    for text in STEPS:
        expression = compiled(text, ROOTS)
        counted = most_steps(expression.node, context.sizes)
        taken = timed(partial(expression.program.execute, context.cel))
        say(f"{taken / counted * 1e9:>36.1f}   {text}")


def replay(facts: dict[str, Any], wanted: int) -> None:
    fill(facts, wanted)
    folder = Path(tempfile.mkdtemp(prefix="groundwork-draft-"))
    for path in Path(settings.POLICY_FOLDER).glob("*.yaml"):
        text = path.read_text().replace(
            "monthly_limit: {dev: 200, staging: 200", "monthly_limit: {dev: 20, staging: 20"
        )
        (folder / path.name).write_text(text)
    rules = len(active_rules().of("request"))
    say(f"\npolicy replay over {wanted} requests, {rules} rules each way, {connection.vendor}:")
    began, computed = time.monotonic(), time.process_time()
    call_command("policy", "replay", str(folder), "--newest", str(wanted), "--show", "0", stdout=sys.stdout)
    say(f"{time.process_time() - computed:.1f} s of computing, {time.monotonic() - began:.1f} s by the clock")


def fill(facts: dict[str, Any], wanted: int) -> None:
    unit, anna = BusinessUnit.objects.get(slug="payments"), User.objects.get(username="anna")
    item = Item.objects.get(slug="postgresql")
    version = item.current
    assert version
    where = {"business_unit": unit, "environment": "staging", "region": "northeurope"}
    for first in range(0, wanted, BATCH):
        numbers = range(first, min(first + BATCH, wanted))
        deployments = Deployment.objects.bulk_create(
            Deployment(name=f"app-{number}", item=item, item_version=version, owner=anna, **where)
            for number in numbers
        )
        ServiceRequest.objects.bulk_create(
            ServiceRequest(
                kind="create", deployment=deployment, item_version=version, requester=anna, state=State.SUCCEEDED,
                facts=asked(facts, number), submitted_at=now(), decide_before=now(), **where,
            )
            for number, deployment in zip(numbers, deployments, strict=True)
        )  # fmt: skip


def asked(facts: dict[str, Any], number: int) -> dict[str, Any]:
    """Requests are not all the same."""
    monthly = float(number % 500)
    return {
        **facts,
        "name": f"app-{number}",
        "environment": ("dev", "staging", "prod")[number % 3],
        "params": {**facts["params"], "sku": SKUS[number % 4]},
        "estimate": {"monthly": monthly, "extra": monthly, "complete": number % 7 != 0},
    }


def timed(work: Callable[[], Any]) -> float:
    """Seconds of computing for one, of as many as there is time for."""
    work()
    number, began, computed = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - began < SECONDS:
        work()
        number += 1
    return (time.process_time() - computed) / number


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
