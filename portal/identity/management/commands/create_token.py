from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal.errors import InvalidInput
from portal.identity import tokens
from portal.identity.models import BusinessUnit, User


class Command(BaseCommand):
    help = "Create an API token and print it, this once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--name", required=True, help="What it is for.")
        parser.add_argument("--days", type=int, default=30, help="Until it expires.")
        parser.add_argument("--read-only", action="store_true")
        parser.add_argument("--business-unit", help="Its slug: the token can do nothing anywhere else.")

    def handle(
        self,
        *,
        username: str,
        name: str,
        days: int,
        read_only: bool = False,
        business_unit: str | None = None,
        **options: Any,
    ) -> None:
        owner = User.objects.filter(username=username, is_active=True).first()
        if owner is None:
            raise CommandError(f"There is no active account {username}.")
        unit = BusinessUnit.objects.filter(slug=business_unit).first()
        if business_unit and unit is None:
            raise CommandError(f"There is no business unit {business_unit}.")
        scopes = [tokens.READ] if read_only else [tokens.READ, tokens.WRITE]
        try:
            _, plain = tokens.create(
                actor=None, owner=owner, name=name, scopes=scopes, days=days, business_unit=unit
            )
        except InvalidInput as error:
            raise CommandError(" ".join(error.problems.values())) from error
        self.stdout.write(plain)
