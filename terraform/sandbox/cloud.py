"""The pretend Azure: what it refuses, how long it takes, and the failures asked for by a test or a demo."""

import dataclasses
import fnmatch
import json
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from terraform.sandbox.schema import Resource
from terraform.sandbox.store import Document, Store, find
from terraform.sandbox.values import UNKNOWN, Filler, Values


class Failure(Exception):
    """Becomes an error in Terraform; `state` is what the cloud holds in spite of the failure."""

    def __init__(self, summary: str, detail: str = "", state: Values | None = None):
        super().__init__(summary)
        self.summary, self.detail, self.state = summary, detail, state


@dataclasses.dataclass(frozen=True)
class Fault:
    """A failure to pretend, `times` times per store. `partial`: the resource is made, and then it fails."""

    operation: str
    type: str = "*"
    name: str = "*"
    times: int = 1
    partial: bool = False
    message: str = "The operation failed."

    @property
    def key(self) -> str:
        return f"{self.type}|{self.name}|{self.operation}"

    def hits(self, operation: str, type_name: str, name: object) -> bool:
        patterns = ((type_name, self.type), (str(name), self.name))
        return operation == self.operation and all(fnmatch.fnmatch(*pair) for pair in patterns)


def load_faults(source: str) -> list[Fault]:
    """A JSON list of faults, or the path of a file that holds one. Empty: none."""
    if not source:
        return []
    text = source if source.lstrip().startswith("[") else Path(source).read_text()
    return [Fault(**fault) for fault in json.loads(text)]


class Cloud:
    def __init__(
        self,
        resources: Mapping[str, Resource],
        store: Store,
        filler: Filler,
        *,
        faults: Sequence[Fault] = (),
        time_scale: float = 0.0,
        lax: bool = False,
    ):
        self.resources, self.store, self.filler = resources, store, filler
        self.faults, self.time_scale, self.lax = faults, time_scale, lax
        self.stopping = threading.Event()

    def read(self, type_name: str, resource_id: str, name: object) -> Values | None:
        document = self.store.read()
        key = find(document, resource_id)
        if key is None:
            return None
        self._fail_if_due("read", type_name, name, resource_id)
        values: Values = document["resources"][key]["values"]
        return values

    def create(self, type_name: str, planned: Values) -> Values:
        resource = self.resources[type_name]
        given = planned.get("id")
        resource_id = self.filler.render(resource.id, planned) if given in (None, UNKNOWN) else str(given)
        values = self.filler.fill(resource.block, planned, resource_id)
        with self.store.edit() as document:
            self._refuse(document, type_name, resource_id, values)
        return self._put("create", type_name, resource_id, values, resource.seconds)

    def update(self, type_name: str, resource_id: str, planned: Values) -> Values:
        resource = self.resources[type_name]
        values = self.filler.fill(resource.block, planned, resource_id)
        if find(self.store.read(), resource_id) is None:
            raise Failure("The resource was not found.", f"{resource_id} does not exist any more.")
        return self._put("update", type_name, resource_id, values, resource.seconds / 4)

    def delete(self, type_name: str, prior: Values) -> None:
        resource_id = str(prior["id"])
        with self.store.edit() as document:
            inside = _inside(document, resource_id)
            if type_name == "azurerm_resource_group" and inside and not self.lax:
                detail = f"It contains {len(inside)} resources, for example {inside[0]}."
                raise Failure("The resource group is not empty.", detail)
        self._fail_if_due("delete", type_name, prior.get("name"), resource_id)
        self._wait(self.resources[type_name].seconds / 2, resource_id)
        with self.store.edit() as document:
            key = find(document, resource_id)
            for gone in [*([key] if key else []), *_inside(document, resource_id)]:
                del document["resources"][gone]

    def _put(
        self, operation: str, type_name: str, resource_id: str, values: Values, seconds: float
    ) -> Values:
        name = values.get("name")
        self._fail_if_due(operation, type_name, name, resource_id, partial=False)
        self._wait(seconds, resource_id)
        with self.store.edit() as document:
            key = find(document, resource_id) or resource_id
            kept = {k: v for k, v in values.items() if k != "timeouts"}
            document["resources"][key] = {"type": type_name, "values": kept}
        self._fail_if_due(operation, type_name, name, f"{resource_id}; it exists", state=values)
        return values

    def _refuse(self, document: Document, type_name: str, resource_id: str, values: Values) -> None:
        resource = self.resources[type_name]
        if find(document, resource_id):
            raise Failure(
                "The resource exists already.", f"{resource_id} exists. Import it to manage it here."
            )
        if resource.global_name and (owner := _owner_of_name(document, type_name, values.get("name"))):
            raise Failure("The name is taken.", f"{values['name']} is used by another resource: {owner}")
        parent = self.filler.render(resource.parent, values) if resource.parent else ""
        if parent and not self.lax and find(document, parent) is None:
            raise Failure("The parent resource was not found.", f"{parent} does not exist.")

    def _wait(self, seconds: float, resource_id: str) -> None:
        scaled = seconds * self.time_scale
        if scaled > 0 and self.stopping.wait(scaled):
            raise Failure("The operation was cancelled.", resource_id)

    def _due_fault(
        self, document: Document, operation: str, type_name: str, name: object, *, partial: bool | None = None
    ) -> Fault | None:
        used: Mapping[str, int] = document["faults_used"]
        for fault in self.faults:
            due = fault.hits(operation, type_name, name) and used.get(fault.key, 0) < fault.times
            if due and partial in (None, fault.partial):
                return fault
        return None

    def _fail_if_due(
        self,
        operation: str,
        type_name: str,
        name: object,
        where: str,
        *,
        partial: bool | None = None,
        state: Values | None = None,
    ) -> None:
        if not self.faults:
            return
        with self.store.edit() as document:
            fault = self._due_fault(document, operation, type_name, name, partial=partial)
            if fault:
                document["faults_used"][fault.key] = document["faults_used"].get(fault.key, 0) + 1
        if fault:
            raise Failure(fault.message, f"Injected: {operation} of {where}", state)


def _inside(document: Document, resource_id: str) -> list[str]:
    """Ids of everything below a resource: it goes with its parent."""
    prefix = resource_id.lower() + "/"
    return [key for key in document["resources"] if key.lower().startswith(prefix)]


def _owner_of_name(document: Document, type_name: str, name: Any) -> str | None:
    for key, resource in document["resources"].items():
        taken = str(resource["values"].get("name")).lower() == str(name).lower()
        if resource["type"] == type_name and taken:
            return str(key)
    return None
