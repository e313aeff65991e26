"""Each module by itself: its own tests, its style, its README, and what it gives away."""

import io
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from catalog_app import readme
from catalog_app.modules import read_folder
from catalog_app.variables.hcl import parse
from consumer.worker.stop import Stop
from consumer.worker.terraform import Terraform, engine, environment
from tests.catalog.conftest import MODULES
from tests.modules.conftest import Azure
from tests.modules.examples import EXAMPLES

FILES = ["README.md", "item.yaml", "main.tf", "outputs.tf", "tests", "variables.tf", "versions.tf"]
SECRETS = re.compile(r"key|password|secret|token|connection_string|credential|kube_config", re.IGNORECASE)


@pytest.mark.parametrize("item", EXAMPLES)
def test_the_tests_of_a_module_pass(azure: Azure, tmp_path: Path, item: str) -> None:
    folder = tmp_path / item
    shutil.copytree(MODULES / item, folder)  # so that nothing is left behind in it
    attachment, events = azure.attachment, []
    terraform = Terraform(
        "embedded", folder, attachment.environment, Stop(), keep_alive=attachment.keep_alive
    )
    assert terraform.run("init", "-backend=false").code == 0

    terraform.run("test", "-json", on_event=events.append)

    (summary,) = (event["test_summary"] for event in events if event.get("type") == "test_summary")
    assert summary["status"] == "pass", events
    assert summary["passed"] >= 4
    assert summary["failed"] == summary["errored"] == summary["skipped"] == 0


@pytest.mark.parametrize("item", EXAMPLES)
def test_every_module_has_the_same_files(item: str) -> None:
    assert sorted(path.name for path in (MODULES / item).iterdir()) == FILES


def test_the_modules_are_in_terraforms_own_style() -> None:
    command = [*engine("embedded"), "fmt", "-check", "-diff", "-recursive", str(MODULES)]

    formatted = subprocess.run(command, env=environment({}), capture_output=True, text=True)

    assert (formatted.returncode, formatted.stdout) == (0, "")


@pytest.mark.parametrize("item", EXAMPLES)
def test_a_module_gives_no_secrets_away(item: str) -> None:
    for output in parse((MODULES / item / "outputs.tf").read_text()):
        assert not output.attribute("sensitive", False), output.labels
        assert not SECRETS.search(output.labels[0])
        assert output.attribute("description", "").endswith(".")


@pytest.mark.parametrize("item", EXAMPLES)
def test_every_variable_says_what_it_is_for(versions, item: str) -> None:
    for name, variable in versions[item].schema["properties"].items():
        assert variable.get("description", "").endswith("."), name


def test_what_only_terraform_can_check_compares_two_values(versions) -> None:
    """Everything else is in the schema, and said while somebody types."""
    checks = {item: version.server_checks for item, version in versions.items() if version.server_checks}

    assert {item: [check["variable"] for check in found] for item, found in checks.items()} == {
        "aks-cluster": ["node_count"],
        "postgresql": ["high_availability"],
        "service-bus": ["private_endpoint"],
        "static-web-app": ["private_endpoint"],
        "virtual-network": ["delegations"],
    }


def test_the_readmes_are_up_to_date() -> None:
    call_command("document_modules", "--check", stdout=io.StringIO())


def test_a_readme_that_is_not_is_named_and_written(tmp_path: Path) -> None:
    folder = tmp_path / "modules"
    shutil.copytree(MODULES / "key-vault", folder / "key-vault")
    manifest, document = folder / "key-vault" / "item.yaml", folder / "key-vault" / "README.md"
    manifest.write_text(manifest.read_text().replace("title: Change tier", "title: Change the tier"))
    document.write_text(document.read_text().replace("# Key vault", "# Key vault of ours"))

    with pytest.raises(CommandError, match="Out of date: key-vault. Run manage.py document_modules"):
        call_command("document_modules", str(folder), "--check")
    call_command("document_modules", str(folder), stdout=io.StringIO())

    assert "| Change the tier | `sku` |" in document.read_text()
    assert document.read_text().startswith("# Key vault of ours\n")  # what stands above the mark stays
    call_command("document_modules", str(folder), "--check", stdout=io.StringIO())


def test_a_module_without_a_readme_gets_one(tmp_path: Path) -> None:
    (source,) = (each for each in read_folder(MODULES) if each.manifest.name == "key-vault")

    text = readme.made(source, "")

    assert text.startswith(f"# Key vault\n\n{source.manifest.summary}\n\n{readme.MARK}\n")
