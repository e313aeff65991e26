from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from requests_app import bookkeeping


class Command(BaseCommand):
    help = (
        "Look after the ledger of budgets. `ledger verify` works out from the requests what it should have, and "
        "names every difference; `ledger correct` books what is missing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=["verify", "correct"])

    def handle(self, *, what: str, **options: Any) -> None:
        found = bookkeeping.correct() if what == "correct" else bookkeeping.differences()
        for difference in found:
            self.stdout.write(str(difference))
        if what == "correct":
            self.stdout.write(f"{len(found)} corrections were written.")
        elif found:
            raise CommandError(
                f"The ledger differs from the requests in {len(found)} places. `ledger correct` puts it right."
            )
        else:
            self.stdout.write("The ledger is what follows from the requests.")
