import secrets
import sys
import uuid
from argparse import ArgumentParser
from typing import Any, Final

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import transaction

from portal.identity.models import BusinessUnit, Environment, LandingZone, Membership, User
from portal.identity.roles import Role

UNITS: Final = {
    "payments": ("Payments", "CC-1001"),
    "retail": ("Retail", "CC-1002"),
    "data": ("Data", "CC-1003"),
}
PEOPLE: Final[dict[str, tuple[str, str, Role | None, tuple[str, ...]]]] = {
    "anna": ("Anna", "Keller", Role.REQUESTER, ("payments",)),
    "bert": ("Bert", "Nyman", Role.APPROVER, ("payments", "retail", "data")),
    "carol": ("Carol", "Ito", Role.REQUESTER, ("retail",)),
    "dora": ("Dora", "Lind", Role.AUDITOR, ("payments",)),
    "emil": ("Emil", "Roth", Role.BU_ADMIN, ("payments",)),
    "olga": ("Olga", "Berg", None, ()),  # the operator: platform staff
}
SHORT: Final = {Environment.DEV: "dev", Environment.STAGING: "stg", Environment.PROD: "prd"}
TENANT: Final = uuid.uuid5(uuid.NAMESPACE_DNS, "demo.groundwork.example")


class Command(BaseCommand):
    help = "Business units and people to try the portal with. Safe to repeat: changes nobody it finds."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--password-stdin",
            action="store_true",
            help="one password for all new people, from standard input; else each gets a random one",
        )

    def handle(self, *, password_stdin: bool, **options: Any) -> None:
        given = sys.stdin.readline().strip() if password_stdin else ""
        with transaction.atomic():
            units = {slug: _unit(slug, name, cost_center) for slug, (name, cost_center) in UNITS.items()}
            made = [line for username in PEOPLE if (line := _person(username, units, given))]
        call_command("seed_budgets", *UNITS)
        if made:
            self.stdout.write("\nNew people. The passwords are shown this once:\n\n" + "\n".join(made))


def _unit(slug: str, name: str, cost_center: str) -> BusinessUnit:
    unit, _ = BusinessUnit.objects.get_or_create(
        slug=slug, defaults={"name": name, "cost_center": cost_center}
    )
    for environment in Environment:
        LandingZone.objects.get_or_create(
            business_unit=unit, environment=environment, defaults={"outputs": _outputs(slug, environment)}
        )
    return unit


def _outputs(slug: str, environment: Environment) -> dict[str, Any]:
    """What the platform team's Terraform would have put out for this business unit and environment."""
    group = f"sg-{slug}-dba-{SHORT[environment]}"
    return {
        "resource_group_name": f"rg-{slug}-{SHORT[environment]}-001",
        "entra_admin": {
            "tenant_id": str(TENANT),
            "object_id": str(uuid.uuid5(TENANT, group)),
            "name": group,
            "type": "Group",
        },
    }


def _person(username: str, units: dict[str, BusinessUnit], given: str) -> str:
    """The line to print for somebody new; empty for somebody who is there already."""
    first, last, role, slugs = PEOPLE[username]
    staff = role is None
    defaults = {"first_name": first, "last_name": last, "is_staff": staff, "is_superuser": staff}
    user, is_new = User.objects.get_or_create(username=username, defaults=defaults)
    if not is_new:
        return ""
    password = given or secrets.token_urlsafe(15)
    user.set_password(password)
    user.save(update_fields=["password"])
    if role:
        rows = [Membership(user=user, business_unit=units[slug], role=role) for slug in slugs]
        Membership.objects.bulk_create(rows)
    does = f"{role.label} of {', '.join(slugs)}" if role else "Operator (platform staff)"
    return f"  {username:8}{does:38}{'' if given else password}"
