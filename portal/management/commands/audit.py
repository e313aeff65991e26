from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal import audit


class Command(BaseCommand):
    help = "Look after the audit trail. `audit verify` follows the hash chain and names the first difference."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=["verify"])

    def handle(self, **options: Any) -> None:
        verified = audit.verify()
        if verified.problem:
            raise CommandError(f"The audit trail is broken: {verified.problem}.")
        self.stdout.write(f"The audit trail is whole: {verified.count} events.")
