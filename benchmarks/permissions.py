"""
What permissions cost: python benchmarks/permissions.py [--requests 100000] [--units 300] [--people 3000]

Fills a database of its own (SQLite in a temporary folder, or GROUNDWORK_DATABASE_URL, which must be empty) and asks for
the 50 newest requests, as the rows alone and through the API, for people with few and with many business units.
"""

import argparse
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
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
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from django.utils.timezone import now  # noqa: E402

from catalog_app.models import Item, ItemVersion  # noqa: E402
from portal.identity import tokens  # noqa: E402
from portal.identity.models import BusinessUnit, Environment, Membership, User  # noqa: E402
from portal.identity.roles import Role  # noqa: E402
from requests_app.models import Deployment, ServiceRequest  # noqa: E402
from requests_app.states import DeploymentState, State  # noqa: E402

BATCH = 5000
REPEATS = 15
PAGE = 50


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--units", type=int, default=300)
    parser.add_argument("--people", type=int, default=3000)
    wanted = parser.parse_args()
    if "127.0.0.1" not in settings.ALLOWED_HOSTS:
        sys.exit("This is for a machine of your own.")
    call_command("migrate", verbosity=0, interactive=False)
    call_command("createcachetable", verbosity=0)
    started = time.monotonic()
    fill(wanted.units, wanted.people, wanted.requests)
    say(
        f"{wanted.units} business units, {wanted.people} people, {Membership.objects.count()} memberships, "
        f"{wanted.requests} requests, made in {time.monotonic() - started:.0f} s, {connection.vendor}\n"
    )
    say(f"{'who':24} {'sees':>7} {'what':16} {'queries':>7} {'median ms':>10} {'slowest ms':>11}")
    for name in ("typical", "auditor", "operator", "stranger"):
        for line in lines_of(User.objects.get(username=name)):
            say(line)


def lines_of(user: User) -> Iterator[str]:
    def visible() -> Any:
        return ServiceRequest.objects.visible_to(_fresh(user))

    _, plain = tokens.issue(user, "benchmark")
    api = Client(headers={"host": "127.0.0.1", "authorization": f"Bearer {plain}"})
    whats: dict[str, Callable[[], Any]] = {
        f"{PAGE} newest": lambda: list(visible().order_by("-submitted_at", "-pk")[:PAGE]),
        f"{PAGE} waiting": lambda: list(
            visible().filter(state=State.SUBMITTED).order_by("-submitted_at", "-pk")[:PAGE]
        ),
        "count": lambda: visible().count(),
        "one by its id": lambda: visible().filter(pk=1).first(),
        f"API, {PAGE} newest": lambda: api.get(f"/api/v1/requests/?limit={PAGE}").json()["results"],
    }
    sees = visible().count()
    for what, ask in whats.items():
        yield f"{user.username:24} {sees:>7} {what:16} {measured(ask)}"


def measured(ask: Callable[[], Any]) -> str:
    ask()  # what only the first call pays for
    with CaptureQueriesContext(connection) as queries:
        ask()
    asked = len(queries)  # now: the next request empties the log
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        ask()
        times.append((time.perf_counter() - started) * 1000)
    return f"{asked:>7} {statistics.median(times):>10.1f} {max(times):>11.1f}"


def _fresh(user: User) -> User:
    """As a request gets it: with nothing looked up yet. Read here, so that only the list is measured."""
    return User(pk=user.pk, is_staff=user.is_staff, auth_source=user.auth_source)


def fill(units: int, people: int, requests: int) -> None:
    choose = random.Random(1)
    made = BusinessUnit.objects.bulk_create(
        BusinessUnit(slug=f"unit-{n}", name=f"Unit {n}", cost_center=f"CC-{n}") for n in range(units)
    )
    users = User.objects.bulk_create(User(username=f"user-{n}") for n in range(people))
    auditor, typical, operator, _ = User.objects.bulk_create(
        User(username=name, is_staff=name == "operator")
        for name in ("auditor", "typical", "operator", "stranger")
    )
    rows = [Membership(user=auditor, business_unit=unit, role=Role.AUDITOR) for unit in made]
    rows += [Membership(user=typical, business_unit=unit, role=Role.REQUESTER) for unit in made[:3]]
    for user in users:
        for unit in choose.sample(made, min(3, units)):
            roles = choose.sample(Role.values, choose.choice((1, 1, 2)))
            rows += [Membership(user=user, business_unit=unit, role=role) for role in roles]
    for row in choose.sample(rows, len(rows) // 10):
        row.expires_at = now() + timedelta(days=30)
    Membership.objects.bulk_create(rows, batch_size=BATCH)
    version = _version()
    for first in range(0, requests, BATCH):
        numbers = range(first, min(first + BATCH, requests))
        deployments = [_deployment(number, version, choose.choice(made), typical) for number in numbers]
        Deployment.objects.bulk_create(deployments)
        ServiceRequest.objects.bulk_create(_request(each, choose, users) for each in deployments)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _version() -> ItemVersion:
    for command in ("sync_prices", "sync_catalog"):
        with open(os.devnull, "w") as nowhere:
            call_command(command, stdout=nowhere)
    version = Item.objects.get(slug="storage-account").current
    assert version
    return version


def _deployment(number: int, version: ItemVersion, unit: BusinessUnit, owner: User) -> Deployment:
    return Deployment(
        name=f"app-{number}", item=version.item, item_version=version, business_unit=unit, owner=owner,
        environment=Environment.DEV, region="northeurope", state=DeploymentState.READY,
    )  # fmt: skip


def _request(deployment: Deployment, choose: random.Random, users: list[User]) -> ServiceRequest:
    at = now() - timedelta(seconds=choose.randrange(30_000_000))
    return ServiceRequest(
        kind="create", deployment=deployment, item_version=deployment.item_version,
        requester=choose.choice(users), business_unit=deployment.business_unit,
        environment=deployment.environment, region=deployment.region,
        estimate={"monthly": 10, "currency": "USD", "complete": True, "lines": [], "missing": []},
        verdict={"outcome": "allow", "findings": [], "passed": []},
        # One in two hundred waits for a decision, as in a portal that is looked after.
        state=State.SUBMITTED if choose.random() < 0.005 else State.SUCCEEDED,
        submitted_at=at, decide_before=at + timedelta(days=14),
    )  # fmt: skip


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
