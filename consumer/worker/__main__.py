"""One run: python -m consumer.worker, with the run token on standard input, or in a job of GitHub Actions.

Exit codes: 0 the run succeeded or was stopped, 1 it failed (the portal knows why), 2 the portal gave no
answer or the settings are wrong, 3 the run is not ours.
"""

import contextlib
import dataclasses
import json
import logging
import os
import signal
import socket
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from consumer.worker.claim import Claim, RunFailed
from consumer.worker.identity import first_token
from consumer.worker.portal import Portal, PortalAway, PortalRefused
from consumer.worker.redact import Redactor
from consumer.worker.report import Reporter
from consumer.worker.run import Outcome, Run
from consumer.worker.settings import BadSettings, Settings
from consumer.worker.stop import Reason, Stop
from consumer.worker.terraform import Terraform, engine_version, state_environment
from terraform.sandbox.attach import Attachment, SandboxFailed, attached

logger = logging.getLogger(__name__)

FAILED: Final = 1
NO_ANSWER: Final = 2
NOT_OURS: Final = 3
LONGEST_ERROR: Final = 4000  # characters
START_TIME_FIELD: Final = 19  # of /proc/<pid>/stat, counted after the name of the command


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    try:
        settings = Settings.read(os.environ)
        stop = _stop_on_signals()
        _write_identity(settings.directory)
        token = first_token(os.environ, settings.audience, sys.stdin)
        portal = Portal(settings.url, settings.key, token, settings.patience)
        product, version = engine_version(settings.terraform)
        answer = _claim(portal, product, version, stop)
        outcome = _execute(settings, answer, portal, stop, f"{product} {version}".strip())
    except BadSettings as error:
        logger.error("%s", error)
        return NO_ANSWER
    except PortalRefused as error:
        logger.info("%s", error)
        return NOT_OURS
    except PortalAway as error:
        logger.error("%s", error)
        return NO_ANSWER
    return FAILED if outcome.outcome == "failed" else 0


def _write_identity(directory: Path) -> None:
    """Let the runner find this very process again: a pid alone may be somebody else's by then."""
    stat = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    identity = {
        "pid": os.getpid(),
        "pgid": os.getpgrp(),
        "started": int(stat[START_TIME_FIELD]),  # clock ticks since boot
        "boot": Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
    }
    scratch = directory / "worker.json.new"
    scratch.write_text(json.dumps(identity))
    scratch.replace(directory / "worker.json")


def _stop_on_signals() -> Stop:
    stop = Stop()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.request(Reason.ASKED))
    return stop


def _claim(portal: Portal, product: str, version: str, stop: Stop) -> dict[str, Any]:
    worker = {"host": socket.gethostname(), "pid": os.getpid(), "engine": product, "version": version}
    body = {"claimant": str(uuid.uuid4()), "worker": worker}
    answer = portal.call("claim", body, give_up=lambda: stop.requested)
    portal.token = answer.get("token") or portal.token  # that of a job is good for one call
    return answer


def _execute(settings: Settings, answer: dict[str, Any], portal: Portal, stop: Stop, engine: str) -> Outcome:
    try:
        claim = Claim.read(answer)
    except RunFailed as failure:
        outcome = Outcome("failed", error=str(failure))
        portal.call("finish", dataclasses.asdict(outcome))
        return outcome
    secrets = [claim.values[name] for name in claim.sensitive if name in claim.values]
    redactor = Redactor([portal.token, *secrets])
    with Reporter(
        portal, redactor, stop, heartbeat=claim.heartbeat_seconds, patience=claim.deadline_seconds
    ) as reporter:
        outcome = _work(settings, claim, portal, reporter, redactor, stop, engine)
        reporter.flush()
    if stop.reason is Reason.LOST:
        raise PortalRefused(409, "the run is not known as running any more")
    outcome.error = redactor.clean(outcome.error)[:LONGEST_ERROR]
    portal.call("finish", dataclasses.asdict(outcome))
    return outcome


def _work(
    settings: Settings,
    claim: Claim,
    portal: Portal,
    reporter: Reporter,
    redactor: Redactor,
    stop: Stop,
    engine: str,
) -> Outcome:
    try:
        with _sandbox(settings, claim) as sandbox:
            run = Run(
                claim,
                settings.directory,
                terraform=_terraform(settings, claim, portal, stop, sandbox),
                portal=portal,
                reporter=reporter,
                redactor=redactor,
                stop=stop,
                engine=engine,
            )
            try:
                outcome = run.execute()
            finally:
                run.clean()
    except SandboxFailed as error:
        return Outcome("failed", error=str(error))
    except (PortalRefused, PortalAway):
        raise
    except Exception as error:
        # The edge of the process: whatever is wrong in here, the people who wait must hear of it.
        logger.exception("the worker failed")
        return Outcome("failed", error=f"The worker itself failed ({type(error).__name__}).", changed=True)
    if outcome.outcome == "stopped" and stop.reason is Reason.DEADLINE:
        outcome.outcome = "failed"
        outcome.error = f"Stopped, because it took longer than {claim.deadline_seconds / 60:g} minutes."
    return outcome


def _terraform(
    settings: Settings, claim: Claim, portal: Portal, stop: Stop, sandbox: Attachment | None
) -> Terraform:
    state = state_environment(
        claim.state.address,
        claim.state.lock_address,
        claim.state.unlock_address,
        key=claim.key,
        token=portal.token,
    )
    return Terraform(
        settings.terraform,
        settings.directory,
        {**state, **(sandbox.environment if sandbox else {})},
        stop,
        keep_alive=sandbox.keep_alive if sandbox else None,
        deadline_seconds=claim.deadline_seconds,
    )


@contextlib.contextmanager
def _sandbox(settings: Settings, claim: Claim) -> Iterator[Attachment | None]:
    """The sandbox provider for the length of the run; None with the real one."""
    if not settings.sandbox_store:
        yield None
        return
    with attached(
        settings.sandbox_store,
        faults=settings.sandbox_faults,
        time_scale=settings.sandbox_time_scale,
        groups=claim.base_groups,
    ) as attachment:
        yield attachment


if __name__ == "__main__":
    sys.exit(main())
