"""Fills the tenant, and brings its people back to what they were."""

import uuid
from typing import Any

from allauth.account.models import EmailAddress
from allauth.idp.oidc.models import Client
from django.conf import settings
from django.contrib.auth.hashers import make_password

from tests.peers.entra import tenant
from tests.peers.entra.models import Person

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
IDENTITY = ["openid", "profile", "email"]


def fill_people() -> None:
    password = make_password(settings.PASSWORD)
    for name, account in tenant.PEOPLE.items():
        others = [
            str(uuid.uuid5(uuid.NAMESPACE_OID, f"{name}{number}")) for number in range(account.more_groups)
        ]
        values: dict[str, Any] = {
            "password": password,
            "email": f"{name}@contoso.example",
            "first_name": account.first,
            "last_name": account.last,
            "is_active": True,
            "oid": tenant.oid(name),
            "app_roles": list(account.app_roles),
            "groups": [*account.groups, *others],
            "is_guest": account.is_guest,
        }
        person, is_new = Person.objects.update_or_create(username=name, defaults=values)
        if is_new:
            EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)


def make_clients() -> None:
    _make_client(
        tenant.PORTAL,
        scopes=[*IDENTITY, f"{settings.BASE_URL}/.default"],
        grant_types=["authorization_code", "client_credentials"],
    )
    _make_client(tenant.CLI, type="public", scopes=[*IDENTITY, tenant.SCOPE], grant_types=[DEVICE_CODE])
    _make_client(
        tenant.OTHER,
        scopes=IDENTITY,
        grant_types=["authorization_code"],
        redirect_uris=["http://127.0.0.1:9/callback"],
    )
    own = {"oid": tenant.PIPELINE_OID, "roles": ["requests:read"]}
    _make_client(
        tenant.PIPELINE, scopes=["api"], default_scopes=["api"], grant_types=["client_credentials"], data=own
    )


def _make_client(client_id: str, **fields: Any) -> None:
    client = Client(id=client_id, name=client_id[:8], skip_consent=True)
    for name, value in fields.items():
        setattr(client, name, "\n".join(value) if isinstance(value, list) else value)
    if client_id in tenant.SECRETS:
        client.set_secret(tenant.SECRETS[client_id])
    client.save()
