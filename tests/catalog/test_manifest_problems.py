"""Everything that can be wrong with the files of an item has a file, a line and a reason."""

import pytest

from catalog_app.modules import read_folder
from catalog_app.problems import CatalogProblems
from tests.catalog.items import Shelf


def problems(folder):
    with pytest.raises(CatalogProblems) as error:
        read_folder(folder)
    return [str(problem) for problem in error.value.found]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("title: PostgreSQL database\n", "", "postgresql/item.yaml:1: title is missing"),
        (
            "icon: database",
            "icon: database\ncolour: blue",
            ":9: colour is not known here: look for a typing error",
        ),
        ("version: 1.0.0", "version: 1.0", ":5: version must be a text: put it in quotes"),
        ("version: 1.0.0", "version: one", ":5: version must match ^(0|[1-9]"),
        (
            "environments: [dev, staging, prod]",
            "environments: [dev, test]",
            ":12: availability.environments.1 must be",
        ),
        ("regions: [northeurope,", "regions: [northeurope, northeurope,", "northeurope is there twice"),
        ("icon: database", "icon: [database", "item.yaml:9: this is not YAML"),
        ("icon: database", "icon: \x07", "item.yaml:1: this is not YAML: it has control characters"),
        (
            "icon: database",
            "icon: 2026-13-45",
            "a value cannot be read, put it in quotes: month must be in 1..12",
        ),
        ("icon: database", "icon: &icon [*icon]", ":8: *icon repeats another part of the file: write it out"),
        ("icon: database", "icon: database\nicon: server", ":9: icon is there twice"),
        ("icon: database", "on: database", ":8: on is read as something else than a name: put it in quotes"),
        (
            "fields: [name, sku,",
            "fields: [name, size,",
            ":16: the module has no variable size; it has: name,",
        ),
        ("[private_endpoint]}", "[private_endpoint, name]}", "name is asked twice"),
        ("[private_endpoint]}", "[private_endpoint, tags]}", "tags is asked and injected: only one of both"),
        (
            "    private_endpoint: {wid",
            "    instance: {wid",
            "instance is described and not asked in any section",
        ),
        ("        B_Standard_B2s: Small", "        B_Standard_B9: Small", "sku has no value B_Standard_B9"),
        (
            "    entra_admin: base.entra_admin\n",
            "",
            "the variable entra_admin is required: ask it in a section",
        ),
        (
            "tags: request.tags",
            "tags: request.labels",
            "there is no request.labels here; request has: business_unit",
        ),
        ("tags: request.tags", "tags: params.tags", "uses params, and only base, request can be used here"),
        (
            "\"!params.sku.startsWith('B_')\"",
            '"params.sku.startsWith("',
            ":34: form.fields.high_availability.show_if",
        ),
        ("\"!params.sku.startsWith('B_')\"", "params.sku ==", "is not an expression: column"),
        (
            "\"!params.sku.startsWith('B_')\"",
            "params.sku.lower() == 'b'",
            "calls lower, which does not exist",
        ),
        (
            "by: params.sku",
            "by: params.size",
            "there is no params.size here; params has: backup_retention_days",
        ),
        ("      by: params.sku\n", "", "a meter has either a key, or a lookup together with by"),
        ("quantity: hours\n", "quantity: usage.hours\n", "there is no usage.hours here; usage has: nothing"),
        ("fields: [databases]}", "fields: [tables]}", "tables is not a field of the form"),
        (
            "kind: destroy, confirm",
            "kind: destroy, fields: [sku], confirm",
            "an operation of kind update names its",
        ),
        ("{name: fqdn,", "{name: address,", "the module has no output address; it has: fqdn, id, name"),
        ("name: postgresql", "name: postgres", ":3: name is postgres, and the folder is postgresql"),
    ],
)
def test_a_manifest_that_cannot_be_used_is_explained(folder, edit, old, new, expected):
    edit("postgresql/item.yaml", old, new)

    assert expected in "\n".join(problems(folder))


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("variables.tf", 'variable "name" {', 'variable "name" ', "postgresql/variables.tf:"),
        (
            "variables.tf",
            '  type        = string\n  description = "Work',
            '  description = "Work',
            ":1: variable name: it",
        ),
        (
            "variables.tf",
            "  type        = bool",
            "  type        = boolean",
            "high_availability: this type is not known",
        ),
        ("variables.tf", '"^[0-9]{3}$"', '"^[0-9{3}$"', "is not valid"),
        ("versions.tf", "terraform {", 'terraform {\n  backend "local" {}', ":2: a module has no backend"),
        (
            "main.tf",
            "locals {",
            'provider "azurerm" {\n  features {}\n}\n\nlocals {',
            ":1: a module has no provider block",
        ),
    ],
)
def test_a_module_that_cannot_be_used_is_explained(folder, edit, file, old, new, expected):
    edit(f"postgresql/{file}", old, new)

    assert expected in "\n".join(problems(folder))


def test_a_module_without_a_manifest_is_no_item_and_says_so(folder):
    (folder / "postgresql" / "item.yaml").unlink()

    assert problems(folder) == ["postgresql/item.yaml:1: the file is missing: every module has one"]


def test_an_empty_manifest_is_refused(folder):
    (folder / "postgresql" / "item.yaml").write_text("# nothing\n")

    assert problems(folder) == ["postgresql/item.yaml:1: the file is empty"]


def test_a_manifest_that_is_a_list_is_refused(folder):
    (folder / "postgresql" / "item.yaml").write_text("- one\n")

    assert problems(folder) == ["postgresql/item.yaml:1: the file must be a mapping of names to values"]


def test_a_file_that_is_not_text_is_refused(folder):
    (folder / "postgresql" / "main.tf").write_bytes(b"\xff\xfe")

    assert problems(folder) == ["postgresql/main.tf:1: the file is not written in UTF-8"]


def test_a_folder_without_modules_is_refused(tmp_path):
    assert problems(tmp_path)[0].endswith("there is no module with an item.yaml in this folder")
    assert problems(tmp_path / "nowhere")[0].endswith("there is no such folder")


def test_an_expression_has_a_limited_length(folder, edit):
    edit("postgresql/item.yaml", "quantity: hours\n", f"quantity: {'+'.join(['hours'] * 300)}\n")

    assert "the expression is longer than 1500 characters" in problems(folder)[0]


DEV = {"environments": ["dev"], "regions": ["northeurope"]}
DELETE = {"id": "delete", "title": "Delete", "kind": "destroy"}


@pytest.mark.parametrize(
    ("parts", "place", "expected"),
    [
        ({"icon": "no-such-icon"}, "icon:", "there is no icon no-such-icon: choose one of lucide.dev/icons"),
        ({"ttl": {"dev": {"max_days": 0}}}, "max_days:", "ttl.dev.max_days: input should be greater than or"),
        ({"ttl": {"dev": {"default_days": 9}}}, "dev:", "ttl.dev.max_days is missing"),
        ({"ttl": {"dev": {"default_days": 9, "max_days": 8}}}, "dev:", "default_days is more than max_days"),
        ({"ttl": {"lab": {"max_days": 9}}}, "lab:", "must be 'dev', 'staging' or 'prod'"),
        ({"availability": DEV, "ttl": {"prod": {"max_days": 9}}}, "prod:", "the item is not offered in prod"),
        (
            {"operations": [{**DELETE, "environments": ["prod"]}]},
            "dev:",
            "nothing can remove it in dev when its time is over: add an operation of kind destroy",
        ),
        (
            {"availability": DEV, "operations": [{**DELETE, "environments": ["dev", "prod"]}]},
            "environments:",
            "the item is not offered in prod",
        ),
        ({"operations": [DELETE, DELETE]}, "- id: delete", "delete is there twice"),
        (
            {"changes": [{"version": "1.0.1", "text": "More."}]},
            "- version: 1.0.1",
            "1.0.1 is newer than the item, which is 1.0.0",
        ),
        (
            {"version": "1.0.1", "changes": [{"version": "1.0.1", "text": "More."}] * 2},
            "- version: 1.0.1",
            "1.0.1 is there twice",
        ),
        ({"version": "1.0.1"}, "version: 1.0.1", "say what is new: changes has no entry for 1.0.1"),
        (
            {"availability": {**DEV, "business_units": []}, "ttl": None},
            "business_units:",
            "availability.business_units: list should have at least 1 item",
        ),
        (
            {"availability": {**DEV, "business_units": ["*", "payments"]}},
            "business_units:",
            '"*" means all: leave out the others',
        ),
        (
            {"availability": {**DEV, "business_units": ["No Unit"]}},
            "business_units:",
            "availability.business_units.0 must match",
        ),
        ({"approval": {"hint": ""}}, "hint:", "approval.hint: string should have at least 1 character"),
        ({"approval": {"approvers": "anna"}}, "approvers:", "approval.approvers is not known here"),
    ],
)
def test_parts_that_do_not_fit_together_are_explained_with_their_line(tmp_path, parts, place, expected):
    Shelf(tmp_path).write(**parts)
    lines = (tmp_path / "space" / "item.yaml").read_text().splitlines()

    found = problems(tmp_path)

    near = [number for number, line in enumerate(lines, start=1) if place in line]
    assert any(expected in problem for problem in found), found
    told = next(int(problem.split(":")[1]) for problem in found if expected in problem)
    assert min(abs(told - number) for number in near) <= 1


def test_everything_that_is_wrong_with_an_item_is_told_in_one_go(tmp_path):
    Shelf(tmp_path).write(
        icon="no-such-icon", version="1.0.1", lifecycle="deprecated", replaced_by="nowhere",
        operations=[DELETE, DELETE], outputs=[{"name": "nothing", "label": "Nothing"}],
    )  # fmt: skip

    assert {problem.partition(": ")[2].split(";")[0].split(":")[0] for problem in problems(tmp_path)} == {
        "say what is new",
        "there is no icon no-such-icon",
        "there is no item nowhere",
        "delete is there twice",
        "the module has no output nothing",
    }
