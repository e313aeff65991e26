import getpass
import json
import subprocess
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from catalog_app import sync
from catalog_app.manifest import json_schema
from catalog_app.models import CatalogSync
from catalog_app.problems import CatalogProblems


class Command(BaseCommand):
    help = "Check the rules, and make the catalog equal to the modules in terraform/modules: all, or nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", nargs="?", type=Path, default=settings.CATALOG_FOLDER)
        parser.add_argument("--check", action="store_true", help="Only say what is wrong; change nothing.")
        parser.add_argument(
            "--prices",
            type=Path,
            default=settings.BASE_DIR / "billing_app" / "prices.json",
            help="The price file that every meter must have a price in.",
        )
        parser.add_argument(
            "--schema",
            type=Path,
            metavar="FILE",
            help="Write the format of item.yaml as JSON Schema for editors, and do nothing else.",
        )

    def handle(self, *, folder: Path, check: bool, prices: Path, schema: Path | None, **options: Any) -> None:
        if schema:
            schema.write_text(json.dumps(json_schema(), indent=2) + "\n", encoding="utf-8")
            return
        try:
            result = self._look(folder, _meters(prices), check=check)
        except CatalogProblems as problems:
            for problem in problems.found:
                self.stderr.write(str(problem))
            number = len(problems.found)
            raise CommandError(
                f"{number} problem{'' if number == 1 else 's'}; the catalog was not changed."
            ) from problems
        self._tell(result, check=check)

    def _look(self, folder: Path, known_meters: set[str], *, check: bool) -> sync.SyncResult:
        policies = settings.POLICY_FOLDER
        if check and not _has_tables():
            return sync.read(folder, policies=policies, known_meters=known_meters)
        return sync.sync(
            folder,
            policies=policies,
            known_meters=known_meters,
            check=check,
            by=_account(),
            commit=_commit(folder),
        )

    def _tell(self, result: sync.SyncResult, *, check: bool) -> None:
        for version in result.created:
            self.stdout.write(f"new: {version}")
        for slug in result.withdrawn:
            self.stdout.write(f"withdrawn: {slug}")
        for note in result.notes:
            self.stdout.write(f"note: {note}")
        number = len(result.items)
        items = f"{number} item{'' if number == 1 else 's'}"
        self.stdout.write(f"{items} {'in order' if check else 'in the catalog'}.")


def _has_tables() -> bool:
    return CatalogSync._meta.db_table in connection.introspection.table_names()


def _account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may have no name for its user
        return ""


def _commit(folder: Path) -> str:
    """Of the files, where they are in git; `+` for changes that are not committed."""
    command = [
        "git",
        "--no-optional-locks",
        "-C",
        str(folder),
        "describe",
        "--always",
        "--abbrev=12",
        "--dirty=+",
        "--exclude=*",
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _meters(prices: Path) -> set[str]:
    # The catalog does not know the billing app, only the form of its file.
    try:
        return {row["key"] for row in json.loads(prices.read_text(encoding="utf-8"))["rows"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CommandError(f"The price file {prices} cannot be read: {error}") from error
