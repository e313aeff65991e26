import pytest

from catalog_app import services
from portal.errors import InvalidInput

REQUEST = {
    "environment": "dev",
    "region": "northeurope",
    "business_unit": "payments",
    "cost_center": "CC-1001",
    "requester": "anna",
    "name": "shop",
    "tags": {"business-unit": "payments"},
    "unique_suffix": "x7k2",
}
ADMIN = {"tenant_id": "t", "object_id": "o", "name": "dba"}
BASE = {"resource_group_name": "rg-payments-dev", "entra_admin": ADMIN, "something_else": 1}


def inject(version, request=REQUEST, base=BASE):
    return services.inject(version, {"name": "shop"}, request=request, base=base)


def test_the_portal_fills_in_what_nobody_is_asked(postgresql):
    assert inject(postgresql) == {
        "name": "shop",
        "environment": "dev",
        "location": "northeurope",
        "tags": {"business-unit": "payments"},
        "resource_group_name": "rg-payments-dev",
        "unique_suffix": "x7k2",
        "entra_admin": ADMIN,
    }


def test_an_item_that_needs_no_landing_zone_gets_by_without(resource_group):
    assert inject(resource_group, base={})["location"] == "northeurope"


@pytest.mark.parametrize("base", [{}, {"resource_group_name": "rg"}])
def test_a_landing_zone_that_lacks_something_is_named(postgresql, base):
    with pytest.raises(InvalidInput) as error:
        inject(postgresql, base=base)

    assert error.value.problems == {
        "business_unit": "payments has no landing zone in dev for PostgreSQL database: "
        "ask the platform team to set one up."
    }


def test_a_landing_zone_with_a_wrong_value_is_found_before_the_run(postgresql):
    with pytest.raises(InvalidInput) as error:
        inject(postgresql, base=BASE | {"entra_admin": ADMIN | {"type": "Robot"}, "resource_group_name": 7})

    assert error.value.problems == {
        "entra_admin.type": "The type is Group, User or ServicePrincipal.",
        "resource_group_name": "This must be a text, not the number 7.",
    }


def test_a_fact_that_is_missing_is_named(postgresql):
    without = {name: value for name, value in REQUEST.items() if name != "unique_suffix"}

    with pytest.raises(
        InvalidInput, match="The portal could not fill in unique_suffix: there is no unique_suffix"
    ):
        inject(postgresql, request=without)


def test_a_bad_suffix_is_refused(postgresql):
    with pytest.raises(InvalidInput, match="four lower-case letters or digits"):
        inject(postgresql, request=REQUEST | {"unique_suffix": "X"})
