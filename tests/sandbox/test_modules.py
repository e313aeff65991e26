"""The modules of the catalog in the sandbox: their own tests, and their style."""

import subprocess
from collections.abc import Callable

import pytest

from consumer.worker.terraform import engine, environment
from tests.sandbox.conftest import MODULES, Workspace

NAMES = sorted(path.parent.name for path in MODULES.glob("*/main.tf"))


@pytest.mark.parametrize("name", NAMES)
def test_the_tests_of_a_module_pass(module: Callable[[str], Workspace], name: str) -> None:
    copy = module(name)
    assert copy.run("init", "-backend=false").ok

    told = copy.run("test", "-json")

    (summary,) = (event["test_summary"] for event in told.events if event.get("type") == "test_summary")
    assert summary["status"] == "pass", told.events
    assert summary["passed"] >= 4
    assert summary["failed"] == summary["errored"] == summary["skipped"] == 0


def test_the_modules_are_in_terraforms_own_style() -> None:
    command = [*engine("embedded"), "fmt", "-check", "-diff", "-recursive", str(MODULES)]

    formatted = subprocess.run(command, env=environment({}), capture_output=True, text=True)

    assert (formatted.returncode, formatted.stdout) == (0, "")


@pytest.mark.parametrize("name", NAMES)
def test_the_readme_names_every_variable(name: str) -> None:
    readme = (MODULES / name / "README.md").read_text()
    lines = (MODULES / name / "variables.tf").read_text().splitlines()
    variables = [line.split('"')[1] for line in lines if line.startswith("variable ")]

    assert [variable for variable in variables if f"`{variable}`" not in readme] == []


@pytest.mark.parametrize("name", NAMES)
def test_the_readme_names_every_output(name: str) -> None:
    readme = (MODULES / name / "README.md").read_text()
    lines = (MODULES / name / "outputs.tf").read_text().splitlines()
    outputs = [line.split('"')[1] for line in lines if line.startswith("output ")]

    assert [output for output in outputs if f"`{output}`" not in readme] == []
