import signal
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from portal import processes

SECONDS_TO_START = 60


class Command(BaseCommand):
    help = "Run the whole portal on this machine until Ctrl-C: prepare it, then start its processes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *, port: int, **options: Any) -> None:
        self._check_free(port)
        try:
            call_command("prepare", stdout=self.stdout)
            call_command("seed_demo", stdout=self.stdout)
        except KeyboardInterrupt as interrupt:
            raise CommandError("Stopped before the portal was ready.", returncode=130) from interrupt
        connections.close_all()
        self._supervise(port)

    def _check_free(self, port: int) -> None:
        already = processes.running(settings.DATA_DIR)
        if already:
            pids = " ".join(map(str, sorted(already)))
            raise CommandError(
                f"A portal with the data in {settings.DATA_DIR} is running already. "
                f"Stop it with Ctrl-C in its window, or with: kill {pids}"
            )
        if not processes.port_is_free(port):
            raise CommandError(
                f"Port {port} is in use by another program. Choose another one: make run PORT={port + 1}"
            )

    def _supervise(self, port: int) -> None:
        environment = processes.environment(data_dir=settings.DATA_DIR, port=port)
        supervisor = processes.Supervisor(environment, sys.stdout)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, supervisor.ask_to_stop)
        supervisor.start()
        try:
            supervisor.wait_until_ready(SECONDS_TO_START)
            self.stdout.write(f"\nGroundwork is ready: http://127.0.0.1:{port}/   (Ctrl-C stops it)\n\n")
            ended = supervisor.wait()
        except processes.NotReady as error:
            raise CommandError(f"{error}.") from error
        finally:
            supervisor.stop()
        self._report(ended)

    def _report(self, ended: processes.Ended | None) -> None:
        left = processes.running(settings.DATA_DIR)
        if left:
            self.stdout.write(f"Runs that go on and report when the portal is back: {len(left)} processes.")
        if ended:
            raise CommandError(f"Stopped, because {ended}. Its last lines are above.")
        self.stdout.write(f"Stopped. The data stays in {settings.DATA_DIR}.")
