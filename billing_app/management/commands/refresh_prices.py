from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing_app import refresh
from billing_app.refresh import Kind, Refresh
from portal.errors import PortalError

WORTH_A_LINE = (Kind.NEW, Kind.CHANGED, Kind.VANISHED, Kind.UNCLEAR)


class Command(BaseCommand):
    help = "Bring the prices up to date with the price list (GROUNDWORK_PRICES_URL): all of them, or none."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only say what is different.")

    def handle(self, *, dry_run: bool, **options: Any) -> None:
        try:
            found = refresh.refresh(dry_run=dry_run)
        except refresh.TooManyLost as error:
            self._tell(error.found)
            raise CommandError(str(error)) from error
        except PortalError as error:
            raise CommandError(f"{error} No price was changed.") from error
        self._tell(found)
        self.stdout.write(f"{found}." + (" Nothing was changed." if dry_run else ""))

    def _tell(self, found: Refresh) -> None:
        for finding in found.of(*WORTH_A_LINE):
            self.stdout.write(str(finding))
