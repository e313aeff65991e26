"""
Server time of the lists with 100,000 requests: python benchmarks/pages.py [--requests 100000]

Fills a database of its own (SQLite in a temporary folder, or GROUNDWORK_DATABASE_URL, which must be empty) and asks
for each page in this process, so the numbers hold the queries and the rendering, and no network.
"""

import argparse
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
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

from catalog_app.models import Item  # noqa: E402
from portal.identity.models import BusinessUnit, Environment, User  # noqa: E402
from portal.models import Event  # noqa: E402
from requests_app.models import Deployment, ServiceRequest  # noqa: E402
from requests_app.states import DeploymentState, State  # noqa: E402

BATCH = 5000
REPEATS = 15
PAGES = [
    ("anna", "/"),
    ("anna", "/requests/"),
    ("anna", "/requests/?state=submitted"),
    ("anna", "/requests/?page=2"),
    ("bert", "/approvals/"),
    ("anna", "/resources/"),
    ("dora", "/audit/"),
    ("olga", "/requests/"),
    ("olga", "/audit/"),
    ("anna", "/catalog/postgresql/request/"),
    ("anna", "/api/v1/requests/"),
    ("olga", "/api/v1/requests/"),
    ("anna", "/api/v1/deployments/"),
]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=100_000)
    wanted = parser.parse_args().requests
    if "127.0.0.1" not in settings.ALLOWED_HOSTS:
        sys.exit("This is for a machine of your own.")
    prepare()
    started = time.monotonic()
    fill(wanted)
    own = ServiceRequest.objects.visible_to(User.objects.get(username="anna")).latest("submitted_at")
    pages = [*PAGES, ("anna", own.get_absolute_url())]
    say(f"{wanted} requests made in {time.monotonic() - started:.0f} s, {connection.vendor}\n")
    say(f"{'who':6} {'page':34} {'queries':>7} {'median ms':>10} {'slowest ms':>11}")
    for who, path in pages:
        say(measure(who, path))


def prepare() -> None:
    for command in ("migrate", "createcachetable", "collectstatic"):
        call_command(
            command, verbosity=0, **({} if command == "createcachetable" else {"interactive": False})
        )
    for command in ("sync_prices", "sync_catalog", "seed_demo"):
        with open(os.devnull, "w") as nowhere:
            call_command(command, stdout=nowhere)


def fill(wanted: int) -> None:
    units, people = list(BusinessUnit.objects.all()), {user.username: user for user in User.objects.all()}
    items = list(Item.objects.offered_to(people["anna"]))
    choose = random.Random(1)
    for first in range(0, wanted, BATCH):
        numbers = range(first, min(first + BATCH, wanted))
        deployments = [_deployment(number, choose, units, people, items) for number in numbers]
        Deployment.objects.bulk_create(deployments)
        requests = ServiceRequest.objects.bulk_create(list(_requests(deployments, choose, people)))
        Event.objects.bulk_create(_event(request) for request in requests)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _deployment(number: int, choose: random.Random, units: Any, people: Any, items: Any) -> Deployment:
    item = choose.choice(items)
    return Deployment(
        name=f"app-{number}",
        item=item,
        item_version=item.current,
        business_unit=choose.choice(units),
        environment=choose.choice(Environment.values),
        region="northeurope",
        owner=people["anna"],
        parameters={"name": f"app-{number}"},
        state=DeploymentState.READY,
    )


def _requests(deployments: list[Deployment], choose: random.Random, people: Any) -> Iterator[ServiceRequest]:
    for deployment in deployments:
        # One in two hundred waits for a decision, as in a portal that is looked after.
        state = State.SUBMITTED if choose.random() < 0.005 else State.SUCCEEDED
        at = now() - timedelta(minutes=choose.randrange(500_000))
        yield ServiceRequest(
            kind="create",
            deployment=deployment,
            item_version=deployment.item_version,
            requester=people["anna"] if choose.random() < 0.3 else people["carol"],
            business_unit=deployment.business_unit,
            environment=deployment.environment,
            region=deployment.region,
            parameters=deployment.parameters,
            estimate={"monthly": 10, "currency": "USD", "complete": True, "lines": [], "missing": []},
            verdict={"outcome": "allow", "findings": [], "passed": []},
            state=state,
            submitted_at=at,
            decide_before=at + timedelta(days=14),
        )


def _event(request: ServiceRequest) -> Event:
    """Not a real chain: only its size matters here."""
    return Event(
        sequence=request.pk, at=request.submitted_at, actor=request.requester, actor_label="x",
        action="request.submit", subject=request.ref, business_unit=request.business_unit,
        previous=f"{request.pk:064}", hash=f"{request.pk + 1:064}",
    )  # fmt: skip


def measure(who: str, path: str) -> str:
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(User.objects.get(username=who), backend=settings.AUTHENTICATION_BACKENDS[0])
    with CaptureQueriesContext(connection) as queries:
        status = client.get(path).status_code
    asked = len(queries)  # now: the next request empties the log
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        client.get(path)
        times.append((time.perf_counter() - started) * 1000)
    note = "" if status == 200 else f"  status {status}"
    return f"{who:6} {path:34} {asked:>7} {statistics.median(times):>10.1f} {max(times):>11.1f}{note}"


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
