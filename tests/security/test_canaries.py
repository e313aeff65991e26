"""
Fifty secrets come to the portal by every way in, also where it goes wrong. None of them is kept anywhere in clear.

What a person writes into a free text, such as a justification, is no secret to the portal and is not looked for.
"""

import base64
import json
import logging
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import requests
from allauth.mfa.totp.internal import auth as totp
from django.core.management import CommandError, call_command
from django.test import Client
from pydantic import ValidationError

from catalog_app.problems import CatalogProblems
from cli.main import main
from consumer import runs, states
from consumer.models import StateVersion
from portal import ports
from portal.env import read
from portal.identity import tokens
from portal.identity.models import User
from portal.ports import RunDocument
from requests_app import services
from requests_app.models import Deployment, ServiceRequest
from tests.catalog.items import Shelf
from tests.conftest import People
from tests.security.canaries import Canaries, Everything, places

ITEM = "vault"
TENANT = "11111111-1111-4111-8111-111111111111"
SECRET_VARIABLES = """
variable "admin_password" {
  type      = string
  sensitive = true
  default   = null
}

variable "pin" {
  type      = string
  ephemeral = true
  default   = null
}
"""


@dataclass
class Portal:
    """What the ways in share."""

    people: People
    url: str
    canaries: Canaries
    folder: Path
    settings: Any

    def page(self, user: User) -> Client:
        client = Client(raise_request_exception=False)
        client.force_login(user, backend="portal.identity.local.LocalAccountBackend")
        return client

    def api(self, user: User) -> dict[str, str]:
        _, plain = tokens.issue(user, "canaries")
        return {"Authorization": f"Bearer {self.canaries.keep('token of a call', plain)}"}

    def wanted(self, **changes: Any) -> dict[str, Any]:
        where = {"business_unit": "payments", "environment": "dev", "region": "northeurope"}
        return {"item": ITEM, "name": "atlas", "parameters": {}, **where, **changes}


@pytest.fixture
def everything() -> Iterator[Everything]:
    """All loggers at their most talkative."""
    handler, root, own_calls = Everything(), logging.getLogger(), logging.getLogger("urllib3")
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    own_calls.setLevel(logging.WARNING)  # those of the test, which is the caller here
    yield handler
    own_calls.setLevel(logging.NOTSET)
    root.setLevel(before)
    root.removeHandler(handler)


@pytest.fixture
def portal(live_server: Any, people: People, shelf: Shelf, settings: Any, tmp_path: Path) -> Portal:
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "portal_cache"}
    }
    call_command("createcachetable", verbosity=0)
    shelf.write(ITEM)
    with (shelf.folder / ITEM / "variables.tf").open("a") as file:
        file.write(SECRET_VARIABLES)
    shelf.sync()
    return Portal(people, live_server.url, Canaries(), tmp_path, settings)


def test_fifty_secrets_are_found_nowhere(portal, everything, capfd, monkeypatch):
    said = []
    for way_in in (
        sign_in, second_factor, one_time_password, own_password, accounts_in_the_admin, tokens_of_people,
        tokens_that_do_not_work, parameters_by_the_api, parameters_by_the_pages, bodies_that_cannot_be_read,
        webhook_secrets, runs_and_states, failures, configuration,
    ):  # fmt: skip
        way_in(portal)
        said += capfd.readouterr()
    # What the client prints is for whoever typed the command; it may not repeat their token.
    by_the_client(portal, monkeypatch)
    said += capfd.readouterr()
    exported = list(exports(portal))
    shown = [line for line in said if "shown this once" not in line]

    canaries = portal.canaries
    assert len(canaries.planted) >= 50
    assert len({secret for _, secret in canaries.planted}) == len(canaries.planted)
    found = {
        where: ways
        for where, text in (
            *places("\n".join(everything.lines), "\n".join(shown), [portal.folder]),
            *(("export", text) for text in exported),
        )
        if (ways := canaries.found_in(text))
    }
    assert not found


def test_the_search_finds_what_is_there(portal, everything):
    """Else the test above would show nothing: one secret for each place, in several spellings."""
    canaries, anna = portal.canaries, portal.people.anna
    in_json, in_log, in_file, in_base64 = (canaries.plant(way) for way in ("json", "log", "file", "base64"))
    User.objects.filter(pk=anna.pk).update(first_name=base64.b64encode(in_base64.encode()).decode()[:150])
    asked = services.submit(requester=anna, **portal.wanted())
    ServiceRequest.objects.filter(pk=asked.pk).update(parameters={"x": in_json})
    logging.getLogger("somewhere").debug("%s", in_log)
    (portal.folder / "left.txt").write_text(in_file)

    found = {
        way
        for _, text in places("\n".join(everything.lines), "", [portal.folder])
        for way in canaries.found_in(text)
    }

    assert found == {"json", "log", "file", "base64"}


def test_an_item_that_asks_for_a_secret_is_refused(shelf):
    """What is asked is kept with the request and shown to approvers."""
    for kind in ("sensitive", "ephemeral"):
        shelf.write("safe", asks={"key": None})
        variables = shelf.folder / "safe" / "variables.tf"
        variables.write_text(variables.read_text().replace('"A text."', f'"A text."\n  {kind} = true'))

        with pytest.raises(CatalogProblems, match="key is sensitive or ephemeral"):
            shelf.sync()


# ── the ways in ─────────────────────────────────────────────────────────────────────────────────────────────


def sign_in(portal: Portal) -> None:
    plant, client = portal.canaries.plant, Client()
    for login, password in (
        ("anna", plant("a wrong password")),
        (plant("a password in the field of the name"), "x"),
        (plant("both fields a password"), plant("both fields a password, the second")),
        ("nobody", plant("a password of nobody")),
    ):
        client.post("/accounts/login/", {"login": login, "password": password})
    client.get("/accounts/login/", {"next": "/", "password": plant("a password in the address")})
    client.post("/accounts/login/?password=" + portal.canaries.plain("a password in the address of a form"))


def second_factor(portal: Portal) -> None:
    page, password = portal.page(portal.people.olga), portal.people.password
    page.post("/accounts/reauthenticate/", {"password": password})
    secret = re.search(r'id="secret" value="([A-Z2-7]{32})"', page.get("/accounts/2fa/app/").content.decode())
    assert secret
    portal.canaries.keep("the secret of an app", secret[1])
    page.post("/accounts/2fa/app/", {"code": portal.canaries.plain("a password as a code")})
    code = totp.format_hotp_value(totp.hotp_value(secret[1], int(time.time()) // 30))
    page.post("/accounts/2fa/app/", {"code": code})
    codes = re.findall(r"<li><code>(\w+)</code></li>", page.get("/accounts/2fa/codes/").content.decode())
    assert len(codes) == 10
    for recovery in codes:
        portal.canaries.keep("a recovery code", recovery)


def one_time_password(portal: Portal) -> None:
    out = StringIO()
    call_command("create_admin", "anke", stdout=out)
    password = portal.canaries.keep("a one-time password", out.getvalue().strip().rpartition(": ")[2])
    client = Client()
    client.post("/accounts/login/", {"login": "anke", "password": password})
    new = portal.canaries.plant("the password after the one-time password")
    client.post("/accounts/password/", {"oldpassword": password, "password1": new, "password2": new})


def own_password(portal: Portal) -> None:
    plant, page = portal.canaries.plant, portal.page(portal.people.bert)
    page.post(
        "/accounts/password/",
        {"oldpassword": plant("a wrong old password"), "password1": "x", "password2": "y"},
    )
    new = plant("a new password")
    page.post(
        "/accounts/password/", {"oldpassword": portal.people.password, "password1": new, "password2": new}
    )


def accounts_in_the_admin(portal: Portal) -> None:
    page, plant = portal.page(portal.people.olga), portal.canaries.plant
    first, second = plant("a password of a new account"), plant("a password that was set anew")
    page.post(
        "/admin/identity/user/add/",
        {"username": "frank", "usable_password": "true", "password1": first, "password2": first},
    )
    page.post(
        f"/admin/identity/user/{portal.people.carol.pk}/password/",
        {"usable_password": "true", "password1": second, "password2": second},
    )


def tokens_of_people(portal: Portal) -> None:
    canaries, page = portal.canaries, portal.page(portal.people.anna)
    form = {"name": "nightly", "scopes": "write", "days": "1"}
    made = canaries.keep("a token of the page", page.post("/account/tokens/", form).context["plain"])
    row, revoked = tokens.issue(portal.people.anna, "old")
    canaries.keep("a revoked token", revoked)
    page.post(f"/account/tokens/{row.pk}/revoke/")
    for plain in (made, revoked):
        requests.get(f"{portal.url}/api/v1/me/", headers={"Authorization": f"Bearer {plain}"}, timeout=30)
    requests.get(f"{portal.url}/api/v1/me/", params={"token": made}, timeout=30)
    requests.get(
        f"{portal.url}/api/v1/requests/", params={"search": made}, cookies={"token": made}, timeout=30
    )


def tokens_that_do_not_work(portal: Portal) -> None:
    canaries = portal.canaries
    mistyped = canaries.keep("a mistyped token", tokens.PREFIX + canaries.plain("the middle of a token") * 2)
    unknown = canaries.keep("an unknown token", tokens._mint())
    jwt = canaries.keep(
        "something like a JWT", "eyJhbGciOiJSUzI1NiJ9." + canaries.plain("the body of a JWT") + ".c2ln"
    )
    for header in (
        f"Bearer {mistyped}", f"Bearer {unknown}", f"Bearer {jwt}", f"Token {canaries.plain('another scheme')}",
        canaries.plain("no scheme"), "Basic " + base64.b64encode(f"anna:{canaries.plain('basic')}".encode()).decode(),
    ):  # fmt: skip
        for path in ("/api/v1/me/", "/", "/admin/"):
            requests.get(f"{portal.url}{path}", headers={"Authorization": header}, timeout=30)


def parameters_by_the_api(portal: Portal) -> None:
    plant, headers = portal.canaries.plant, portal.api(portal.people.anna)
    for kind in ("sensitive", "ephemeral"):
        name = {"sensitive": "admin_password", "ephemeral": "pin"}[kind]
        for path in ("requests/", "requests/check/"):
            for value in (plant(kind), [plant(f"{kind} in a list")], {"a": plant(f"{kind} in an object")}):
                body = portal.wanted(parameters={name: value})
                refused = requests.post(f"{portal.url}/api/v1/{path}", json=body, headers=headers, timeout=30)
                assert refused.status_code == (400 if path == "requests/" else 200)
    body = portal.wanted(parameters={"admin_password": plant("a secret in a call that may be repeated")})
    for _ in range(2):
        again = {**headers, "Idempotency-Key": "once"}
        requests.post(f"{portal.url}/api/v1/requests/", json=body, headers=again, timeout=30)
    requests.post(
        f"{portal.url}/api/v1/requests/", headers=headers, timeout=30,
        json=portal.wanted(password=plant("a field that there is not"), name=plant("a secret as a name")),
    )  # fmt: skip


def parameters_by_the_pages(portal: Portal) -> None:
    plant, page = portal.canaries.plant, portal.page(portal.people.anna)
    form = {"name": "atlas", "business_unit": "payments", "environment": "dev", "region": "northeurope"}
    for path in (f"/catalog/{ITEM}/request/check/", f"/catalog/{ITEM}/request/"):
        secrets = {
            "p-admin_password": plant("a hidden field"), "admin_password": plant("a bare field"),
            "parameter-pin": plant("another field"),
        }  # fmt: skip
        assert page.post(path, {**form, **secrets}).status_code < 500


def bodies_that_cannot_be_read(portal: Portal) -> None:
    plant, headers = portal.canaries.plant, portal.api(portal.people.anna)
    address = f"{portal.url}/api/v1/requests/"
    half = json.dumps({"password": plant("JSON that breaks off")})[:-1].encode()
    for data, kind in (
        (half, "application/json"),
        (plant("a text").encode(), "text/plain"),
        (f"password={portal.canaries.plain('a form')}".encode(), "application/x-www-form-urlencoded"),
        (json.dumps([plant("a list")]).encode(), "application/json"),
        (json.dumps({"kind": plant("an unknown kind")}).encode(), "application/json"),
    ):
        answer = requests.post(address, data=data, headers={**headers, "Content-Type": kind}, timeout=30)
        assert answer.status_code in {400, 415}


def webhook_secrets(portal: Portal) -> None:
    headers, address = portal.api(portal.people.emil), f"{portal.url}/api/v1/webhooks/"
    body = {"business_unit": "payments", "url": "https://hooks.example.com/groundwork"}
    made = requests.post(address, json=body, headers=headers, timeout=30).json()
    portal.canaries.keep("the secret of a webhook", made["secret"])
    anew = requests.post(f"{address}{made['id']}/rotate/", headers=headers, timeout=30).json()
    portal.canaries.keep("the new secret of a webhook", anew["secret"])


def runs_and_states(portal: Portal) -> None:
    """The token of a run, right and wrong, and what Terraform's state holds."""
    plant = portal.canaries.plant
    asked = services.submit(requester=portal.people.anna, **portal.wanted(name="running"))
    if asked.state == "submitted":
        services.approve(asked, actor=portal.people.bert)
    assert services.start(asked.run_key)
    token, digest = runs.new_token()
    portal.canaries.keep("the token of a run", token)
    ports.tracker().create_run(RunDocument(asked.run_key, digest, asked.submitted_at))
    address = f"{portal.url}/api/v1/runs/{asked.run_key}"
    right, wrong = (
        {"Authorization": f"Bearer {token}"},
        {"Authorization": f"Bearer {portal.canaries.plain('no token')}"},
    )
    claim = {"claimant": "worker-of-the-test", "worker": {}}
    for headers in (wrong, right):
        requests.post(f"{address}/claim", json=claim, headers=headers, timeout=30)
        odd = {**claim, "password": plant("a field that a claim has not")}
        requests.post(f"{address}/claim", json=odd, headers=headers, timeout=30)
    basic = (asked.run_key, token)
    lock = {"ID": "lock-1", "Who": "test"}
    requests.request("LOCK", f"{address}/state", json=lock, auth=basic, timeout=30)
    state = {"serial": 1, "resources": [{"password": plant("a value in the state")}]}
    kept = requests.post(f"{address}/state?ID=lock-1", json=state, auth=basic, timeout=30)
    assert (kept.status_code, StateVersion.objects.count()) == (200, 1)
    requests.post(f"{address}/state?ID=lock-1", data=plant("no state").encode(), auth=basic, timeout=30)
    deployment = Deployment.objects.get(pk=asked.deployment_id)
    assert json.loads(states.read(deployment) or b"")["resources"] == state["resources"]


class Broken:
    """An adapter with a bug: what it raises becomes a traceback in the log."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError("this adapter is broken")


def failures(portal: Portal) -> None:
    """An error that nobody expected, in the middle of calls with secrets in them."""
    plant, page = portal.canaries.plant, portal.page(portal.people.anna)
    asked = services.submit(requester=portal.people.anna, **portal.wanted(name="broken"))
    before = portal.settings.PORTS
    portal.settings.PORTS = {**before, "tracker": {"BACKEND": f"{__name__}.Broken"}}
    headers = {**portal.api(portal.people.anna), "X-Password": plant("a header of a call that fails")}
    assert page.get(f"/api/v1/requests/{asked.pk}/entries/", headers=headers).status_code == 500
    page.cookies["secret"] = portal.canaries.plain("a cookie of a call that fails")
    query = {"password": plant("the address of a page that fails")}
    assert page.get(f"/requests/{asked.pk}/", query).status_code == 500
    page.post(f"/requests/{asked.pk}/cancel/", {"password": plant("the form of a page that may fail")})
    portal.settings.PORTS = before


def configuration(portal: Portal) -> None:
    """A start that is refused does not say what was given."""
    plant = portal.canaries.plant
    for given in (
        {"SECRET_KEY": portal.canaries.plain("a key that is too short")},
        {"ENTRA_CLIENT_SECRET": plant("a secret without a tenant"), "ENTRA_TENANT_ID": TENANT},
        {
            "STATE_KEYS": plant("keys of states"),
            "ACCOUNT_KEYS": plant("keys of accounts"),
            "SILENT_AFTER": "0",
        },
        {"DATABASE_URL": plant("the address of a database"), "DEBUG": "0"},
    ):
        with pytest.raises(ValidationError) as refused:
            read({f"GROUNDWORK_{name}": value for name, value in given.items()})
        logging.getLogger("start").error("%s", refused.value)
    with suppress(CommandError):
        call_command("create_token", plant("a password as a name"), name="x")


def by_the_client(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    canaries = portal.canaries
    _, plain = tokens.issue(portal.people.anna, "cli")
    canaries.keep("the token of the client", plain)
    submit = (
        "submit",
        ITEM,
        "--unit",
        "payments",
        "--env",
        "dev",
        "--region",
        "northeurope",
        "--name",
        "typed",
    )
    for url, token, arguments in (
        (portal.url, plain, ("whoami",)),
        (portal.url, plain, ("list", "--json")),
        (portal.url, plain[:-1], ("whoami",)),
        ("http://portal.example.com", plain, ("whoami",)),
        ("http://127.0.0.1:1", plain, ("whoami",)),
        (portal.url, plain, (*submit, "-p", f"admin_password={canaries.plain('a parameter of the client')}")),
        (
            portal.url,
            plain,
            (*submit, "-p", f"pin={canaries.plain('another parameter of the client')}", "--json"),
        ),
    ):
        monkeypatch.setenv("GROUNDWORK_URL", url)
        monkeypatch.setenv("GROUNDWORK_TOKEN", token)
        main(arguments)


def exports(portal: Portal) -> Iterator[str]:
    """All that somebody who sees everything can take out."""
    page = portal.page(portal.people.olga)
    paths = ["/audit/", "/requests/?whose=all", "/resources/", "/budgets/", "/admin/portal/event/"]
    paths += [f"/api/v1/{name}/" for name in ("requests", "deployments", "budgets", "webhooks", "items")]
    for request in ServiceRequest.objects.all():
        paths += [
            f"/requests/{request.pk}/",
            f"/api/v1/requests/{request.pk}/",
            f"/api/v1/requests/{request.pk}/events/",
        ]
    for path in paths:
        answer = page.get(path)
        assert answer.status_code == 200, path
        yield answer.content.decode()
