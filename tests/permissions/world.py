"""
Two business units with something in every state, and people with each role in one of them.

Everything that only people of a business unit may see has its mark in it: in names, notes, log lines, addresses. So an
answer leaks if it has the mark of a business unit in which the person who asked has no role.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.utils.timezone import now

from billing_app.models import Action, Budget
from catalog_app.policy import Verdict
from portal import audit, ports
from portal.identity import tokens
from portal.identity.models import ApiToken, BusinessUnit, LandingZone, Membership, User
from portal.identity.roles import CAN, OPERATORS, PEOPLE_ONLY, Permission, Role
from portal.ports import Entry, Phase, RunDocument
from portal.webhooks import services as webhooks
from portal.webhooks.models import Delivery, Webhook
from requests_app import services
from requests_app.models import Deployment, ServiceRequest
from tests.conftest import ENTRA_ADMIN, SUBNET

OWN, FOREIGN = "payments", "retail"
# Long enough that no token has one by chance.
MARKS = {OWN: "qpaying", FOREIGN: "qretail"}
ALL_ROLES = frozenset(Role)
ITEMS = ("postgresql", "managed-redis")
PRIVATE = {"private_endpoint": {"subnet_id": SUBNET}}


@dataclass(frozen=True)
class Actor:
    """Somebody with these roles in one business unit."""

    name: str
    roles: frozenset[Role] = frozenset()
    unit: str = OWN
    is_operator: bool = False
    is_machine: bool = False
    ended: bool = False

    def may(self, permission: Permission, unit: str) -> bool:
        """What the matrix says, read anew here: this does not ask the code under test."""
        if self.is_operator and permission in OPERATORS:
            return True
        if self.ended or unit != self.unit or (self.is_machine and permission in PEOPLE_ONLY):
            return False
        return bool(self.roles & CAN[permission])

    def may_somewhere(self, permission: Permission) -> bool:
        return any(self.may(permission, unit) for unit in MARKS)


ACTORS = [
    *(Actor(str(role), frozenset({role})) for role in Role),
    Actor("operator", is_operator=True),
    Actor("nobody"),
    Actor("former", ALL_ROLES, ended=True),
    Actor("neighbour", ALL_ROLES, FOREIGN),
    Actor("machine", ALL_ROLES, is_machine=True),
]
BY_NAME = {actor.name: actor for actor in ACTORS}
# Who has asked for what there is.
ASKERS = {OWN: "requester", FOREIGN: "neighbour"}


@dataclass
class Side:
    """What a business unit has."""

    unit: BusinessUnit
    asker: User
    waiting: ServiceRequest
    approved: ServiceRequest
    running: ServiceRequest
    failed: ServiceRequest
    ready: Deployment
    membership: Membership  # of somebody else than any actor
    token: ApiToken  # of the asker
    webhook: Webhook
    delivery: Delivery

    @property
    def mark(self) -> str:
        return MARKS[self.unit.slug]


@dataclass
class World:
    users: dict[str, User] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    readers: dict[str, str] = field(default_factory=dict)  # tokens that only read
    sides: dict[str, Side] = field(default_factory=dict)
    own_tokens: dict[str, ApiToken] = field(default_factory=dict)  # their rows, by actor
    sessions: dict[str, str] = field(default_factory=dict)

    def signed_in(self, name: str) -> Client:
        client = Client()
        client.cookies[settings.SESSION_COOKIE_NAME] = self.sessions[name]
        return client


def build(folder: Path) -> World:
    """folder: an empty one, for a catalog of few items, which is read quickly."""
    for item in ITEMS:
        (folder / item).symlink_to(settings.CATALOG_FOLDER / item)
    call_command("sync_prices", verbosity=0)
    call_command("sync_catalog", folder, verbosity=0)
    world = World()
    units = {slug: _unit(slug) for slug in MARKS}
    for actor in ACTORS:
        _person(world, actor, units[actor.unit])
    for slug, unit in units.items():
        world.sides[slug] = _side(world, unit)
    return world


def _unit(slug: str) -> BusinessUnit:
    mark = MARKS[slug]
    unit = BusinessUnit.objects.create(slug=slug, name=f"{mark.title()} Unit", cost_center=f"CC-{mark}")
    for environment in ("dev", "staging", "prod"):
        outputs = {"resource_group_name": f"rg-{mark}-{environment}", "entra_admin": ENTRA_ADMIN}
        LandingZone.objects.create(business_unit=unit, environment=environment, outputs=outputs)
        Budget.objects.create(
            business_unit=unit, environment=environment, amount=9000, currency="USD", action=Action.WARN
        )
    return unit


def _person(world: World, actor: Actor, unit: BusinessUnit) -> None:
    source = User.Source.SERVICE if actor.is_machine else User.Source.LOCAL
    mark = MARKS[actor.unit] if actor.roles and not actor.ended else "zzz"
    user = User.objects.create(
        username=f"{mark}-{actor.name}",
        first_name=actor.name.title(),
        last_name=mark.title(),
        is_staff=actor.is_operator,
        auth_source=source,
    )
    ends = now() - timedelta(days=1) if actor.ended else None
    for role in sorted(actor.roles):
        Membership.objects.create(user=user, business_unit=unit, role=role, expires_at=ends)
    world.users[actor.name] = user
    world.own_tokens[actor.name], world.tokens[actor.name] = tokens.issue(user, f"{mark} token")
    _, world.readers[actor.name] = tokens.issue(user, f"{mark} reader", scopes=[tokens.READ])
    if not actor.is_machine:
        client = Client()
        client.force_login(user, backend="portal.identity.local.LocalAccountBackend")
        world.sessions[actor.name] = client.session.session_key or ""


def _side(world: World, unit: BusinessUnit) -> Side:
    mark = MARKS[unit.slug]
    asker = world.users[ASKERS[unit.slug]]
    # Somebody else decides and manages there; nobody acts as them.
    other = User.objects.create(username=f"{mark}-other", last_name=f"{mark.title()} Other")
    memberships = {
        role: Membership.objects.create(user=other, business_unit=unit, role=role)
        for role in (Role.APPROVER, Role.BU_ADMIN)
    }
    webhook, _ = webhooks.create(actor=other, business_unit=unit, url=f"https://{mark}.example.com/hear")
    return Side(
        unit=unit,
        asker=asker,
        waiting=_ask(asker, unit, "wait"),
        approved=_approved(_ask(asker, unit, "appr"), other),
        running=_running(_ask(asker, unit, "run"), other),
        failed=_failed(_ask(asker, unit, "fail"), other),
        ready=_ready(_ask(asker, unit, "done", item="managed-redis", parameters=PRIVATE, ttl_days=30), other),
        membership=memberships[Role.APPROVER],
        token=world.own_tokens[ASKERS[unit.slug]],
        webhook=webhook,
        delivery=webhooks.ping(webhook, actor=other),
    )


def wanted(unit: str, name: str, **changes: Any) -> dict[str, Any]:
    """The body of a request that somebody has to approve."""
    return {
        "item": "postgresql", "name": name, "business_unit": unit, "environment": "staging",
        "region": "northeurope", "justification": f"{name} needs it",
        "parameters": {"sku": "B_Standard_B2s", **PRIVATE}, **changes,
    }  # fmt: skip


def _ask(asker: User, unit: BusinessUnit, name: str, **changes: Any) -> ServiceRequest:
    return services.submit(requester=asker, **wanted(unit.slug, f"{MARKS[unit.slug]}-{name}", **changes))


def _approved(asked: ServiceRequest, by: User) -> ServiceRequest:
    services.approve(asked, actor=by, note=f"{asked.name} is fine")
    return asked


def _running(asked: ServiceRequest, by: User) -> ServiceRequest:
    _approved(asked, by)
    started = services.start(asked.run_key)
    assert started
    mark = MARKS[asked.business_unit.slug]
    resources = [{"address": f"azurerm.{mark}", "type": "t", "change": {"actions": ["create"]}}]
    services.planned(started, {"add": 1, "resources": resources, "engine": "Terraform"}, Verdict("allow"))
    run = RunDocument(key=asked.run_key, token_digest="", created_at=now(), phase=Phase.APPLY)
    ports.tracker().create_run(run)
    ports.tracker().append(asked.run_key, [Entry(1, now(), "apply", "info", f"{mark} is being made")])
    return started


def _failed(asked: ServiceRequest, by: User) -> ServiceRequest:
    started = _running(asked, by)
    services.fail(started, f"{asked.name} broke", changed=False)
    return started


def _ready(asked: ServiceRequest, by: User) -> Deployment:
    started = _running(asked, by)
    mark = MARKS[asked.business_unit.slug]
    services.succeed(
        started,
        outputs={"fqdn": f"{mark}.example"},
        resources=[{"address": f"azurerm.{mark}", "type": "t", "id": f"/subscriptions/{mark}"}],
    )
    Deployment.objects.filter(pk=started.deployment_id).update(expires_at=now() + timedelta(days=2))
    audit.record(f"deployment.{mark}", started.name, actor=by, business_unit=started.business_unit)
    return Deployment.objects.with_names().get(pk=started.deployment_id)


def leaks(actor: Actor | None, answer: str) -> list[str]:
    """The marks of business units in which the actor sees nothing."""
    hidden = [
        mark for unit, mark in MARKS.items() if actor is None or not actor.may(Permission.REQUEST_VIEW, unit)
    ]
    return [mark for mark in hidden if mark in answer.lower()]
