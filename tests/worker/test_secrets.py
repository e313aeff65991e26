"""What must stay inside the worker, and what must not come into Terraform."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.worker.conftest import Worker, World
from tests.worker.peer import TOKEN

PASSWORD = "correct-horse"
PIN = "battery-staple"
ACCOUNT = "azurerm_storage_account.this"
STRAY = {
    "TF_VAR_name": "stray",
    "TF_CLI_ARGS": "-bogus",
    "TF_LOG": "trace",
    "AWS_SECRET_ACCESS_KEY": "stray",
    "ARM_CLIENT_SECRET": "stray",
    "DATABASE_URL": "stray",
}


@pytest.fixture
def leaky(pair: dict[str, str]) -> dict[str, str]:
    """The pair with two secrets in the names of its resources, so that Terraform says them aloud."""
    secrets = 'variable "pin" {}\nvariable "password" {\n  sensitive = true\n}\n'
    main = pair["main.tf"].replace('"rg-${var.name}"', '"rg-${var.password}-${var.pin}"')
    outputs = 'output "password" {\n  value = var.password\n  sensitive = true\n}\n'
    outputs += 'output "group" {\n value = nonsensitive("group ${var.password} ${var.pin}")\n}\n'
    return {**pair, "main.tf": main, "secrets.tf": secrets, "outputs.tf": outputs}


@pytest.fixture
def working(world: World, leaky: dict[str, str]) -> Worker:
    """A worker in the middle of its apply, with secrets among its values and strays in its environment."""
    key = world.request(
        "pair",
        files=leaky,
        sensitive=["pin"],
        outputs=["id", "group", "password"],
        values={"password": PASSWORD, "pin": PIN},
    )
    worker = world.start(key, environment=STRAY, sandbox_time_scale=0.1)
    worker.until_logged(f"{ACCOUNT}: Creating...")
    return worker


def texts(directory: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below a directory, also those inside of plan files."""
    for path in directory.rglob("*"):
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                yield from ((f"{path.name}/{name}", archive.read(name)) for name in archive.namelist())
        elif path.is_file():
            yield path.name, path.read_bytes()


def test_secrets_are_not_told_to_the_portal(working: Worker) -> None:
    working.wait()

    heard = b"\n".join(working.run.heard).decode()
    assert working.finish["outcome"] == "succeeded"
    assert working.finish["outputs"]["group"] == "group (sensitive value) (sensitive value)"
    assert "password" not in working.finish["outputs"]
    assert "rg-(sensitive value)-(sensitive value)" in heard
    for secret in (PASSWORD, PIN, TOKEN):
        assert secret not in heard


def test_secrets_are_in_no_file_but_the_values_and_the_plan(working: Worker) -> None:
    during = dict(texts(working.directory))

    assert not [name for name, text in during.items() if TOKEN.encode() in text]
    with_password = {name for name, text in during.items() if PASSWORD.encode() in text}
    assert with_password <= {"inputs.auto.tfvars.json", "terraform.out", "plan.tfplan/tfplan"}
    assert not (working.directory / "inputs.auto.tfvars.json").stat().st_mode & 0o077

    working.wait()

    after = dict(texts(working.directory))
    assert set(after) == {"worker.json", "worker.log"}
    for secret in (PASSWORD, PIN, TOKEN):
        assert not [name for name, text in after.items() if secret.encode() in text]


def test_no_process_shows_a_secret_in_its_arguments_or_environment(working: Worker) -> None:
    shown = {
        name: value
        for process in working.processes
        for name, value in [*process.environment.items(), ("arguments", " ".join(process.arguments))]
    }

    assert len(working.processes) == 3
    assert {name for name, value in shown.items() if TOKEN in value} == {"TF_HTTP_PASSWORD"}
    assert not {name for name, value in shown.items() if PASSWORD in value or PIN in value}


def test_the_environment_of_terraform_is_built_from_nothing(working: Worker) -> None:
    terraform = working.child("shim.py").environment

    assert not set(STRAY) & set(terraform)
    assert not [name for name in terraform if name.startswith(("GROUNDWORK_", "ARM_"))]
    assert terraform["TF_CLI_CONFIG_FILE"] == "/dev/null"
    assert terraform["TF_HTTP_USERNAME"] == working.run.answer["key"]


def test_the_worker_says_who_it_is_and_no_more(working: Worker) -> None:
    identity = json.loads((working.directory / "worker.json").read_text())

    assert set(identity) == {"pid", "pgid", "started", "boot"}
    assert identity["pid"] == identity["pgid"] == working.process.pid
