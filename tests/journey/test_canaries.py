"""What is secret in a real run, with every process real: it is nowhere in what the portal keeps, logs and answers."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import requests
from psycopg import sql

from tests.journey.support import PASSWORD, SUBNET, RunningPortal
from tests.security.canaries import Canaries

SECRET = re.compile(r"(key|connection_string|password|token)$")
CLOUD = "sandbox.json"  # stands in for Azure, which has them


def test_the_secrets_of_a_run_stay_where_they_belong(running_portal: RunningPortal) -> None:
    canaries = Canaries()
    for name in ("anna", "bert"):
        canaries.keep(f"the token of {name}", running_portal.token(name))
    canaries.keep("the password of everybody", PASSWORD)
    in_the_address = {"token": canaries.plain("a token in an address"), "code": running_portal.token("anna")}
    for path in ("/api/v1/me/", "/accounts/login/", "/requests/", "/nowhere/"):
        requests.get(f"{running_portal.url}{path}", params=in_the_address, timeout=30)

    made = running_portal.wait_for_end(asked(running_portal))

    assert made["state"] == "succeeded", made["failure"]
    for secret in secrets_of(json.loads((running_portal.folder / CLOUD).read_text())):
        canaries.keep("a key of a resource", secret)
    assert len(canaries.planted) > 4
    found = {where: ways for where, text in kept(running_portal, made) if (ways := canaries.found_in(text))}
    assert not found


def asked(portal: RunningPortal) -> dict[str, Any]:
    """For a storage account, whose keys Terraform reads into its state."""
    where = {"business_unit": "payments", "environment": "staging", "region": "northeurope"}
    body = {
        "item": "storage-account",
        "name": "canary",
        "parameters": {"private_endpoint": {"subnet_id": SUBNET}},
    }
    answer = portal.call("anna", "requests/", {**body, **where})
    assert answer.status_code == 201, answer.text
    request: dict[str, Any] = answer.json()
    if request["state"] == "submitted":
        assert portal.call("bert", f"requests/{request['id']}/approve/", {}).status_code == 200
    return request


def secrets_of(value: Any, name: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from secrets_of(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from secrets_of(inner, name)
    elif isinstance(value, str) and SECRET.search(name) and len(value) >= 16:
        yield value


def kept(portal: RunningPortal, request: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(name, text): files with the database and the logs in them, tables, and what the API says."""
    for path in Path(portal.folder).rglob("*"):
        if path.is_file() and path.name != CLOUD:
            yield str(path), path.read_bytes().decode(errors="replace")
    if address := portal.environment.get("GROUNDWORK_DATABASE_URL"):
        with psycopg.connect(address) as connection:
            tables = connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            ).fetchall()
            for (table,) in tables:
                rows = connection.execute(
                    sql.SQL("SELECT * FROM {}").format(sql.Identifier(table))
                ).fetchall()
                yield table, "\n".join(_text(value) for row in rows for value in row)
    for path in ("", "entries/", "events/"):
        yield path, json.dumps(portal.get("anna", f"requests/{request['id']}/{path}"))
    yield "deployment", json.dumps(portal.deployment(request))


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
