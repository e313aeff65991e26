"""Every address x every role x the own and a foreign business unit x without, with a session and with a token."""

import html
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from tests.permissions.table import ENTRIES, Entry, Who
from tests.permissions.world import ACTORS, BY_NAME, FOREIGN, OWN, Actor, Side, World, leaks

pytestmark = pytest.mark.django_db

BEARER = "with a token"
BROWSER = "signed in"


def address(entry: Entry, side: Side) -> str:
    made = entry.at(side)
    if "/" in entry.route:
        return "/" + re.sub(r"<\w+:(\w+)>", lambda match: str(made[match[1]]), entry.route)
    return reverse(entry.route, kwargs=dict(made)) + entry.query


def call(client: Client, entry: Entry, side: Side, token: str = "") -> Any:
    """What it does is undone."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    body: dict[str, Any] = {"data": dict(entry.body(side))} if entry.method != "get" else {}
    if entry.is_api and body:
        body["content_type"] = "application/json"
    with transaction.atomic():
        answer = getattr(client, entry.method)(address(entry, side), headers=headers, **body)
        transaction.set_rollback(True)
    return answer


def text_of(answer: Any) -> str:
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return html.unescape(body.decode()) + str(dict(answer.headers))


def wrong(entry: Entry, world: World, actor: Actor, unit: str, way: str) -> Iterator[str]:
    side = world.sides[unit]
    if way == BROWSER:
        answer = call(world.signed_in(actor.name), entry, side)
    else:
        answer = call(Client(), entry, side, world.tokens[actor.name])
    expected = entry.expected(actor, unit)
    if way == BEARER and not entry.is_api and entry.who != Who.ANYBODY:  # tokens open no page
        expected = frozenset({302, 200}) if entry.who == Who.BROWSER else frozenset({302})
    where = f"{actor.name} {way}, {unit}: {entry.label}"
    if answer.status_code not in expected:
        yield f"{where} is {answer.status_code}, not {sorted(expected)}: {text_of(answer)[:300]}"
    if not (actor.ended and entry.tells_former) and (found := leaks(actor, text_of(answer))):
        yield f"{where} shows {found}"


def ways(entry: Entry, actor: Actor) -> list[str]:
    """Tokens open no page, whoever has them: one of them shows that."""
    if actor.is_machine:
        return [BEARER]
    return [BROWSER, BEARER] if entry.is_api or actor.is_operator else [BROWSER]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.label} {entry.who}")
def test_whoever_calls_gets_what_the_table_says(entry, world):
    units = [OWN, FOREIGN] if entry.has_unit else [OWN]

    found = [
        each
        for actor in ACTORS
        for unit in units
        for way in ways(entry, actor)
        for each in wrong(entry, world, actor, unit, way)
    ]

    assert not found, "\n".join(found)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.label} {entry.who}")
def test_without_signing_in_nothing_is_told(entry, world):
    for unit in (OWN, FOREIGN):
        answer = call(Client(), entry, world.sides[unit])

        if entry.who == Who.ANYBODY:
            assert answer.status_code in entry.ok
        elif entry.who == Who.BROWSER:
            assert answer.status_code in {200, 302, 401}
        else:
            assert answer.status_code == (entry.anonymous or (401 if entry.is_api else 302))
        assert not leaks(None, text_of(answer))


@pytest.mark.parametrize(
    "entry",
    [entry for entry in ENTRIES if entry.is_api and entry.method != "get" and entry.who != Who.RUN],
    ids=lambda entry: entry.label,
)
def test_a_token_that_only_reads_changes_nothing(entry, world):
    for actor in ACTORS:
        answer = call(Client(), entry, world.sides[OWN], world.readers[actor.name])

        assert answer.status_code == 403
        assert "requests:write" in answer.json()["message"]


@pytest.mark.parametrize(
    "entry", [entry for entry in ENTRIES if entry.sees], ids=lambda entry: f"{entry.label} {entry.who}"
)
def test_what_one_may_not_see_looks_like_what_is_not_there(entry, world):
    """Not even its existence is told: the answers are the same but for the number that was asked for."""
    side = world.sides[FOREIGN]
    nowhere = {"pk": 987654321, "slug": "nowhere"}
    if len(str(entry.at(side).get("pk", ""))) == 36:
        nowhere["pk"] = "00000000-0000-4000-8000-000000000000"
    absent = Entry(
        entry.route, entry.method, entry.who, body=entry.body,
        at=lambda side: {**entry.at(side), **{k: v for k, v in nowhere.items() if k in entry.at(side)}},
    )  # fmt: skip

    for name in ("requester", "nobody", "former"):
        client, token = world.signed_in(name), world.tokens[name] if entry.is_api else ""
        there, not_there = (call(client, each, side, token) for each in (entry, absent))

        assert (there.status_code, not_there.status_code) == (404, 404)
        assert without_numbers(there) == without_numbers(not_there)


CHANGES = re.compile(
    r"'X-Request-Id': '[0-9a-f]+'|csrfmiddlewaretoken\" value=\"\w+\"|X-CSRFToken\":\"\w+\""
    r"|nonce-[\w-]+|nonce=\"[\w-]+\""
    r"|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d+|nowhere|retail"
)


def without_numbers(answer: Any) -> str:
    return CHANGES.sub("", text_of(answer))


def test_the_world_has_something_to_leak(world):
    """Else the matrix would show nothing."""
    for unit, name in ((OWN, "requester"), (FOREIGN, "neighbour")):
        client = world.signed_in(name)
        for path in ("/requests/", "/resources/", "/budgets/", "/api/v1/requests/", "/api/v1/deployments/"):
            assert world.sides[unit].mark in text_of(client.get(path)).lower(), path
    assert BY_NAME["operator"].is_operator
