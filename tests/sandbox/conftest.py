import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from consumer.worker.stop import Reason, Stop
from consumer.worker.terraform import Result, Terraform
from terraform.sandbox.attach import Attachment, attached
from terraform.sandbox.store import Document, Store

PROVIDER = """
terraform {
  required_providers {
    azurerm = {
      source = "hashicorp/azurerm"
    }
  }
}
provider "azurerm" {
  features {}
}
"""


@dataclasses.dataclass
class Told:
    """What Terraform answered: its code, the summaries and details of its errors, and its events."""

    result: Result
    events: list[dict[str, Any]]

    @property
    def ok(self) -> bool:
        return self.result.code == 0

    @property
    def summaries(self) -> list[str]:
        return [diagnostic["summary"] for diagnostic in self.result.diagnostics]

    @property
    def details(self) -> list[str]:
        return [diagnostic["detail"] for diagnostic in self.result.diagnostics]


class Workspace:
    """A folder with one configuration and its state, in a pretend Azure that others may share."""

    def __init__(self, folder: Path, store: Path):
        folder.mkdir()
        self.folder, self.store, self.stop = folder, Store(store), Stop()

    def write(self, resources: str) -> None:
        (self.folder / "main.tf").write_text(PROVIDER + resources)

    def run(
        self, *arguments: str, heard: Callable[[dict[str, Any]], None] | None = None, **options: Any
    ) -> Told:
        """One command of Terraform, with a provider of its own that has these options."""
        events: list[dict[str, Any]] = []

        def on_event(event: dict[str, Any]) -> None:
            events.append(event)
            if heard:
                heard(event)

        with attached(self.store.path, **options) as attachment:
            result = self._terraform(attachment).run(*arguments, on_event=on_event)
        return Told(result, events)

    def apply(self, resources: str = "", **options: Any) -> Told:
        if resources:
            self.write(resources)
        return self.run("apply", "-auto-approve", "-json", **options)

    def apply_until(self, word: str, **options: Any) -> Told:
        """Apply, and interrupt when Terraform says the word."""

        def heard(event: dict[str, Any]) -> None:
            if word in str(event.get("@message")):
                self.stop.request(Reason.ASKED)

        return self.run("apply", "-auto-approve", "-json", heard=heard, **options)

    def destroy(self) -> Told:
        return self.run("destroy", "-auto-approve", "-json")

    def changes(self, resources: str = "") -> dict[str, list[str]]:
        """What a plan would do, by address; empty: the plan is clean."""
        if resources:
            self.write(resources)
        with attached(self.store.path) as attachment:
            terraform = self._terraform(attachment)
            planned = terraform.run("plan", "-out=p.tfplan")
            assert planned.code == 0, planned.errors
            shown = json.loads(terraform.run("show", "-json", "p.tfplan").output)
        return {
            change["address"]: change["change"]["actions"]
            for change in shown.get("resource_changes", [])
            if change["change"]["actions"] != ["no-op"]
        }

    @property
    def state(self) -> dict[str, dict[str, Any]]:
        """Address: first instance, as the state file has it."""
        state = json.loads((self.folder / "terraform.tfstate").read_text())
        return {f"{r['type']}.{r['name']}": r["instances"][0] for r in state["resources"]}

    @property
    def azure(self) -> Document:
        resources: Document = self.store.read()["resources"]
        return resources

    def drift(self, ending: str, **values: Any) -> None:
        """Change the one resource whose id ends so, behind Terraform's back; without values remove it."""
        with self.store.edit() as document:
            (key,) = (key for key in document["resources"] if key.endswith(ending))
            if values:
                document["resources"][key]["values"].update(values)
            else:
                del document["resources"][key]

    def _terraform(self, attachment: Attachment) -> Terraform:
        return Terraform(
            "embedded",
            self.folder,
            attachment.environment,
            self.stop,
            keep_alive=attachment.keep_alive,
        )


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "first", tmp_path / "azure.json")


@pytest.fixture
def neighbour(tmp_path: Path) -> Workspace:
    """Another configuration with another state, in the same Azure."""
    return Workspace(tmp_path / "second", tmp_path / "azure.json")
