import io
import json
import shutil

import pytest
import yaml
from django.core.management import call_command
from django.core.management.base import CommandError
from jsonschema import Draft202012Validator

from catalog_app.models import CatalogSync, Item, ItemVersion
from catalog_app.modules import digest_of
from catalog_app.problems import CatalogProblems
from catalog_app.sync import sync
from requests_app.models import Deployment
from tests.catalog.conftest import MODULES

pytestmark = pytest.mark.django_db

RULE_THAT_FAILS = (
    "rules:\n- {id: odd, version: 1, title: t, stage: request, effect: deny, assert: 'true', message: m,"
    " tests: [{name: one, request: {}, expect: pass}, {name: two, request: {}, expect: fail}]}\n"
)


def command(*arguments):
    output = io.StringIO()
    call_command("sync_catalog", *map(str, arguments), stdout=output, stderr=output)
    return output.getvalue()


def raise_version(edit, item, version="1.1.0"):
    edit(f"{item}/item.yaml", "version: 1.0.0", f"version: {version}")
    change = f"changes: [{{version: {version}, text: Something new.}}]"
    edit(f"{item}/item.yaml", "lifecycle: ga", f"lifecycle: ga\n{change}\n#")


def line_of(folder, file, text):
    lines = (folder / file).read_text().splitlines()
    return next(number for number, line in enumerate(lines, start=1) if text in line)


def current(slug):
    return Item.objects.select_related("current").get(slug=slug).current


def test_the_modules_become_items_with_versions(folder):
    result = sync(folder)

    assert result.items == ["postgresql", "resource-group", "storage-account"]
    assert result.created == ["postgresql 1.0.0", "resource-group 1.0.0", "storage-account 1.0.0"]
    version = current("postgresql")
    assert version.digest == digest_of(version.files)
    assert set(version.files) == {"item.yaml", "main.tf", "outputs.tf", "variables.tf", "versions.tf"}
    assert version.parsed.title == "PostgreSQL database"


def test_a_second_sync_changes_nothing(folder):
    sync(folder)
    before = list(ItemVersion.objects.order_by("pk").values())

    result = sync(folder)

    assert result.created == []
    assert len(result.unchanged) == 3
    assert list(ItemVersion.objects.order_by("pk").values()) == before


def test_a_broken_third_item_keeps_the_other_two_out(folder, edit):
    edit("storage-account/item.yaml", "category: storage", "category: warehouse")

    with pytest.raises(CatalogProblems, match=r"storage-account/item.yaml:6: category must be 'compute'"):
        sync(folder)

    assert not Item.objects.exists()
    assert not ItemVersion.objects.exists()


def test_a_broken_item_leaves_the_catalog_as_it_was(folder, edit):
    sync(folder)
    raise_version(edit, "postgresql")
    edit("storage-account/variables.tf", 'variable "name" {', 'variable "name" ')

    with pytest.raises(CatalogProblems):
        sync(folder)

    assert current("postgresql").version == "1.0.0"
    assert ItemVersion.objects.count() == 3


def test_problems_of_all_items_and_of_the_rules_are_told_at_once(folder, edit, tmp_path):
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "odd.yaml").write_text(RULE_THAT_FAILS)
    edit("postgresql/item.yaml", "lifecycle: ga", "lifecycle: golden")
    edit("resource-group/item.yaml", "icon: folder", "icon: Folder Icon")
    edit("storage-account/item.yaml", "name: storage-account", "name: storage")

    with pytest.raises(CatalogProblems) as error:
        sync(folder, policies=tmp_path / "rules")

    assert [(problem.file, problem.line) for problem in error.value.found] == [
        ("postgresql/item.yaml", line_of(folder, "postgresql/item.yaml", "lifecycle:")),
        ("resource-group/item.yaml", line_of(folder, "resource-group/item.yaml", "icon:")),
        ("rules/odd.yaml", 2),
        ("storage-account/item.yaml", line_of(folder, "storage-account/item.yaml", "name:")),
    ]


def test_a_version_that_changed_is_told_with_the_other_problems(folder, edit):
    sync(folder)
    edit("postgresql/main.tf", "\n", "\n\n")
    raise_version(edit, "resource-group")
    edit("resource-group/item.yaml", "icon: folder", "icon: foulder")

    with pytest.raises(CatalogProblems) as error:
        sync(folder)

    assert [problem.reason.split(":")[0] for problem in error.value.found] == [
        "version 1.0.0 is in the catalog with other files",
        "there is no icon foulder",
    ]


@pytest.mark.parametrize("file", ["postgresql/main.tf", "postgresql/item.yaml", "postgresql/variables.tf"])
def test_a_version_is_refused_when_its_files_have_changed(folder, edit, file):
    sync(folder)
    edit(file, "\n", "\n\n")

    with pytest.raises(
        CatalogProblems, match="version 1.0.0 is in the catalog with other files: raise the version"
    ):
        sync(folder)


def test_a_draft_that_nobody_uses_may_change_without_a_new_version(folder, edit):
    edit("postgresql/item.yaml", "lifecycle: ga", "lifecycle: draft")
    sync(folder)
    edit("postgresql/item.yaml", "title: PostgreSQL database", "title: PostgreSQL")

    assert sync(folder).created == ["postgresql 1.0.0"]
    assert current("postgresql").parsed.title == "PostgreSQL"
    assert ItemVersion.objects.filter(item__slug="postgresql").count() == 1


def test_a_draft_that_is_in_use_is_a_version_like_any_other(folder, edit, people):
    edit("resource-group/item.yaml", "lifecycle: ga", "lifecycle: draft")
    sync(folder)
    Deployment.objects.create(
        name="used", item_version=current("resource-group"), item=current("resource-group").item,
        business_unit=people.payments, environment="dev", region="northeurope", owner=people.anna,
    )  # fmt: skip
    edit("resource-group/item.yaml", "title: Resource group", "title: Group")

    with pytest.raises(CatalogProblems, match="raise the version"):
        sync(folder)

    assert current("resource-group").parsed.title == "Resource group"


def test_documentation_and_tests_of_a_module_are_not_part_of_its_version(folder, edit):
    sync(folder)
    edit("postgresql/README.md", "\n", "\nMore words.\n")
    edit("postgresql/tests/unit.tftest.hcl", "\n", "\n\n")

    assert sync(folder).created == []


def test_a_new_version_is_offered_and_the_old_one_is_kept(folder, edit):
    sync(folder)
    raise_version(edit, "postgresql")
    edit("postgresql/item.yaml", "title: PostgreSQL database", "title: PostgreSQL")

    result = sync(folder)

    assert result.created == ["postgresql 1.1.0"]
    item = Item.objects.get(slug="postgresql")
    assert (item.title, item.current.version) == ("PostgreSQL", "1.1.0")
    assert [version.version for version in item.versions.all()] == ["1.1.0", "1.0.0"]


def test_going_back_offers_the_old_version_again(folder, edit, tmp_path):
    before = shutil.copytree(folder, tmp_path / "before")
    sync(folder)
    raise_version(edit, "postgresql")
    sync(folder)

    sync(before)

    assert current("postgresql").version == "1.0.0"


def test_an_item_whose_module_is_gone_is_withdrawn_and_comes_back(folder, tmp_path, people):
    before = shutil.copytree(folder, tmp_path / "before")
    sync(folder)
    shutil.rmtree(folder / "postgresql")

    assert sync(folder).withdrawn == ["postgresql"]
    assert not Item.objects.offered_to(people.olga).filter(slug="postgresql").exists()
    assert Item.objects.get(slug="postgresql").lifecycle == "retired"
    assert ItemVersion.objects.filter(item__slug="postgresql").exists()
    assert sync(folder).withdrawn == []

    sync(before)
    assert Item.objects.offered_to(people.anna).filter(slug="postgresql").exists()


def test_the_offered_items_and_their_versions_take_three_queries(folder, people, django_assert_num_queries):
    sync(folder)

    with django_assert_num_queries(3):  # the roles, the business units, and the items
        items = [(item.title, item.current.version) for item in Item.objects.offered_to(people.anna)]

    assert items == [
        ("PostgreSQL database", "1.0.0"),
        ("Resource group", "1.0.0"),
        ("Storage account", "1.0.0"),
    ]


def test_every_sync_is_kept_with_what_it_changed(folder, edit):
    sync(folder, by="olga", commit="abc123")
    sync(folder)
    shutil.rmtree(folder / "postgresql")
    sync(folder)

    first, second, third = CatalogSync.objects.order_by("pk")
    assert (first.by, first.commit, first.items) == ("olga", "abc123", 3)
    assert first.created == ["postgresql 1.0.0", "resource-group 1.0.0", "storage-account 1.0.0"]
    assert (second.items, second.created, second.withdrawn, second.problems) == (3, [], [], "")
    assert (third.items, third.withdrawn) == (2, ["postgresql"])


def test_a_sync_that_fails_is_kept_with_the_reason_and_a_check_is_not(folder, edit):
    edit("postgresql/item.yaml", "lifecycle: ga", "lifecycle: golden")

    for check in (False, True):
        with pytest.raises(CatalogProblems):
            sync(folder, check=check)

    (kept,) = CatalogSync.objects.all()
    assert "lifecycle must be" in kept.problems
    assert kept.items == 0


def test_an_item_for_a_business_unit_that_does_not_exist_is_noted(folder, edit, people):
    edit("postgresql/item.yaml", "availability:", "availability:\n  business_units: [payments, paymnts]")

    assert sync(folder).notes == ["postgresql is offered to paymnts, and there is no such business unit"]


def test_the_command_says_what_is_new(folder):
    assert command(folder) == (
        "new: postgresql 1.0.0\nnew: resource-group 1.0.0\nnew: storage-account 1.0.0\n"
        "3 items in the catalog.\n"
    )
    assert command(folder) == "3 items in the catalog.\n"
    assert CatalogSync.objects.first().by


def test_a_check_changes_nothing(folder):
    assert "3 items in order." in command("--check", folder)
    assert not Item.objects.exists()
    assert not CatalogSync.objects.exists()

    sync(folder)
    shutil.rmtree(folder / "postgresql")
    assert "withdrawn: postgresql" in command("--check", folder)
    assert Item.objects.get(slug="postgresql").is_offered


def test_the_command_tells_every_problem_and_fails(folder, edit):
    edit("postgresql/item.yaml", "key: psql.storage", "key: psql.nothing")
    edit("storage-account/item.yaml", "name: storage-account", "name: storage")
    output = io.StringIO()

    with pytest.raises(CommandError, match="2 problems; the catalog was not changed"):
        call_command("sync_catalog", str(folder), stderr=output)

    line = line_of(folder, "postgresql/item.yaml", "psql.nothing")
    assert output.getvalue().splitlines()[0].startswith(f"postgresql/item.yaml:{line - 2}: there is no price")
    assert output.getvalue().splitlines()[1] == (
        "storage-account/item.yaml:3: name is storage, and the folder is storage-account"
    )


def test_no_items_come_in_while_a_rule_fails_its_own_examples(folder, settings, tmp_path):
    settings.POLICY_FOLDER = tmp_path / "rules"
    settings.POLICY_FOLDER.mkdir()
    (settings.POLICY_FOLDER / "odd.yaml").write_text(RULE_THAT_FAILS)

    with pytest.raises(CommandError, match="1 problem;"):
        command(folder)

    assert not Item.objects.exists()


def test_a_price_file_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "prices.json").write_text('{"prices": []}')

    with pytest.raises(CommandError, match="prices.json cannot be read"):
        command("--prices", tmp_path / "prices.json")


def test_the_schema_for_editors_is_the_one_of_this_code(tmp_path, settings):
    command("--schema", tmp_path / "item.schema.json")

    written = (settings.BASE_DIR / "docs" / "item.schema.json").read_text()
    assert written == (tmp_path / "item.schema.json").read_text(), (
        "write it again: manage.py sync_catalog --schema docs/item.schema.json"
    )


def test_editors_accept_every_item_of_the_catalog_and_mark_mistakes(settings):
    schema = json.loads((settings.BASE_DIR / "docs" / "item.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    for item in MODULES.glob("*/item.yaml"):
        manifest = yaml.safe_load(item.read_text())
        assert [error.message for error in validator.iter_errors(manifest)] == [], item

        assert not validator.is_valid({**manifest, "colour": "blue"})
        assert not validator.is_valid({**manifest, "version": 1.0})
        assert not validator.is_valid({**manifest, "ttl": {"lab": {"max_days": 3}}})
        assert not validator.is_valid({**manifest, "form": {**manifest["form"], "inject": {"No Name": "x"}}})
