"""Answers that depend on each other: what is shown, what can be chosen, and what is refused."""

import pytest

from catalog_app import services
from catalog_app.modules import read_folder
from catalog_app.problems import CatalogProblems
from portal.errors import InvalidInput
from tests.catalog.conftest import read_versions

SMALL, LARGE = "B_Standard_B2s", "GP_Standard_D2ds_v5"


def refused(version, given, **scope):
    with pytest.raises(InvalidInput) as error:
        services.validate(version, {"name": "shop", **given}, **scope)
    return error.value.problems


def test_a_choice_may_depend_on_the_environment(postgresql):
    assert services.validate(postgresql, {"name": "shop", "sku": SMALL}, environment="staging")
    assert services.validate(postgresql, {"name": "shop", "sku": LARGE}, environment="prod")
    assert refused(postgresql, {"sku": SMALL}, environment="prod") == {
        "sku": f"{SMALL} cannot be chosen with environment prod. "
        "Choose one of: GP_Standard_D2ds_v5, GP_Standard_D4ds_v5."
    }


def test_a_default_that_cannot_be_chosen_has_to_be_answered(postgresql):
    assert refused(postgresql, {}, environment="prod").keys() == {"sku"}


def test_what_is_wrong_otherwise_is_told_beside_it(postgresql):
    found = refused(postgresql, {"storage_gb": 33, "sku": SMALL, "colour": 1}, environment="prod")

    assert found.keys() == {"storage_gb", "sku", "colour"}


def test_a_value_that_is_wrong_is_told_once(postgresql):
    assert refused(postgresql, {"sku": "Huge"}, environment="prod") == {
        "sku": "sku is one of: B_Standard_B1ms, B_Standard_B2s, GP_Standard_D2ds_v5, GP_Standard_D4ds_v5."
    }


def test_a_form_closes_what_cannot_be_chosen(postgresql):
    assert services.shape(postgresql, {}, environment="dev").closed == {}
    assert services.shape(postgresql, {}, environment="prod").closed == {
        "sku": {"B_Standard_B1ms": "environment prod", "B_Standard_B2s": "environment prod"}
    }


@pytest.mark.parametrize("where", ["", "nowhere", "\ud800", "prod\n"])
def test_a_place_where_the_item_is_not_offered_is_none(postgresql, where):
    assert services.shape(postgresql, {}, environment=where, region=where).closed == {}


def test_what_is_there_may_stay_until_it_is_changed(postgresql):
    there = {"name": "shop", "sku": SMALL, "storage_gb": 32}
    change = {"before": there, "environment": "prod"}

    assert services.validate(postgresql, {**there, "storage_gb": 64}, **change)["sku"] == SMALL
    assert refused(postgresql, {**there, "sku": "B_Standard_B1ms"}, **change).keys() == {"sku"}
    assert refused(postgresql, {**there, "storage_gb": 33}, **change).keys() == {"storage_gb"}


@pytest.fixture
def choosy(folder, edit):
    """Versions up to 16 for small sizes only, and much storage with a version that is given."""
    edit(
        "postgresql/item.yaml",
        "postgres_version: {title: PostgreSQL version}",
        "postgres_version: {title: PostgreSQL version, choices_if: "
        "{'15': \"params.sku.startsWith('B_')\", '16': \"params.sku.startsWith('B_')\"}}",
    )
    edit(
        "postgresql/item.yaml",
        "storage_gb: {title: Storage (GB),",
        "storage_gb: {title: Storage (GB), choices_if: "
        "{'1024': 'params.postgres_version == \"18\" && !params.high_availability'},",
    )
    return read_versions(folder)["postgresql"]


def test_a_choice_may_depend_on_other_fields(choosy):
    assert services.validate(choosy, {"name": "shop", "sku": SMALL, "postgres_version": "15"})
    assert refused(choosy, {"sku": LARGE, "postgres_version": "15"}) == {
        "postgres_version": f"15 cannot be chosen with sku {LARGE}. Choose one of: 17, 18."
    }
    assert refused(choosy, {"storage_gb": 1024}) == {
        "storage_gb": "1024 cannot be chosen with high_availability false and postgres_version 17. "
        "Choose one of: 32, 64, 128, 256, 512."
    }


def test_a_choice_that_was_open_and_is_closed_by_a_change_is_refused(choosy):
    there = {"name": "shop", "sku": SMALL, "postgres_version": "15"}

    assert refused(choosy, {**there, "sku": LARGE}, before=there).keys() == {"postgres_version"}


def test_a_choice_that_depends_on_a_wrong_value_is_not_judged(choosy):
    assert refused(choosy, {"sku": "Huge", "postgres_version": "15"}).keys() == {"sku"}
    assert services.shape(choosy, {"sku": "Huge", "high_availability": "no"}).closed == {}
    assert services.shape(choosy, {}).closed.keys() == {"storage_gb"}


def test_what_is_hidden_is_pruned_before_it_is_judged(folder, edit):
    """A hidden answer counts as its default, also for the choices of others."""
    edit(
        "postgresql/item.yaml",
        "postgres_version: {title: PostgreSQL version}",
        "postgres_version: {title: PostgreSQL version, choices_if: {'18': params.high_availability}}",
    )
    version = read_versions(folder)["postgresql"]
    wanted = {"name": "shop", "postgres_version": "18", "high_availability": True}

    assert services.validate(version, {**wanted, "sku": LARGE})["postgres_version"] == "18"
    assert refused(version, {**wanted, "sku": SMALL}).keys() == {"postgres_version"}


def test_a_field_that_is_hidden_is_not_judged(folder, edit):
    edit(
        "postgresql/item.yaml",
        "postgres_version: {title: PostgreSQL version}",
        "postgres_version: {show_if: params.high_availability, choices_if: {'17': params.high_availability}}",
    )
    version = read_versions(folder)["postgresql"]

    assert services.validate(version, {"name": "shop"})["postgres_version"] == "17"


def test_a_condition_that_fails_closes_the_choice(folder, edit):
    edit(
        "postgresql/item.yaml",
        "postgres_version: {title: PostgreSQL version}",
        "postgres_version: {choices_if: {'18': \"params.private_endpoint.subnet_id != ''\"}}",
    )
    version = read_versions(folder)["postgresql"]
    private = {"private_endpoint": {"subnet_id": "s"}}

    assert services.validate(version, {"name": "shop", "postgres_version": "18", **private})
    assert refused(version, {"postgres_version": "18"}) == {
        "postgres_version": "18 cannot be chosen with the other values. Choose one of: 15, 16, 17."
    }


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("{'19': \"request.environment == 'prod'\"}", ":33: postgres_version has no value 19"),
        ("{'17': params.size == 1}", ":33: there is no params.size here; params has: backup_retention_days"),
        (
            "{'17': request.owner == 1}",
            ":33: there is no request.owner here; request has: environment, region",
        ),
        ("{'17': base.vnet}", ":33: form.fields.postgres_version.choices_if.17: `base.vnet` uses base"),
        (
            "{'17': params.}",
            ":33: form.fields.postgres_version.choices_if.17: `params.` is not an expression",
        ),
        ("{17: 'true'}", ":33: 17 is read as something else than a name: put it in quotes"),
    ],
)
def test_a_condition_that_cannot_be_used_is_found_when_it_is_written(folder, edit, written, expected):
    edit("postgresql/item.yaml", "{title: PostgreSQL version}", f"{{choices_if: {written}}}")

    with pytest.raises(CatalogProblems) as refused:
        read_folder(folder)

    assert expected in str(refused.value)


def test_a_field_without_choices_has_none_to_close(folder, edit):
    edit("postgresql/item.yaml", "{title: Backups kept (days)}", "{choices_if: {'7': 'true'}}")

    with pytest.raises(CatalogProblems, match="backup_retention_days has no value 7"):
        read_folder(folder)
