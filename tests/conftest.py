"""The people of every test: anna asks, bert approves, carol is a stranger, dora audits, olga operates."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import Model
from django.test import Client
from rest_framework.test import APIClient

from portal import ports
from portal.identity import tokens
from portal.identity.models import BusinessUnit, LandingZone, Membership, User
from portal.identity.roles import Role
from tests.catalog.items import ONE_RULE, Shelf

PASSWORD = "a-long-password-for-tests"
SHELVES: list[list[Model]] = []  # what the `catalog` fixture has read
ENTRA_ADMIN = {
    "tenant_id": "11111111-1111-4111-8111-111111111111",
    "object_id": "22222222-2222-4222-8222-222222222222",
    "name": "data-admins",
}
OTHERS_LEAVE = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
SUBNET = (
    "/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/rg-network/providers/Microsoft.Network"
    "/virtualNetworks/vnet-hub/subnets/endpoints"
)
ROLES = {
    "anna": ("payments", Role.REQUESTER),
    "bert": ("payments", Role.APPROVER),
    "carol": ("retail", Role.REQUESTER),
    "dora": ("payments", Role.AUDITOR),
    "emil": ("payments", Role.BU_ADMIN),
}


@dataclass
class People:
    anna: User
    bert: User
    carol: User
    dora: User
    emil: User
    olga: User
    payments: BusinessUnit
    retail: BusinessUnit
    data: BusinessUnit
    password: str = PASSWORD


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """
    Nobody holds the test database when it is dropped.

    Playwright keeps an event loop in the thread of the tests. Django has one connection for code beside a loop and
    another for code below one, and at the end it closes only the former.
    """
    yield
    with django_db_blocker.unblock():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(OTHERS_LEAVE)


@pytest.fixture(autouse=True)
def quick_and_embedded(settings: Any, tmp_path: Path) -> Iterator[None]:
    """Every test has run folders of its own, and passwords that cost little."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    runner = settings.PORTS["runner"]
    options = {**runner["OPTIONS"], "folder": tmp_path / "runs", "sandbox_store": tmp_path / "sandbox.json"}
    settings.PORTS = {**settings.PORTS, "runner": {**runner, "OPTIONS": options}}
    yield
    ports._adapter.cache_clear()


@pytest.fixture
def people(db: None) -> People:
    units = {
        slug: BusinessUnit.objects.create(slug=slug, name=slug.title(), cost_center=f"CC-{number}")
        for number, slug in enumerate(("payments", "retail", "data"), start=1001)
    }
    for unit in units.values():
        for environment in ("dev", "staging", "prod"):
            outputs = {
                "resource_group_name": f"rg-{unit.slug}-{environment}-base",
                "entra_admin": ENTRA_ADMIN,
            }
            LandingZone.objects.create(business_unit=unit, environment=environment, outputs=outputs)
    users = {name: _user(name) for name in (*ROLES, "olga")}
    for name, (slug, role) in ROLES.items():
        Membership.objects.create(user=users[name], business_unit=units[slug], role=role)
    User.objects.filter(username="olga").update(is_staff=True, is_superuser=True)
    users["olga"].refresh_from_db()
    return People(**users, **units)


def _user(name: str) -> User:
    return User.objects.create_user(name, password=PASSWORD, first_name=name.title(), last_name="Example")


@pytest.fixture
def catalog(db: None) -> None:
    """The real items with the real prices; read from the files once in a process, as that takes a second."""
    if not SHELVES:
        call_command("sync_prices", verbosity=0)
        call_command("sync_catalog", verbosity=0)
        models = [
            *apps.get_app_config("billing_app").get_models(),
            *apps.get_app_config("catalog_app").get_models(),
        ]
        SHELVES.extend(list(model.objects.all()) for model in models)
        return
    with transaction.atomic():
        for rows in filter(None, SHELVES):
            type(rows[0]).objects.bulk_create(rows)


@pytest.fixture
def shelf(people: People, settings: Any, tmp_path: Path) -> Shelf:
    """An empty catalog of one's own, and one rule that stands against nothing."""
    settings.CATALOG_FOLDER, settings.POLICY_FOLDER = tmp_path / "modules", tmp_path / "policies"
    settings.POLICY_FOLDER.mkdir()
    (settings.POLICY_FOLDER / "rules.yaml").write_text(ONE_RULE)
    return Shelf(settings.CATALOG_FOLDER)


@pytest.fixture
def client_for() -> Callable[[User], Client]:
    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[0])
        return client

    return sign_in


@pytest.fixture
def api_for(db: None) -> Callable[[User], APIClient]:
    def with_token(user: User) -> APIClient:
        _, plain = tokens.issue(user, "tests")
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {plain}")
        return client

    return with_token


@pytest.fixture
def postgres_for_staging() -> dict[str, Any]:
    """The body of a request that somebody has to approve."""
    return {
        "item": "postgresql",
        "name": "orders",
        "business_unit": "payments",
        "environment": "staging",
        "region": "northeurope",
        "parameters": {"sku": "B_Standard_B2s", "private_endpoint": {"subnet_id": SUBNET}},
    }
