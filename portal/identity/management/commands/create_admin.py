import secrets
from argparse import ArgumentParser
from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from portal import audit
from portal.identity.models import Session, User


class Command(BaseCommand):
    help = (
        "Make a local administrator (break-glass account) and print a one-time password. It opens one page only: the "
        "one that replaces it. Then a second factor is asked for."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", nargs="?", help="Left out: one that nobody can guess.")
        parser.add_argument(
            "--reset", action="store_true", help="A new password for one who has lost access."
        )

    def handle(self, *, username: str | None, reset: bool, **options: Any) -> None:
        if reset and not username:
            raise CommandError("Say whose access is to be reset: create_admin NAME --reset.")
        username = username or f"admin-{secrets.token_hex(4)}"
        password = secrets.token_urlsafe(18)
        with transaction.atomic():
            user = _existing(username) if reset else _new(username)
            user.set_one_time_password(password)
            user.save()
            audit.record(
                "identity.reset" if reset else "identity.create", f"account {username}"[:80], actor=None
            )
        self.stdout.write(f"Username: {username}")
        hours = settings.ONE_TIME_PASSWORD_HOURS
        self.stdout.write(f"One-time password, good for {hours} hours and shown this once: {password}")


def _new(username: str) -> User:
    if User.objects.filter(username__iexact=username).exists():
        raise CommandError(
            f"There is an account {username}. For a new password: create_admin {username} --reset."
        )
    return User(username=username, is_staff=True, is_superuser=True)


def _existing(username: str) -> User:
    """Lost devices and open sessions count no more."""
    local = User.objects.filter(auth_source=User.Source.LOCAL, is_superuser=True)
    user = local.filter(username=username).first()
    if user is None:
        raise CommandError(f"There is no local administrator {username}.")
    Authenticator.objects.filter(user=user).delete()
    Session.objects.filter(user=user).delete()
    return user
