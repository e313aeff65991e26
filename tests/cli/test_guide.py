"""docs/catalog.md, followed by somebody who does exactly what it says: every command, and every change."""

import io
import os
import re
import shlex
import shutil
from pathlib import Path

import pytest
from django.core.management import call_command

from cli.main import main
from consumer.handler import handle
from portal import ports
from portal.ports import Liveness
from requests_app import services
from requests_app.models import Deployment, ServiceRequest
from requests_app.states import DeploymentState, State
from tests.journey.support import wait_until

MODULES = "terraform/modules"
TOKEN = re.compile(r"export GROUNDWORK_TOKEN=\$\((.*)\)")


class Reader:
    """Follows a guide in a folder of their own, with the portal of the test."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys

    def follow(self, guide: str) -> None:
        for kind, text in re.findall(r"^```(sh|diff)\n(.*?)^```$", guide, re.DOTALL | re.MULTILINE):
            if kind == "diff":
                self.change(text)
                continue
            for command in text.splitlines():
                self.run(command)

    def change(self, diff: str) -> None:
        name, *lines = diff.splitlines()
        file = self.folder / name.removeprefix(f" # {MODULES}/")
        before = "\n".join(line[1:] for line in lines if line[:1] != "+")
        after = "\n".join(line[1:] for line in lines if line[:1] != "-")
        text = file.read_text()
        assert text.count(before) == 1, f"{file.name} does not have this once:\n{before}"
        file.write_text(text.replace(before, after))

    def run(self, command: str) -> None:
        if found := TOKEN.fullmatch(command):
            os.environ["GROUNDWORK_TOKEN"] = self.manage(*shlex.split(found[1])[2:]).strip()
            return
        program, *arguments = shlex.split(command)
        if program == ".venv/bin/python":
            self.manage(*arguments[1:])
        else:
            assert program == ".venv/bin/groundwork", command
            self.groundwork(*arguments)

    def manage(self, *arguments: str) -> str:
        out = io.StringIO()
        call_command(*arguments, stdout=out)
        return out.getvalue()

    def groundwork(self, *arguments: str) -> None:
        if arguments[0] == "wait":
            return self.wait(*arguments[2:])
        code = main(arguments)
        told = self.capsys.readouterr()
        assert code == 0, told.err + told.out
        return None

    def wait(self, *options: str) -> None:
        """For the newest request: its number depends on what was asked for before."""
        newest = ServiceRequest.objects.latest("submitted_at")
        self.consume()
        assert main(("wait", newest.ref, *options, "--timeout", "120")) == 0, self.capsys.readouterr()
        wait_until(lambda: _has_ended(newest.run_key), 20)

    def consume(self) -> None:
        """What the consumer process does: it starts the worker, which is a real one."""
        services.enqueue_approved()
        delivery = ports.queue().receive(0)
        assert delivery
        handle(delivery)


def _has_ended(key: str) -> bool:
    run = ports.runner().find(key)
    return run is not None and run.liveness is Liveness.ENDED


@pytest.fixture
def reader(people, live_server, settings, tmp_path, monkeypatch, capsys):
    folder = shutil.copytree(
        settings.CATALOG_FOLDER / "resource-group", tmp_path / "modules" / "resource-group"
    )
    settings.CATALOG_FOLDER, settings.PORTAL_URL = folder.parent, live_server.url
    runner = settings.PORTS["runner"]
    options = {**runner["OPTIONS"], "portal_url": live_server.url}
    settings.PORTS = {**settings.PORTS, "runner": {**runner, "OPTIONS": options}}
    monkeypatch.setenv("GROUNDWORK_URL", live_server.url)
    monkeypatch.setenv("GROUNDWORK_TOKEN", "")
    return Reader(folder.parent, capsys)


def test_the_guide_leads_from_nothing_to_an_item_in_the_running_portal(reader, settings):
    guide = (settings.BASE_DIR / "docs" / "catalog.md").read_text()

    reader.follow(guide)

    atlas = Deployment.objects.get(name="atlas")
    assert atlas.state == DeploymentState.DESTROYED
    assert [request.state for request in atlas.requests.all()] == [State.SUCCEEDED] * 3
    assert [request.item_version.version for request in atlas.requests.order_by("pk")] == [
        "0.1.0",
        "0.2.0",
        "0.2.0",
    ]
    assert atlas.parameters["team"] == "orders"


def test_every_field_of_the_format_that_the_guide_names_is_one(settings):
    guide = (settings.BASE_DIR / "docs" / "catalog.md").read_text()
    schema = (settings.BASE_DIR / "docs" / "item.schema.json").read_text()

    for name in re.findall(r"^\*\*(.+?)\.?\*\*", guide, re.MULTILINE):
        for part in name.split(" and "):
            assert f'"{part}"' in schema, part
