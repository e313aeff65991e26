import io
import shutil

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from catalog_app import services
from catalog_app.models import Item, ItemVersion
from catalog_app.modules import digest_of
from catalog_app.problems import CatalogProblems
from tests.catalog.conftest import MODULES

pytestmark = pytest.mark.django_db


def command(*arguments):
    output = io.StringIO()
    call_command("sync_catalog", *arguments, stdout=output, stderr=output)
    return output.getvalue()


def raise_version(edit, item):
    edit(f"{item}/item.yaml", "version: 1.0.0", "version: 1.1.0")


def test_the_modules_become_items_with_versions():
    result = services.sync(MODULES)

    assert result.items == ["postgresql", "resource-group", "storage-account"]
    assert result.created == ["postgresql 1.0.0", "resource-group 1.0.0", "storage-account 1.0.0"]
    version = Item.objects.offered().get(slug="postgresql").current
    assert version.digest == digest_of(version.files)
    assert set(version.files) == {"item.yaml", "main.tf", "outputs.tf", "variables.tf", "versions.tf"}
    assert version.parsed.title == "PostgreSQL database"


def test_a_second_sync_changes_nothing():
    services.sync(MODULES)
    before = list(ItemVersion.objects.order_by("pk").values())

    result = services.sync(MODULES)

    assert result.created == []
    assert len(result.unchanged) == 3
    assert list(ItemVersion.objects.order_by("pk").values()) == before


def test_a_broken_third_item_keeps_the_other_two_out(folder, edit):
    edit("storage-account/item.yaml", "category: storage", "category: warehouse")

    with pytest.raises(CatalogProblems, match=r"storage-account/item.yaml:6: category must be 'compute'"):
        services.sync(folder)

    assert not Item.objects.exists()
    assert not ItemVersion.objects.exists()


def test_a_broken_item_leaves_the_catalog_as_it_was(folder, edit):
    services.sync(folder)
    raise_version(edit, "postgresql")
    edit("storage-account/variables.tf", 'variable "name" {', 'variable "name" ')

    with pytest.raises(CatalogProblems):
        services.sync(folder)

    assert Item.objects.get(slug="postgresql").current.version == "1.0.0"
    assert ItemVersion.objects.count() == 3


def test_problems_of_all_items_are_told_at_once(folder, edit):
    edit("postgresql/item.yaml", "lifecycle: ga", "lifecycle: golden")
    edit("resource-group/item.yaml", "icon: folder", "icon: Folder Icon")

    with pytest.raises(CatalogProblems) as error:
        services.sync(folder)

    assert [(problem.file, problem.line) for problem in error.value.found] == [
        ("postgresql/item.yaml", 10),
        ("resource-group/item.yaml", 8),
    ]


@pytest.mark.parametrize("file", ["postgresql/main.tf", "postgresql/item.yaml", "postgresql/variables.tf"])
def test_a_version_is_refused_when_its_files_have_changed(folder, edit, file):
    services.sync(folder)
    edit(file, "\n", "\n\n")

    with pytest.raises(
        CatalogProblems, match="version 1.0.0 is in the catalog with other files: raise the version"
    ):
        services.sync(folder)


def test_documentation_and_tests_of_a_module_are_not_part_of_its_version(folder, edit):
    services.sync(folder)
    edit("postgresql/README.md", "\n", "\nMore words.\n")
    edit("postgresql/tests/unit.tftest.hcl", "\n", "\n\n")

    assert services.sync(folder).created == []


def test_a_new_version_is_offered_and_the_old_one_is_kept(folder, edit):
    services.sync(folder)
    raise_version(edit, "postgresql")
    edit("postgresql/item.yaml", "title: PostgreSQL database", "title: PostgreSQL")

    result = services.sync(folder)

    assert result.created == ["postgresql 1.1.0"]
    item = Item.objects.get(slug="postgresql")
    assert (item.title, item.current.version) == ("PostgreSQL", "1.1.0")
    assert [version.version for version in item.versions.all()] == ["1.1.0", "1.0.0"]


def test_going_back_offers_the_old_version_again(folder, edit):
    services.sync(folder)
    raise_version(edit, "postgresql")
    services.sync(folder)

    services.sync(MODULES)

    assert Item.objects.get(slug="postgresql").current.version == "1.0.0"


def test_an_item_whose_module_is_gone_is_withdrawn_and_comes_back(folder):
    services.sync(folder)
    shutil.rmtree(folder / "postgresql")

    assert services.sync(folder).withdrawn == ["postgresql"]
    assert not Item.objects.offered().filter(slug="postgresql").exists()
    assert ItemVersion.objects.filter(item__slug="postgresql").exists()
    assert services.sync(folder).withdrawn == []

    services.sync(MODULES)
    assert Item.objects.offered().filter(slug="postgresql").exists()


@pytest.mark.parametrize("lifecycle", ["draft", "retired"])
def test_what_is_not_ready_or_over_is_not_offered(folder, edit, lifecycle):
    edit("postgresql/item.yaml", "lifecycle: ga", f"lifecycle: {lifecycle}")

    services.sync(folder)

    assert "postgresql" not in Item.objects.offered().values_list("slug", flat=True)


def test_the_offered_items_and_their_versions_take_one_query(django_assert_num_queries):
    services.sync(MODULES)

    with django_assert_num_queries(1):
        items = [(item.title, item.current.version) for item in Item.objects.offered()]

    assert items == [
        ("PostgreSQL database", "1.0.0"),
        ("Resource group", "1.0.0"),
        ("Storage account", "1.0.0"),
    ]


def test_the_command_says_what_is_new():
    assert command() == (
        "new: postgresql 1.0.0\nnew: resource-group 1.0.0\nnew: storage-account 1.0.0\n"
        "3 items in the catalog.\n"
    )
    assert command() == "3 items in the catalog.\n"


def test_a_check_changes_nothing(folder):
    assert "3 items are in order." in command("--check")
    assert not Item.objects.exists()

    services.sync(MODULES)
    shutil.rmtree(folder / "postgresql")
    assert "withdrawn: postgresql" in command("--check", str(folder))
    assert Item.objects.offered().filter(slug="postgresql").exists()


def test_the_command_tells_every_problem_and_fails(folder, edit):
    edit("postgresql/item.yaml", "key: psql.storage", "key: psql.nothing")
    edit("storage-account/item.yaml", "name: storage-account", "name: storage")
    output = io.StringIO()

    with pytest.raises(CommandError, match="2 problems; the catalog was not changed"):
        call_command("sync_catalog", str(folder), stderr=output)

    assert output.getvalue() == (
        "postgresql/item.yaml:53: there is no price anywhere for psql.nothing\n"
        "storage-account/item.yaml:3: name is storage, and the folder is storage-account\n"
    )


def test_no_items_come_in_while_a_rule_fails_its_own_examples(settings, tmp_path):
    settings.POLICY_FOLDER = tmp_path
    (tmp_path / "odd.yaml").write_text(
        "rules:\n- {id: odd, version: 1, title: t, stage: request, effect: deny, assert: 'true', message: m,"
        " tests: [{name: one, request: {}, expect: pass}, {name: two, request: {}, expect: fail}]}\n"
    )

    with pytest.raises(CommandError, match="1 problems"):
        command()

    assert not Item.objects.exists()


def test_a_price_file_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "prices.json").write_text('{"prices": []}')

    with pytest.raises(CommandError, match="prices.json cannot be read"):
        command("--prices", str(tmp_path / "prices.json"))
