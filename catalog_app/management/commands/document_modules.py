from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from catalog_app import readme
from catalog_app.modules import read_folder
from catalog_app.problems import CatalogProblems


class Command(BaseCommand):
    help = "Bring the tables in the README of every module up to date with the module."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", nargs="?", type=Path, default=settings.CATALOG_FOLDER)
        parser.add_argument(
            "--check", action="store_true", help="Only say which are out of date; write nothing."
        )

    def handle(self, *, folder: Path, check: bool, **options: Any) -> None:
        try:
            sources = read_folder(folder)
        except CatalogProblems as problems:
            raise CommandError("\n".join(map(str, problems.found))) from problems
        stale = []
        for source in sources:
            path = folder / source.manifest.name / "README.md"
            present = path.read_text(encoding="utf-8") if path.exists() else ""
            wanted = readme.made(source, present)
            if wanted != present:
                stale.append(source.manifest.name)
                if not check:
                    path.write_text(wanted, encoding="utf-8")
        if stale and check:
            raise CommandError(f"Out of date: {', '.join(stale)}. Run manage.py document_modules.")
        self.stdout.write(
            f"{len(stale)} of {len(sources)} written." if stale else "Everything is up to date."
        )
