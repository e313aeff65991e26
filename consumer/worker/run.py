"""The steps of one run, in the order in which they happen."""

import dataclasses
import shutil
import signal
from pathlib import Path
from typing import Any, Final

from consumer.worker import checks, root
from consumer.worker.claim import Claim, RunFailed
from consumer.worker.events import lines, words
from consumer.worker.portal import Portal
from consumer.worker.redact import Redactor
from consumer.worker.report import Reporter
from consumer.worker.stop import Stop
from consumer.worker.terraform import Result, Terraform, read_json

PLAN: Final = "plan.tfplan"
RESCUED_STATE: Final = "errored.tfstate"  # where Terraform leaves a state that the portal did not take
LOCK_PATIENCE: Final = "-lock-timeout=60s"  # a predecessor that was killed needs some seconds to end
TOUCHED: Final = {"apply_complete", "apply_errored"}


class Stopped(Exception):
    """The run was told to end, and did, before its work was done."""


@dataclasses.dataclass
class Outcome:
    """What `finish` reports."""

    outcome: str  # succeeded, failed or stopped
    error: str = ""
    outputs: dict[str, Any] = dataclasses.field(default_factory=dict)
    resources: list[dict[str, str]] | None = (
        None  # what exists now; None: not looked at, as nothing was applied
    )
    changed: bool = False


class Run:
    def __init__(
        self,
        claim: Claim,
        directory: Path,
        *,
        terraform: Terraform,
        portal: Portal,
        reporter: Reporter,
        redactor: Redactor,
        stop: Stop,
        engine: str,
    ):
        """`engine` in words, for example "Terraform 1.15.5"."""
        self._claim, self._directory = claim, directory
        self._terraform, self._portal, self._reporter = terraform, portal, reporter
        self._redactor, self._stop, self._engine = redactor, stop, engine
        self._changed = False
        self._applied = False

    def execute(self) -> Outcome:
        """Never raises for what Terraform or the portal's rules say: that is an outcome."""
        try:
            self._prepare()
            self._check(self._plan())
            self._apply()
            return self._tell(Outcome("succeeded", changed=self._changed))
        except Stopped:
            return self._tell(Outcome("stopped", changed=self._changed))
        except RunFailed as failure:
            self._reporter.line(str(failure), "error")
            return self._tell(Outcome("failed", error=str(failure), changed=self._changed))

    def clean(self) -> None:
        """Remove what holds secrets or space; a state that could not be saved stays."""
        for name in (PLAN, root.VALUES, root.ROOT):
            (self._directory / name).unlink(missing_ok=True)
        for name in (root.MODULE, ".terraform"):
            shutil.rmtree(self._directory / name, ignore_errors=True)

    def _prepare(self) -> None:
        self._reporter.phase = "init"
        self._claim.verify()
        self._redactor.add(self._claim.values[name] for name in root.sensitive(self._claim))
        root.write(self._directory, self._claim)
        self._say(f"{self._engine} on {self._claim.item} {self._claim.version}")
        self._command("init", "-input=false")

    def _plan(self) -> list[checks.Change]:
        self._reporter.phase = "plan"
        destroy = ["-destroy"] if self._claim.kind == "destroy" else []
        self._command("plan", "-input=false", LOCK_PATIENCE, f"-out={PLAN}", *destroy)
        return checks.changes(self._show(PLAN))

    def _check(self, planned: list[checks.Change]) -> None:
        self._reporter.phase = "check"
        refusal = checks.refusal(planned, kind=self._claim.kind, allow_replace=self._claim.allow_replace)
        if refusal:
            raise RunFailed(refusal)
        body = {**checks.counts(planned), "resources": planned, "engine": self._engine}
        self._reporter.flush()
        answer = self._portal.call("plan", self._redactor.clean(body))
        if not answer["proceed"]:
            raise RunFailed(answer.get("reason") or "The plan was refused by a rule.")
        for finding in answer.get("verdict", {}).get("findings", []):
            self._reporter.line(checks.in_words(finding), "warn")
        self._say("The plan was accepted.")

    def _apply(self) -> None:
        self._reporter.phase = "apply"
        self._applied = True
        try:
            self._command("apply", "-input=false", LOCK_PATIENCE, PLAN)
        finally:
            self._rescue_state()

    def _rescue_state(self) -> None:
        """Terraform gave up on a portal that was away: give it the state now."""
        path = self._directory / RESCUED_STATE
        if not path.exists():
            return
        result = self._terraform.run("state", "push", LOCK_PATIENCE, str(path))
        if result.code:
            self._reporter.line(
                f"The state could not be saved. It is kept in {RESCUED_STATE} of the run.", "error"
            )
        else:
            path.unlink()
            self._say("The state was saved after all.")

    def _tell(self, outcome: Outcome) -> Outcome:
        """Add what exists now, also after a failure or a stop: part of the work may be done."""
        if not self._applied:
            return outcome
        self._reporter.phase = "outputs"
        try:
            state = self._show()
        except RunFailed as failure:
            outcome.outcome = "failed"
            outcome.error = outcome.error or f"The state could not be read: {failure}"
            return outcome
        outcome.resources = self._redactor.clean(checks.resources(state))
        outcome.outputs = self._redactor.clean(checks.outputs(state))
        return outcome

    def _show(self, *path: str) -> dict[str, Any]:
        result = self._terraform.run("show", "-json", *path)
        if result.code:
            raise RunFailed(_error(result))
        return read_json(result)

    def _command(self, command: str, *arguments: str) -> None:
        if self._stop.requested:
            raise Stopped
        result = self._terraform.run(command, "-json", *arguments, on_event=self._on_event)
        if result.code and self._stop.requested:
            raise Stopped
        if result.code:
            raise RunFailed(_error(result))

    def _on_event(self, event: dict[str, Any]) -> None:
        self._changed = self._changed or event.get("type") in TOUCHED
        for line in lines(event):
            self._reporter.line(line.text, line.level)

    def _say(self, text: str) -> None:
        self._reporter.line(text)


def _error(result: Result) -> str:
    """The first error in plain words; where Terraform gave none, the end of what it printed."""
    if result.diagnostics:
        more = len(result.diagnostics) - 1
        return words(result.diagnostics[0]) + (f" And {more} more in the log." if more else "")
    if result.code < 0:
        return f"Terraform was killed ({signal.Signals(-result.code).name})."
    return result.errors.strip()[-2000:] or f"Terraform ended with code {result.code} and without a word."
