"""What operators can do in the admin, and that they cannot raise their own rights with it."""

from io import StringIO

import pytest
from django.conf import settings
from django.core.management import call_command

from portal.identity.models import BusinessUnit, User
from portal.models import Event
from tests.permissions.world import OWN

pytestmark = pytest.mark.django_db

USERS = "/admin/identity/user/"


@pytest.fixture
def omar(world):
    """An operator who is no superuser."""
    return world.signed_in("operator")


@pytest.fixture
def susan(world, client_for):
    return client_for(User.objects.create(username="susan", is_staff=True, is_superuser=True))


def test_an_operator_who_is_no_superuser_changes_no_account(omar, world):
    himself, other = world.users["operator"], world.users["viewer"]

    for user in (himself, other):
        page = f"{USERS}{user.pk}/change/"
        assert omar.get(page).status_code == 200
        assert omar.post(page, {"is_superuser": "on", "is_staff": "on"}).status_code == 403
        assert (
            omar.post(f"{USERS}{user.pk}/password/", {"password1": "x", "password2": "x"}).status_code == 403
        )
    assert omar.get(f"{USERS}add/").status_code == 403
    assert not User.objects.filter(pk__in=[himself.pk, other.pk], is_superuser=True).exists()


def test_a_superuser_makes_an_operator_and_cannot_change_their_own_rights(susan, world):
    other, page = world.users["viewer"], f"{USERS}{world.users['viewer'].pk}/change/"
    none = {f"memberships-{name}": "0" for name in ("TOTAL_FORMS", "INITIAL_FORMS")}
    sent = susan.post(page, {"username": other.username, "is_active": "on", "is_staff": "on", **none})
    assert sent.status_code == 302
    assert User.objects.get(pk=other.pk).is_staff
    assert Event.objects.filter(action="identity.admin_change").latest("sequence").actor.username == "susan"

    own = User.objects.get(username="susan")
    susan.post(f"{USERS}{own.pk}/change/", {"username": "susan", **none})
    own.refresh_from_db()
    assert (own.is_active, own.is_staff, own.is_superuser) == (True, True, True)


def test_a_machine_is_made_no_operator(susan, world):
    machine = world.users["machine"]
    none = {f"memberships-{name}": "0" for name in ("TOTAL_FORMS", "INITIAL_FORMS")}

    susan.post(
        f"{USERS}{machine.pk}/change/",
        {"username": machine.username, "is_staff": "on", "is_superuser": "on", **none},
    )

    assert not User.objects.filter(pk=machine.pk, is_staff=True).exists()


def test_roles_are_shown_in_the_admin_and_not_given_there(susan, world):
    page = susan.get(f"{USERS}{world.users['viewer'].pk}/change/").content.decode()

    assert "Given in the portal" in page
    assert 'name="memberships-0-role"' not in page


def test_operators_look_after_business_units(omar, world):
    unit = BusinessUnit.objects.get(slug=OWN)
    page = f"/admin/identity/businessunit/{unit.pk}/change/"
    zones = {"landing_zones-TOTAL_FORMS": "0", "landing_zones-INITIAL_FORMS": "0"}

    sent = omar.post(
        page, {"slug": unit.slug, "name": unit.name, "cost_center": "CC-7", "is_active": "on", **zones}
    )

    assert sent.status_code == 302
    assert BusinessUnit.objects.get(slug=OWN).cost_center == "CC-7"
    assert omar.post(f"/admin/identity/businessunit/{unit.pk}/delete/", {"post": "yes"}).status_code == 403


def test_the_matrix_in_the_docs_is_that_of_the_code():
    out = StringIO()
    call_command("permissions", stdout=out)

    written = (settings.BASE_DIR / "docs" / "permissions.md").read_text()
    assert written == out.getvalue(), "write it again: manage.py permissions --write"
