"""The examples of docs/automation.md, in their order, against a portal that listens."""

import os
import re
import subprocess
from typing import Any

import pytest
from django.conf import settings

from consumer.identity import Reason
from portal.identity import tokens
from portal.webhooks import outbox
from portal.webhooks import services as webhooks
from tests.conftest import SUBNET
from tests.webhooks.receiver import receiver

GUIDE = (settings.BASE_DIR / "docs" / "automation.md").read_text()
RUNS = (settings.BASE_DIR / "docs" / "runs.md").read_text()
API = GUIDE[GUIDE.index("## The API") :]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", API, re.DOTALL | re.MULTILINE)


@pytest.mark.django_db(transaction=True)
def test_the_examples_do_what_the_guide_says(live_server, people, catalog, settings, monkeypatch):
    settings.WEBHOOKS_PRIVATE = True
    for name, user in [
        ("GROUNDWORK_TOKEN", people.anna), ("APPROVER_TOKEN", people.bert), ("ADMIN_TOKEN", people.emil),
    ]:  # fmt: skip
        monkeypatch.setenv(name, tokens.issue(user, "guide")[1])
    monkeypatch.setenv("GROUNDWORK_URL", live_server.url)
    monkeypatch.setenv("SUBNET_ID", SUBNET)
    told: dict[str, Any] = {}
    with receiver() as there:
        monkeypatch.setenv("HOOK_URL", there.url)
        exec(compile("\n".join(blocks("python")), "automation.md", "exec"), told)
        webhooks.deliver_due()
        # Else the server keeps a thread with a connection to the database for it.
        told["api"].get(f"{live_server.url}/healthz/", headers={"Connection": "close"})

    headers, body = there.got[0]
    is_from_groundwork = told["is_from_groundwork"]
    assert is_from_groundwork(told["secret"], headers, body)
    assert not is_from_groundwork(told["secret"], headers, body + b" ")
    assert not is_from_groundwork(told["secret"], {**headers, "Webhook-Timestamp": "1600000000"}, body)
    shell = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(blocks("sh"))],
        capture_output=True, text=True, env={**os.environ, "no_proxy": "*"}, timeout=60,
    )  # fmt: skip
    assert '"username":"anna"' in shell.stdout, shell.stderr


def test_the_guide_names_every_event_and_every_reason():
    assert [name for name in outbox.EVENTS if f"`{name}`" not in API] == []
    assert [str(reason) for reason in Reason if f"`{reason}`" not in RUNS] == []


def test_the_guide_tells_the_pauses_as_they_are():
    words = {10: "10 s", 60: "1 min", 300: "5 min", 1800: "30 min", 7200: "2 h", 21600: "6 h", 43200: "12 h"}
    *first, last = [words[pause] for pause in webhooks.PAUSES]

    assert f"{', '.join(first)} and {last}" in " ".join(API.split())
