import json
import os
import re
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Final

import yaml
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from catalog_app import modules, readme

# A whole item, called new-item. It is checked and run by the tests like any other.
SKELETON: Final = Path(modules.__file__).parent / "skeleton"
SCHEMA: Final = settings.BASE_DIR / "docs" / "item.schema.json"
NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
LONGEST: Final = 40


class Command(BaseCommand):
    help = (
        "Begin an item of the catalog: a folder that passes `sync_catalog --check` and runs in the sandbox."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="The folder and the name of the item: message-queue.")
        parser.add_argument("--title", default="", help="As people read it; made from the name by default.")
        parser.add_argument(
            "--folder", type=Path, default=settings.CATALOG_FOLDER, help="Where the items are."
        )

    def handle(self, *, name: str, title: str, folder: Path, **options: Any) -> None:
        if not NAME.fullmatch(name) or not 2 <= len(name) <= LONGEST:
            raise CommandError(
                f"{name!r} is no name: use 2 to {LONGEST} lower-case letters, digits and hyphens."
            )
        target = folder / name
        if yaml.safe_load(name) != name:
            raise CommandError(f"YAML reads {name} as something else than a name: choose another name.")
        if target.exists():
            raise CommandError(f"{target} is there already: choose another name.")
        title = _quoted(title or name.replace("-", " ").capitalize())
        for path in sorted(SKELETON.rglob("*")):
            if path.is_file():
                _write(target / path.relative_to(SKELETON), path.read_text(encoding="utf-8"), name, title)
        _write_readme(folder, name)
        self.stdout.write(f"{target} is made. Next: change it, then run manage.py sync_catalog --check.")


def _write(target: Path, text: str, name: str, title: str) -> None:
    schema = os.path.relpath(SCHEMA, target.parent)
    for old, new in (
        ("new-item", name),
        ("New item", title),
        ("$schema=item.schema.json", f"$schema={schema}"),
    ):
        text = text.replace(old, new)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")


def _quoted(title: str) -> str:
    """As YAML reads it: in quotes where a bare text would be something else."""
    try:
        is_plain = yaml.safe_load(f"title: {title}") == {"title": title}
    except yaml.YAMLError:
        is_plain = False
    return title if is_plain else json.dumps(title, ensure_ascii=False)


def _write_readme(folder: Path, name: str) -> None:
    sources, _ = modules.look(folder)
    (source,) = (source for source in sources if source.manifest.name == name)
    (folder / name / "README.md").write_text(readme.made(source, ""), encoding="utf-8")
