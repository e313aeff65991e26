from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from billing_app import prices
from catalog_app.problems import CatalogProblems


class Command(BaseCommand):
    help = "Make the prices equal to the price file: all of them, or none."

    def add_arguments(self, parser: ArgumentParser) -> None:
        shipped = settings.BASE_DIR / "billing_app" / "prices.json"
        parser.add_argument("file", nargs="?", type=Path, default=shipped)

    def handle(self, *, file: Path, **options: Any) -> None:
        try:
            result = prices.sync_prices(file)
        except CatalogProblems as problems:
            for problem in problems.found:
                self.stderr.write(str(problem))
            raise CommandError(f"{len(problems.found)} problems; the prices were not changed.") from problems
        self.stdout.write(
            f"{result.created} prices new, {result.changed} changed, "
            f"{result.unchanged} the same, {result.removed} removed"
            + (f", {result.newer_in_list} newer in the price list." if result.newer_in_list else ".")
        )
