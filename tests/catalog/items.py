"""Items for tests about the life of items: made from the skeleton, quick to read, and like none that is offered."""

import json
from pathlib import Path
from typing import Any, Self

import yaml

from catalog_app.management.commands.new_item import SKELETON
from catalog_app.models import Item, ItemVersion
from catalog_app.sync import sync

VARIABLE = """
variable "{name}" {{
  type        = string
  description = "A text."
  nullable    = false
{default}}}
"""
ONE_RULE = """
rules:
  - id: not-in-the-moon
    version: 1
    title: Nothing is built in the moon
    stage: request
    effect: deny
    assert: request.region != 'moon'
    message: Nothing is built in the moon.
    tests:
      - {name: earth, request: {region: northeurope}, expect: pass}
      - {name: moon, request: {region: moon}, expect: fail}
"""


class Shelf:
    """A catalog of one's own. `put` adds an item or its next version; the first is called `space`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(
        self, name: str = "space", *, asks: dict[str, str | None] | None = None, **parts: Any
    ) -> ItemVersion:
        """parts: of the item.yaml, None takes one out; asks: more texts that it asks for, with their defaults."""
        self.write(name, asks=asks, **parts).sync()
        return self.current(name)

    def write(self, name: str = "space", *, asks: dict[str, str | None] | None = None, **parts: Any) -> Self:
        manifest = yaml.safe_load((SKELETON / "item.yaml").read_text())
        manifest |= {"name": name, "title": name.title(), "version": "1.0.0", "lifecycle": "ga", **parts}
        if asks:
            manifest["form"]["sections"].append({"title": "More", "fields": list(asks)})
        (self.folder / name).mkdir(parents=True, exist_ok=True)
        for file in ("main.tf", "outputs.tf", "variables.tf", "versions.tf"):
            (self.folder / name / file).write_text((SKELETON / file).read_text())
        with (self.folder / name / "variables.tf").open("a") as file:
            file.writelines(_variable(*each) for each in (asks or {}).items())
        kept = {part: value for part, value in manifest.items() if value is not None}
        written_out = json.loads(json.dumps(kept))  # so that YAML repeats nothing by reference
        (self.folder / name / "item.yaml").write_text(yaml.safe_dump(written_out, sort_keys=False))
        return self

    def sync(self) -> None:
        sync(self.folder)

    def current(self, name: str = "space") -> ItemVersion:
        version = Item.objects.select_related("current__item").get(slug=name).current
        assert version
        return version


def _variable(name: str, default: str | None) -> str:
    return VARIABLE.format(name=name, default="" if default is None else f'  default     = "{default}"\n')
