import pytest

from catalog_app import services
from portal.errors import InvalidInput
from tests.catalog.conftest import read_versions

SERVER = {"name": "shop", "sku": "GP_Standard_D2ds_v5"}


def problems(version, given, **scope):
    with pytest.raises(InvalidInput) as error:
        services.validate(version, given, **scope)
    return error.value.problems


def test_defaults_are_filled_in(postgresql):
    assert services.validate(postgresql, {"name": "shop"}) == {
        "name": "shop",
        "sku": "B_Standard_B2s",
        "storage_gb": 32,
        "postgres_version": "17",
        "databases": [],
        "high_availability": False,
        "backup_retention_days": 7,
        "private_endpoint": None,
    }


def test_defaults_are_filled_in_inside_of_objects(postgresql, resource_group):
    endpoint = {"subnet_id": "/subnets/a"}
    budget = {"amount": 100, "start_date": "2026-12-01T00:00:00Z"}

    server = services.validate(postgresql, SERVER | {"private_endpoint": endpoint})
    group = services.validate(resource_group, {"name": "shop", "budget": budget})

    assert server["private_endpoint"] == {"subnet_id": "/subnets/a", "private_dns_zone_ids": []}
    assert group["budget"] == {**budget, "emails": [], "thresholds": [80, 100]}


def test_what_is_given_is_not_changed(postgresql):
    given = {"name": "shop", "storage_gb": 64.0, "databases": ["orders"]}

    parameters = services.validate(postgresql, given)
    parameters["databases"].append("more")

    assert given == {"name": "shop", "storage_gb": 64.0, "databases": ["orders"]}
    assert services.validate(postgresql, {"name": "shop"})["databases"] == []


@pytest.mark.parametrize(
    ("change", "field", "expected"),
    [
        ({"name": "Shop"}, "name", "The name has 3 to 12 lower-case letters"),
        ({"name": "shop\n"}, "name", "The name has 3 to 12 lower-case letters"),
        ({"name": "sh"}, "name", "The name has 3 to 12 lower-case letters"),
        ({"name": "averyverylongname"}, "name", "The name has 3 to 12 lower-case letters"),
        ({"name": 12345}, "name", "This must be a text, not the number 12345."),
        ({"name": None}, "name", "This must be a text, not null (leave it out to get the default)."),
        ({"name": ["shop"]}, "name", "This must be a text, not a list."),
        ({"storage_gb": 33}, "storage_gb", "storage_gb is one of: 32, 64, 128, 256, 512, 1024."),
        ({"storage_gb": "64"}, "storage_gb", 'This must be a number, not the text "64".'),
        ({"storage_gb": True}, "storage_gb", "This must be a number, not true."),
        ({"storage_gb": float("nan")}, "storage_gb", "This is not a number that can be used"),
        ({"storage_gb": float("inf")}, "storage_gb", "This is not a number that can be used"),
        ({"storage_gb": 10**400}, "storage_gb", "This is not a number that can be used"),
        ({"backup_retention_days": 6}, "backup_retention_days", "Backups are kept for 7 to 35 whole days."),
        ({"backup_retention_days": 7.5}, "backup_retention_days", "Backups are kept for 7 to 35 whole days."),
        (
            {"high_availability": "yes"},
            "high_availability",
            'This must be true or false, not the text "yes".',
        ),
        ({"high_availability": 1}, "high_availability", "This must be true or false, not the number 1."),
        ({"postgres_version": 17}, "postgres_version", "This must be a text, not the number 17."),
        ({"databases": "orders"}, "databases", 'This must be a list, not the text "orders".'),
        ({"databases": ["orders", "Not good"]}, "databases.1", "A database name has up to 63"),
        ({"databases": ["a", "a"]}, "databases", "This holds the same value twice: give each only once."),
        ({"databases": [["a"]]}, "databases.0", "This must be a text, not a list."),
        ({"databases": ["a\x00"]}, "databases.0", "This has a character that cannot be stored"),
        ({"name": "\ud800"}, "name", "This has a character that cannot be stored"),
        ({"private_endpoint": {}}, "private_endpoint.subnet_id", "This is needed and was not given."),
        (
            {"private_endpoint": "subnet"},
            "private_endpoint",
            "This must be an object with named fields or null",
        ),
        (
            {"private_endpoint": {"subnet_id": "s", "vnet": "v"}},
            "private_endpoint.vnet",
            "private_endpoint has no vnet",
        ),
        (
            {"private_endpoint": {"subnet_id": "s", "private_dns_zone_ids": [1]}},
            "private_endpoint.private_dns_zone_ids.0",
            "This must be a text, not the number 1.",
        ),
        ({"size": "large"}, "size", "size is not a parameter of postgresql; it takes: name, sku,"),
        (
            {"environment": "prod"},
            "environment",
            "environment is filled in by the portal and cannot be given",
        ),
        (
            {"resource_group_name": "rg"},
            "resource_group_name",
            "resource_group_name is filled in by the portal",
        ),
        ({"tags": {}}, "tags", "tags is filled in by the portal"),
        ({"instance": "002"}, "instance", "instance is not a parameter of postgresql"),
        ({"": 1}, "", " is not a parameter of postgresql"),
    ],
)
def test_a_bad_value_is_refused_at_its_field(postgresql, change, field, expected):
    found = problems(postgresql, SERVER | change)

    assert list(found) == [field]
    assert found[field].startswith(expected)


def test_a_name_that_is_needed_must_be_given(postgresql):
    assert problems(postgresql, {}) == {"name": "This is needed and was not given."}


def test_all_problems_are_told_at_once(postgresql):
    found = problems(postgresql, {"storage_gb": "x", "sku": "huge", "extra": 1, "databases": [1, "ok", None]})

    assert set(found) == {"name", "storage_gb", "sku", "extra", "databases.0", "databases.2"}


def test_the_budget_is_checked_inside_and_in_the_words_of_the_module(resource_group):
    budget = {"amount": 0, "start_date": "2026-12-02T00:00:00Z", "emails": "a@example.com"}

    assert problems(resource_group, {"name": "shop", "budget": budget}) == {
        "budget.amount": "The budget is more than 0.",
        "budget.start_date": (
            "The budget starts on the first day of a month, written like 2026-12-01T00:00:00Z."
        ),
        "budget.emails": 'This must be a list, not the text "a@example.com".',
    }


@pytest.mark.parametrize(
    ("given", "field", "expected"),
    [
        ({"name": "a" * 20_001}, "name", "This is longer than 20,000 characters."),
        ({"databases": ["a"] * 1001}, "databases", "This holds more than 1,000 values."),
        (
            {"private_endpoint": {str(n): n for n in range(1001)}},
            "private_endpoint",
            "This holds more than 1,000",
        ),
        ({"x" * 20_001: 1}, "parameters", "A name in here cannot be used. This is longer"),
        ({"a\x00b": 1}, "parameters", "A name in here cannot be used. This has a character"),
        ({str(n): n for n in range(1001)}, "parameters", "This holds more than 1,000 values."),
    ],
)
def test_what_is_huge_or_harmful_is_refused_before_it_is_looked_at(postgresql, given, field, expected):
    found = problems(postgresql, given)

    assert list(found) == [field]
    assert found[field].startswith(expected)


def test_a_value_that_is_nested_without_end_is_refused(postgresql):
    deep: list = []
    for _ in range(50_000):
        deep = [deep]

    found = problems(postgresql, {"databases": deep})

    assert list(found.values()) == ["This goes deeper than 20 levels."]
    while deep:  # taken apart by hand: Python would do it by recursion
        deep = deep.pop()


def test_many_wrong_values_give_a_limited_answer(postgresql):
    assert len(problems(postgresql, {"databases": [f"Bad {n}" for n in range(1000)]})) <= 51


@pytest.mark.parametrize(
    ("scope", "field"),
    [
        ({"environment": "test"}, "environment"),
        ({"region": "eastus"}, "region"),
        ({"environment": "dev\n"}, "environment"),
    ],
)
def test_an_item_is_refused_where_it_is_not_offered(postgresql, scope, field):
    found = problems(postgresql, {"name": "shop"}, **scope)

    assert "is not offered in the" in found[field]
    assert "Choose one of: " in found[field]


def test_an_item_may_be_offered_to_some_business_units_only(folder, edit):
    from_file = "regions: [northeurope, germanywestcentral, uksouth]"
    edit("postgresql/item.yaml", from_file, f"{from_file}\n  business_units: [retail]")
    version = read_versions(folder)["postgresql"]

    assert services.validate(version, {"name": "shop"}, business_unit="retail")
    assert problems(version, {"name": "shop"}, business_unit="payments") == {
        "business_unit": ("PostgreSQL database is not offered to payments.")
    }


def test_what_the_form_hides_goes_back_to_its_default(postgresql):
    burstable = {"name": "shop", "sku": "B_Standard_B2s", "high_availability": True}

    assert services.validate(postgresql, burstable)["high_availability"] is False
    assert services.validate(postgresql, SERVER | {"high_availability": True})["high_availability"] is True


def test_the_form_shows_what_fits_to_the_values_so_far(postgresql):
    assert services.shape(postgresql, SERVER).hidden == set()
    for burstable in (
        {"sku": "B_Standard_B2s"},
        {"sku": "nonsense", "name": 7},
        {"sku": ["GP"], "other": {}},
    ):
        assert services.shape(postgresql, burstable).hidden == {"high_availability"}


def test_only_what_an_operation_names_can_be_changed(postgresql, storage, resource_group):
    assert services.editable(postgresql) == [
        "sku", "storage_gb", "databases", "high_availability", "backup_retention_days",
    ]  # fmt: skip
    assert services.editable(storage) == ["containers", "replication", "access_tier", "soft_delete_days"]
    assert services.editable(resource_group, environment="prod") == ["budget"]


def test_an_operation_may_be_for_some_environments_only(folder, edit):
    edit(
        "resource-group/item.yaml",
        "fields: [budget]}\n  - {id: d",
        "fields: [budget], environments: [dev]}\n  - {id: d",
    )
    version = read_versions(folder)["resource-group"]

    assert services.editable(version, environment="dev") == ["budget"]
    assert services.editable(version, environment="prod") == []


def test_rules_over_two_values_are_left_to_terraform(postgresql):
    assert [check["variable"] for check in postgresql.server_checks] == ["high_availability"]
