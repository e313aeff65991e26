"""What `new_item` makes is an item from the first minute: it passes the check and runs in the sandbox."""

import io
from collections import Counter

import pytest
import yaml
from django.core.management import call_command
from django.core.management.base import CommandError

from catalog_app.management.commands.new_item import SKELETON
from consumer.worker.stop import Stop
from consumer.worker.terraform import Terraform
from tests.catalog.conftest import read_versions
from tests.modules.conftest import Stack


def new_item(folder, name, *arguments):
    out = io.StringIO()
    call_command("new_item", name, *arguments, "--folder", str(folder), stdout=out)
    return out.getvalue()


@pytest.fixture
def folder(tmp_path):
    new_item(tmp_path, "team-space")
    return tmp_path


def test_it_has_all_files_of_an_item_and_none_of_the_names_of_the_skeleton(folder):
    files = {path.relative_to(folder / "team-space").as_posix() for path in folder.rglob("*.*")}

    assert files == {
        "README.md", "item.yaml", "main.tf", "outputs.tf", "tests/unit.tftest.hcl", "variables.tf", "versions.tf",
    }  # fmt: skip
    for path in folder.rglob("*.*"):
        assert "new-item" not in path.read_text()
        assert "New item" not in path.read_text()


@pytest.mark.django_db
def test_it_passes_the_check_at_once(folder):
    out = io.StringIO()

    call_command("sync_catalog", "--check", str(folder), stdout=out)
    call_command("document_modules", "--check", str(folder), stdout=out)

    assert out.getvalue().splitlines() == [
        "new: team-space 0.1.0", "1 item in order.", "Everything is up to date.",
    ]  # fmt: skip


def test_it_is_made_changed_and_removed_in_the_sandbox(folder, azure, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    deployment = Stack(read_versions(folder)["team-space"], run, azure)

    assert Counter(deployment.apply({"purpose": "tests"}).values()) == {"create": 1}
    assert deployment.is_clean()
    (resource,) = deployment.resources()
    assert resource[1]["tags"]["purpose"] == "tests"
    assert Counter(deployment.apply({"purpose": "more tests"}).values()) == {"update": 1}
    assert Counter(deployment.destroy().values()) == {"delete": 1}


def test_its_own_tests_pass(folder, azure):
    attachment, events = azure.attachment, []
    terraform = Terraform(
        "embedded",
        folder / "team-space",
        attachment.environment,
        Stop(),
        keep_alive=attachment.keep_alive,
    )
    assert terraform.run("init", "-backend=false").code == 0

    terraform.run("test", "-json", on_event=events.append)

    (summary,) = (event["test_summary"] for event in events if event.get("type") == "test_summary")
    assert (summary["status"], summary["passed"]) == ("pass", 4), events


def test_the_skeleton_is_in_terraforms_own_style(azure):
    terraform = Terraform("embedded", SKELETON, azure.attachment.environment, Stop())

    assert terraform.run("fmt", "-check", "-recursive").code == 0


@pytest.mark.parametrize("title", ["Team: space", "Yes", "# 1", 'it\'s "mine"', "Größe"])
def test_any_title_is_written_so_that_yaml_reads_it(tmp_path, title):
    new_item(tmp_path, "team-space", "--title", title)

    written = yaml.safe_load((tmp_path / "team-space" / "item.yaml").read_text())

    assert written["title"] == title


@pytest.mark.parametrize(
    "name", ["Team", "team_space", "../team", "-x", "a", "x" * 41, "team-", "no", "null"]
)
def test_a_name_that_cannot_be_one_is_refused(tmp_path, name):
    with pytest.raises(CommandError, match="is no name|as something else than a name"):
        call_command("new_item", f"--folder={tmp_path}", "--", name)

    assert not list(tmp_path.iterdir())


def test_what_is_there_already_is_left_alone(folder):
    (folder / "team-space" / "main.tf").write_text("# mine\n")

    with pytest.raises(CommandError, match="team-space is there already: choose another name"):
        new_item(folder, "team-space")

    assert (folder / "team-space" / "main.tf").read_text() == "# mine\n"
