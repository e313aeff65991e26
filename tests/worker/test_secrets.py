"""What must stay inside the worker, and what must not come into Terraform."""

import dataclasses
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from consumer.worker.root import VALUES
from tests.worker.conftest import Worker, new_world
from tests.worker.peer import TOKEN
from tests.worker.processes import Process

PASSWORD = "correct-horse"
PIN = "battery-staple"
ACCOUNT = "azurerm_storage_account.this"
SECRETS = """
variable "pin" {}
variable "password" {
  sensitive = true
}
output "password" {
  value     = var.password
  sensitive = true
}
output "group" {
  value = nonsensitive("group ${var.password} ${var.pin}")
}
"""
STRAY = {
    "TF_VAR_name": "stray",
    "TF_CLI_ARGS": "-bogus",
    "TF_LOG": "trace",
    "AWS_SECRET_ACCESS_KEY": "stray",
    "ARM_CLIENT_SECRET": "stray",
    "DATABASE_URL": "stray",
}


@dataclasses.dataclass
class Observed:
    """A run with secrets among its values and strays in its environment; it has ended by now."""

    worker: Worker
    files: dict[str, bytes]  # during the apply
    processes: list[Process]  # during the apply
    terraform: Process
    mode_of_values: int


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory, pair: dict[str, str]) -> Iterator[Observed]:
    with new_world(tmp_path_factory.mktemp("secrets")) as world:
        key = world.request(
            "pair",
            files=leaky(pair),
            sensitive=["pin"],
            outputs=["id", "group", "password"],
            values={"password": PASSWORD, "pin": PIN},
        )
        worker = world.start(key, environment=STRAY, sandbox_time_scale=0.1)
        worker.until_logged(f"{ACCOUNT}: Creating...")
        yield Observed(
            worker,
            files=dict(texts(worker.directory)),
            processes=worker.processes,
            terraform=worker.child("shim.py"),
            mode_of_values=(worker.directory / VALUES).stat().st_mode,
        )


def leaky(pair: dict[str, str]) -> dict[str, str]:
    """The pair with two secrets in the names of its resources, so that Terraform says them aloud."""
    main = pair["main.tf"].replace('"rg-${var.name}"', '"rg-${var.password}-${var.pin}"')
    return {"main.tf": main, "secrets.tf": SECRETS}


def texts(directory: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below a directory, also those inside of plan files."""
    for path in directory.rglob("*"):
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                yield from ((f"{path.name}/{name}", archive.read(name)) for name in archive.namelist())
        elif path.is_file():
            yield path.name, path.read_bytes()


def test_secrets_are_not_told_to_the_portal(observed: Observed) -> None:
    worker = observed.worker
    worker.wait()

    heard = b"\n".join(worker.run.heard).decode()
    assert worker.finish["outcome"] == "succeeded"
    assert worker.finish["outputs"]["group"] == "group (sensitive value) (sensitive value)"
    assert "password" not in worker.finish["outputs"]
    assert "rg-(sensitive value)-(sensitive value)" in heard
    for secret in (PASSWORD, PIN, TOKEN):
        assert secret not in heard


def test_secrets_are_in_few_files_and_only_during_the_run(observed: Observed) -> None:
    during = {name for name, text in observed.files.items() if PASSWORD.encode() in text}
    assert during <= {VALUES, "terraform.out", "plan.tfplan/tfplan", "plan.tfplan/tfstate"}
    assert not [name for name, text in observed.files.items() if TOKEN.encode() in text]
    assert not observed.mode_of_values & 0o077

    observed.worker.wait()

    after = dict(texts(observed.worker.directory))
    assert set(after) == {"worker.json", "worker.log"}
    for secret in (PASSWORD, PIN, TOKEN):
        assert not [name for name, text in after.items() if secret.encode() in text]


def test_no_process_shows_a_secret_in_its_arguments_or_environment(observed: Observed) -> None:
    shown = [
        shown
        for process in observed.processes
        for shown in [*process.environment.items(), ("arguments", " ".join(process.arguments))]
    ]

    assert len(observed.processes) == 3
    assert {name for name, value in shown if TOKEN in value} == {"TF_HTTP_PASSWORD"}
    assert not {name for name, value in shown if PASSWORD in value or PIN in value}


def test_the_environment_of_terraform_is_built_from_nothing(observed: Observed) -> None:
    environment = observed.terraform.environment

    assert not set(STRAY) & set(environment)
    assert not [name for name in environment if name.startswith(("GROUNDWORK_", "ARM_"))]
    assert environment["TF_CLI_CONFIG_FILE"] == "/dev/null"
    assert environment["TF_HTTP_USERNAME"] == observed.worker.run.answer["key"]


def test_the_worker_says_who_it_is_and_no_more(observed: Observed) -> None:
    identity = json.loads(observed.files["worker.json"])

    assert set(identity) == {"pid", "pgid", "started", "boot"}
    assert identity["pid"] == identity["pgid"] == observed.worker.process.pid
