"""
What Terraform itself says of values, asked on this machine.

The module that it is asked with has variable blocks and nothing else, so that a plan needs no provider, no backend and
no init: it takes about 0.2 s. For so long the values are in a folder that only this account can read.
"""

import hashlib
import json
import re
import shutil
import subprocess
import tempfile
import threading
import time
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from portal.errors import Unavailable
from terraform.engine import engine, environment

MOST_ANSWERS = 1000  # remembered; most questions of a form that is being filled in are the same
AT_ONCE = 2  # each takes 110 MB
LEFT_BEHIND = 3600  # seconds after which a folder is nobody's: its process was killed
VARIABLES, VALUES = "variables.tf", "values.auto.tfvars.json"

_PLACE = re.compile(rf"(?:declared |defined )?at {re.escape(VARIABLES)}:(\d+),[\d-]+")
_CHECKED = "\n\nThis was checked by the validation rule"


class LocalProbe:
    def __init__(self, terraform: str, folder: Path | str, patience: float = 20.0) -> None:
        """terraform: the engine. patience: seconds for one question, waiting for others included."""
        self._terraform, self._folder, self._patience = terraform, Path(folder), patience
        self._answers: dict[str, dict[str, str]] = {}
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for old in self._folder.iterdir():
            if time.time() - old.stat().st_mtime > LEFT_BEHIND:
                shutil.rmtree(old, ignore_errors=True)

    def problems(self, blocks: Mapping[str, str], values: Mapping[str, Any]) -> Mapping[str, str]:
        asked = json.dumps([blocks, values], sort_keys=True)
        question = hashlib.sha256(asked.encode()).hexdigest()  # what was asked may be secret
        if question not in self._answers:
            answer = self._ask(blocks, values)
            if len(self._answers) >= MOST_ANSWERS:
                self._answers.clear()
            self._answers[question] = answer
        return self._answers[question]

    def _ask(self, blocks: Mapping[str, str], values: Mapping[str, Any]) -> dict[str, str]:
        until = time.monotonic() + self._patience
        if not self._turns.acquire(timeout=self._patience):
            raise Unavailable("Terraform is busy with other questions.")
        try:
            with tempfile.TemporaryDirectory(dir=self._folder) as directory:
                _write(Path(directory), blocks, values)
                done = self._plan(directory, max(until - time.monotonic(), 1))
        finally:
            self._turns.release()
        errors = [*_errors(done.stdout)]
        if done.returncode and not errors:
            raise Unavailable("Terraform ended without an answer.")
        return _by_variable(errors, blocks)

    def _plan(self, directory: str, seconds: float) -> "subprocess.CompletedProcess[str]":
        plan = ("plan", "-json", "-input=false", "-lock=false", "-refresh=false")
        try:
            return subprocess.run(
                [*engine(self._terraform), f"-chdir={directory}", *plan],
                env=environment({}),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                errors="replace",
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise Unavailable(f"Terraform did not answer within {seconds:.0f} seconds.") from error
        except OSError as error:
            raise Unavailable(f"Terraform cannot be started: {error.strerror}.") from error


def _write(directory: Path, blocks: Mapping[str, str], values: Mapping[str, Any]) -> None:
    (directory / VARIABLES).write_text("\n".join(blocks.values()) + "\n")
    path = directory / VALUES
    path.touch(mode=0o600)
    path.write_text(json.dumps(values, indent=1))  # by lines: Terraform quotes the line of each wrong value


def _errors(printed: str) -> Iterator[dict[str, Any]]:
    for line in printed.splitlines():
        try:
            event = json.loads(line) if line.startswith("{") else {}
        except ValueError:
            continue  # not everything that is printed is an event
        if event.get("type") == "diagnostic" and event["diagnostic"]["severity"] == "error":
            yield event["diagnostic"]


def _by_variable(errors: list[dict[str, Any]], blocks: Mapping[str, str]) -> dict[str, str]:
    """Only the words of an error are taken: its snippet quotes the values of other variables."""
    names, first_lines, line = list(blocks), [], 1
    for text in blocks.values():
        first_lines.append(line)
        line += text.count("\n") + 1
    found: dict[str, list[str]] = defaultdict(list)
    for error in errors:
        where = _line(error)
        if where is None:
            raise Unavailable(f"Terraform could not check the values: {error['summary']}.")
        found[names[bisect_right(first_lines, where) - 1]].append(_words(error))
    return {name: " ".join(dict.fromkeys(words)) for name, words in found.items()}


def _line(error: Mapping[str, Any]) -> int | None:
    """Of the variable block that the error is about."""
    if named := _PLACE.findall(error.get("detail", "")):
        return int(named[-1])
    place = error.get("range") or {}
    return int(place["start"]["line"]) if place.get("filename") == VARIABLES else None


def _words(error: Mapping[str, Any]) -> str:
    detail = str(error.get("detail") or error["summary"])
    own, is_validation, _ = detail.rpartition(_CHECKED)
    said = own if is_validation else f"Terraform refuses this: {_PLACE.split(detail)[-1].lstrip(': ')}"
    said = " ".join(said.split())
    return said if said.endswith(".") else f"{said}."
