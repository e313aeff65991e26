import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from portal.env import ROOT
from portal.processes import Member, answers, environment, free_port, running

FOLDER: Final = ROOT / "var" / "demo"
LOG: Final = FOLDER / "portal.log"
SECONDS_TO_START: Final = 120
SECONDS_FOR_A_RUN: Final = "120"
SECONDS_TO_STOP: Final = 90
LAST_LINES: Final = 40
# The demo has settings of its own, whatever is set around it.
NOT_PASSED_ON: Final = ("GROUNDWORK_DATABASE_URL", "GROUNDWORK_URL", "GROUNDWORK_TOKEN")
SUBMIT: Final = (
    "submit", "postgresql", "--unit", "payments", "--env", "staging", "--region", "northeurope",
    "--name", "orders", "-p", "sku=B_Standard_B2s",
)  # fmt: skip
# Allowed, and better with an end; allowed without a word.
WARNED: Final = (
    "submit", "postgresql", "--unit", "payments", "--env", "dev", "--region", "northeurope", "--name", "trial",
)  # fmt: skip
ALLOWED: Final = (
    "submit", "resource-group", "--unit", "payments", "--env", "dev", "--region", "northeurope",
    "--name", "trial", "--days", "14",
)  # fmt: skip
SUBNET: Final = (
    "/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/rg-network/providers/Microsoft.Network"
    "/virtualNetworks/vnet-payments/subnets/endpoints"
)


class DemoFailed(Exception):
    """A step did not end as it should; says how it ended."""


class Command(BaseCommand):
    help = (
        "Show one request from submit to destroy: the real portal, the real client, Terraform on the sandbox."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--keep", action="store_true", help="Leave the portal running until Ctrl-C.")

    def handle(self, *, keep: bool, **options: Any) -> None:
        self.began = time.monotonic()
        self._fresh_folder()
        self._port = free_port()
        self._environment = environment(data_dir=FOLDER, port=self._port)
        for name in NOT_PASSED_ON:
            self._environment.pop(name, None)
        portal = Member("portal", f"exec python manage.py run --port {self._port}", self._environment)
        with LOG.open("wb") as log:
            portal.relay(lambda _, line: _write(log, line))
            self._run(portal, keep=keep)

    def _run(self, portal: Member, *, keep: bool) -> None:
        try:
            self._tell_the_story(portal)
            if keep:
                self._keep(portal)
            with self._step("Stop everything"):
                self._stop(portal)
        except DemoFailed as error:
            self._write_tails()
            raise CommandError(f"The demo failed: {error}") from error
        except KeyboardInterrupt as interrupt:
            raise CommandError("Stopped.", returncode=130) from interrupt
        finally:
            _end(portal)
        self.stdout.write(self.style.SUCCESS(f"\nAll done in {time.monotonic() - self.began:.0f} s."))

    def _tell_the_story(self, portal: Member) -> None:
        with self._step("Prepare a portal of its own and start its processes"):
            self._wait_until_ready(portal)
        with self._step("Make tokens for Anna, who asks, and Bert, who approves"):
            self._tokens = {
                name: self._manage("create_token", name, "--name", "demo") for name in ("anna", "bert")
            }
        with self._step(
            "Anna asks for a resource group for development: the rules allow it, and nobody has to decide"
        ):
            self._cli("anna", *ALLOWED, "--wait")
        with self._step("She looks at a PostgreSQL server for development: the rules warn"):
            self._cli("anna", *WARNED, "--check")
            self._check_verdict(WARNED, "warn")
        with self._step(
            "Anna asks for a PostgreSQL server for staging: the rules deny it, and say what is missing"
        ):
            self._cli("anna", *SUBMIT, expected=1)
        with self._step("She gives it a private endpoint"):
            self._cli("anna", *SUBMIT, "-p", f"private_endpoint={json.dumps({'subnet_id': SUBNET})}")
        with self._step("Anna tries to approve it herself, which is refused"):
            self._cli("anna", "approve", "REQ-2", expected=1)
        self._approve_and_wait("REQ-2")
        with self._step("What there is now, and who did what"):
            self._cli("anna", "deployments", "orders")
            self._show_trail("REQ-2")
        with self._step("Anna asks for a larger size"):
            self._cli("anna", "change", "orders", "-p", "sku=GP_Standard_D2ds_v5")
        self._approve_and_wait("REQ-3")
        self._check_plan("REQ-3", {"add": 0, "change": 1, "destroy": 0})
        with self._step("Anna asks for its removal"):
            self._cli("anna", "destroy", "orders")
        self._approve_and_wait("REQ-4")
        with self._step("Verify the audit trail"):
            self._say(self._manage("audit", "verify"))

    def _approve_and_wait(self, ref: str) -> None:
        with self._step("Bert approves"):
            self._cli("bert", "approve", ref)
        with self._step("The consumer takes it off the queue, a worker runs Terraform"):
            self._cli("anna", "wait", ref, "--log", "--timeout", SECONDS_FOR_A_RUN)

    def _check_plan(self, ref: str, expected: dict[str, int]) -> None:
        plan = json.loads(self._client("anna", "show", ref, "--json").stdout)["plan"]
        planned = {name: plan[name] for name in expected}
        if planned != expected:
            raise DemoFailed(f"the plan of {ref} should be {expected}, and is {planned}")

    def _check_verdict(self, wanted: tuple[str, ...], effect: str) -> None:
        verdict = json.loads(self._client("anna", *wanted, "--check", "--json").stdout)["verdict"]
        effects = {finding["effect"] for finding in verdict["findings"]}
        if effect not in effects:
            raise DemoFailed(f"the rules should {effect}, and say: {', '.join(effects) or 'nothing'}")

    def _show_trail(self, ref: str) -> None:
        request = json.loads(self._client("anna", "show", ref, "--history", "--json").stdout)
        self._say("\nAudit trail, each line with the hash that the next one holds:")
        for event in request["events"]:
            who, what = f"{event['actor']:16}", f"{event['action']:18}"
            self._say(f"  {event['sequence']:3}  {event['at'][11:19]}  {who}{what}{event['hash'][:16]}")

    # ── helpers ──────────────────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def _step(self, title: str) -> Iterator[None]:
        self.stdout.write(self.style.MIGRATE_HEADING(f"\n■ {title}"))
        began = time.monotonic()
        yield
        self.stdout.write(f"  ({time.monotonic() - began:.1f} s)")

    def _cli(self, who: str, *arguments: str, expected: int = 0) -> None:
        """Show a command of the client, and what it prints."""
        self.stdout.write(f"  {who} $ groundwork {shlex.join(arguments)}")
        done = self._client(who, *arguments)
        self._say(done.stdout + done.stderr)
        if done.returncode != expected:
            raise DemoFailed(
                f"`groundwork {arguments[0]}` ended with {done.returncode}, expected was {expected}"
            )

    def _client(self, who: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        variables = {"GROUNDWORK_URL": self._environment["GROUNDWORK_PORTAL_URL"], "COLUMNS": "110"}
        return subprocess.run(
            [sys.executable, "-m", "cli", *arguments],
            cwd=ROOT,
            env={**os.environ, **variables, "GROUNDWORK_TOKEN": self._tokens[who]},
            capture_output=True,
            text=True,
        )

    def _manage(self, *arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self._environment, capture_output=True, text=True)
        if done.returncode:
            raise DemoFailed(
                f"`manage.py {arguments[0]}` ended with {done.returncode}: {done.stderr.strip()}"
            )
        return done.stdout.strip()

    def _say(self, text: str) -> None:
        for line in text.rstrip().splitlines():
            self.stdout.write(f"  {line.rstrip()}")

    def _fresh_folder(self) -> None:
        if running(FOLDER):
            pids = " ".join(map(str, running(FOLDER)))
            raise CommandError(f"Another demo is running. Wait for its end, or stop it with: kill {pids}")
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir(parents=True, mode=0o700)

    def _wait_until_ready(self, portal: Member) -> None:
        until = time.monotonic() + SECONDS_TO_START
        while not answers(f"{self._environment['GROUNDWORK_PORTAL_URL']}/healthz/ready/"):
            if not portal.alive:
                raise DemoFailed(f"the portal ended with {portal.child.returncode} before it was ready")
            if time.monotonic() > until:
                raise DemoFailed(f"the portal was not ready after {SECONDS_TO_START} seconds")
            time.sleep(0.1)

    def _keep(self, portal: Member) -> None:
        self._say("\n" + _passwords())
        self._say(f"\nThe portal goes on: {self._environment['GROUNDWORK_PORTAL_URL']}/   (Ctrl-C stops it)")
        try:
            portal.child.wait()
        except KeyboardInterrupt:
            return
        raise DemoFailed("the portal ended by itself")

    def _stop(self, portal: Member) -> None:
        _end(portal)
        if portal.child.returncode:
            raise DemoFailed(f"the portal ended with {portal.child.returncode}")
        if left := running(FOLDER):
            raise DemoFailed(f"these are still running: {left}")

    def _write_tails(self) -> None:
        for path in (LOG, *sorted(FOLDER.glob("runs/*/worker.log"))):
            lines = path.read_text(errors="replace").splitlines()[-LAST_LINES:]
            self.stderr.write(f"\n── the end of {path} ──\n" + "\n".join(lines))


def _write(log: Any, line: bytes) -> None:
    log.write(line)
    log.flush()


def _end(portal: Member) -> None:
    if portal.alive:
        portal.terminate()
        try:
            portal.child.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            pass
    portal.kill()


def _passwords() -> str:
    """The part of the log that shows them once."""
    lines = Path(LOG).read_text(errors="replace").splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("New people."))
    return "\n".join(lines[first : first + 8])
