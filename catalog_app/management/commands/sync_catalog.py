import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from catalog_app import services
from catalog_app.models import Item
from catalog_app.problems import CatalogProblems
from catalog_app.rules import failing_examples


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

    def handle(self, *, folder: Path, check: bool, prices: Path, **options: Any) -> None:
        known_meters = _meters(prices)
        try:
            _check_rules(settings.POLICY_FOLDER)
            if check and not _has_tables():
                result = services.read(folder, known_meters=known_meters)
            else:
                with transaction.atomic():
                    result = services.sync(folder, known_meters=known_meters)
                    transaction.set_rollback(check)
        except CatalogProblems as problems:
            for problem in problems.found:
                self.stderr.write(str(problem))
            raise CommandError(f"{len(problems.found)} problems; the catalog was not changed.") from problems
        for version in result.created:
            self.stdout.write(f"new: {version}")
        for slug in result.withdrawn:
            self.stdout.write(f"withdrawn: {slug}")
        self.stdout.write(f"{len(result.items)} items {'are in order' if check else 'in the catalog'}.")


def _has_tables() -> bool:
    """A fresh clone has none, and its files can be checked all the same."""
    return Item._meta.db_table in connection.introspection.table_names()


def _check_rules(folder: Path) -> None:
    """Items and rules come together: no items while a rule cannot be read or fails its own examples."""
    failing = failing_examples(folder)
    if failing:
        raise CatalogProblems(failing)


def _meters(prices: Path) -> set[str]:
    # The catalog does not know the billing app, only the form of its file.
    try:
        return {row["key"] for row in json.loads(prices.read_text(encoding="utf-8"))["rows"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CommandError(f"The price file {prices} cannot be read: {error}") from error
