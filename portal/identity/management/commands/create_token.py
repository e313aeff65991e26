from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal import audit
from portal.identity import tokens
from portal.identity.models import User


class Command(BaseCommand):
    help = "Create an API token and print it, this once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--name", required=True, help="What it is for.")
        parser.add_argument("--days", type=int, default=30, help="Until it expires.")
        parser.add_argument("--read-only", action="store_true")

    def handle(self, *, username: str, name: str, days: int, read_only: bool, **options: Any) -> None:
        user = User.objects.filter(username=username, is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active account {username}.")
        if days < 1:
            raise CommandError("--days is at least 1.")
        scopes = [tokens.READ] if read_only else [tokens.READ, tokens.WRITE]
        row, plain = tokens.issue(user, name, scopes=scopes, lifetime=timedelta(days=days))
        audit.record("token.create", f"token {row.hint}", actor=None, note=name, data={"user": username})
        self.stdout.write(plain)
