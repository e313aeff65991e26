"""The pretend cloud: resources in one JSON file that all runs share. Changing the file is drift."""

import contextlib
import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# {"version": 1, "resources": {id: {"type", "values"}}, "faults_used": {fault key: count}}
Document = dict[str, Any]


class Store:
    def __init__(self, path: Path | str):
        self.path = Path(path)

    def read(self) -> Document:
        try:
            document: Document = json.loads(self.path.read_text())
        except FileNotFoundError:
            return {"version": 1, "resources": {}, "faults_used": {}}
        return document

    @contextlib.contextmanager
    def edit(self) -> Iterator[Document]:
        """Read, change, write; one process or thread at a time. Nothing is written when the body raises."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path.with_suffix(".lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            document = self.read()
            yield document
            # mkstemp gives mode 0600: computed values include pretend keys
            handle, scratch = tempfile.mkstemp(dir=self.path.parent, prefix=self.path.name)
            with os.fdopen(handle, "w") as file:
                json.dump(document, file, indent=1, sort_keys=True)
            os.replace(scratch, self.path)

    def ensure_group(self, resource_id: str, name: str, location: str) -> None:
        """Create a resource group, as another team would have done, unless it exists."""
        with self.edit() as document:
            if find(document, resource_id) is None:
                values = {"id": resource_id, "name": name, "location": location, "tags": None}
                document["resources"][resource_id] = {"type": "azurerm_resource_group", "values": values}


def find(document: Document, resource_id: str) -> str | None:
    """The key of a resource; ids are compared without regard to case, as Azure does."""
    if resource_id in document["resources"]:
        return resource_id
    wanted = resource_id.lower()
    return next((key for key in document["resources"] if key.lower() == wanted), None)
