import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal import ports
from portal.adapters.embedded.runner import LocalRunner


class Command(BaseCommand):
    help = "Ask the runs on this machine to end, and wait until they have."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--wait", type=float, default=30, help="Seconds to wait.")

    def handle(self, *, wait: float, **options: Any) -> None:
        runner = ports.runner()
        if not isinstance(runner, LocalRunner):
            raise CommandError("The runs are not on this machine.")
        for key in runner.live_runs():
            runner.stop(key)
        deadline = time.monotonic() + wait
        while (left := runner.live_runs()) and time.monotonic() < deadline:
            time.sleep(0.2)
        if left:
            raise CommandError(f"Still running: {', '.join(left)}.")
