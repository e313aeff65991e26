import hashlib
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand

STEPS = ("sync_prices", "sync_catalog", "ensure_schedules")


class Command(BaseCommand):
    help = "Bring the database, the static files, the prices and the catalog up to date. Safe to repeat."

    def handle(self, **options: Any) -> None:
        quiet = {"verbosity": 0, "stdout": self.stdout}
        call_command("migrate", interactive=False, **quiet)
        call_command("createcachetable", **quiet)
        _collect_static()
        for step in STEPS:
            call_command(step, stdout=self.stdout)


def _collect_static() -> None:
    """Collecting compresses every file, which takes seconds: only when a file has changed."""
    stamp = settings.STATIC_ROOT / ".collected"
    fingerprint = _static_fingerprint()
    if not stamp.exists() or stamp.read_text() != fingerprint:
        call_command("collectstatic", interactive=False, verbosity=0)
        stamp.write_text(fingerprint)


def _static_fingerprint() -> str:
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            digest.update(f"{path} {storage.size(path)} {storage.get_modified_time(path)}\n".encode())
    return digest.hexdigest()
