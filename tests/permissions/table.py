"""
Every address with every method: who may use it. A new one without a line here breaks test_routes.py.

What roles may do is not repeated: a line names a permission of portal/identity/roles.py, or a step of
requests_app/states.py, and the matrix follows from those.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from portal.identity.roles import DECIDES, Permission, Role
from requests_app.states import TRANSITIONS
from requests_app.states import Who as Part
from tests.permissions.world import ASKERS, Actor, Side, wanted

Made = Callable[[Side], Mapping[str, Any]]


class Who(Enum):
    ANYBODY = "also without signing in"
    SIGNED_IN = "whoever is signed in"
    BROWSER = "whoever is signed in, about their own account; what comes of it is no question of rights"
    ASKER = "only whose it is; for everybody else it does not exist"
    RUN = "only the worker of a run, with its own token"


@dataclass(frozen=True)
class Entry:
    route: str  # the name of the address, or the address where it has no name
    method: str
    who: Who | Permission | str  # str: a step of requests_app/states.py
    sees: Permission | None = None  # else it does not exist: 404
    at: Made = lambda side: {}  # what stands in the address
    body: Made = lambda side: {}
    query: str = ""
    ok: frozenset[int] = frozenset({200})
    refused: int = 403
    unseen: int | None = None  # for a business unit in the body that is not seen; else as refused
    tells_former: bool = False  # the name of a business unit to somebody whose role there has ended
    anonymous: int | None = None  # else 302 to the sign-in page, or 401 at the API

    @property
    def is_api(self) -> bool:
        return self.route.startswith(("api-", "api/"))

    @property
    def has_unit(self) -> bool:
        return bool(self.at is not NOTHING or self.body is not NOTHING)

    @property
    def label(self) -> str:
        return f"{self.method} {self.route}{self.query}"

    def lets(self, actor: Actor, unit: str) -> bool:
        if isinstance(self.who, Permission):
            return actor.may(self.who, unit) if self.has_unit else actor.may_somewhere(self.who)
        if isinstance(self.who, str):
            return bool(TRANSITIONS[self.who].who & parts(actor, unit))
        return True

    def expected(self, actor: Actor, unit: str) -> frozenset[int]:
        if self.who == Who.RUN:
            return frozenset({403})
        if self.who == Who.ASKER:
            return self.ok if actor.name == ASKERS[unit] else frozenset({404})
        if self.sees and not actor.may(self.sees, unit):
            return frozenset({404})
        if self.unseen and not actor.may(Permission.REQUEST_VIEW, unit):
            return frozenset({self.unseen})
        return self.ok if self.lets(actor, unit) else frozenset({self.refused})


def parts(actor: Actor, unit: str) -> set[Part]:
    """What the actor is to a request of the asker, as approval.roles_of should say."""
    is_asker = actor.name == ASKERS[unit]
    found = {Part.OPERATOR} if actor.is_operator else set()
    if is_asker and actor.may(Permission.REQUEST_CREATE, unit):
        found.add(Part.REQUESTER)
    if not is_asker and actor.may(DECIDES[Role.APPROVER], unit):
        found.add(Part.APPROVER)
    return found


def NOTHING(side: Side) -> Mapping[str, Any]:
    return {}


def request(name: str) -> Made:
    return lambda side: {"pk": getattr(side, name).pk}


def step(name: str, about: str) -> Made:
    return lambda side: {"pk": getattr(side, about).pk, "step": name}


def deployment(side: Side) -> Mapping[str, Any]:
    return {"pk": side.ready.pk}


def unit(side: Side) -> Mapping[str, Any]:
    return {"slug": side.unit.slug}


def person(side: Side) -> Mapping[str, Any]:
    return {"slug": side.unit.slug, "pk": side.membership.pk}


def webhook(side: Side) -> Mapping[str, Any]:
    return {"pk": side.webhook.pk}


def new(side: Side) -> Mapping[str, Any]:
    return wanted(side.unit.slug, "brand-new")


def form_of_new(side: Side) -> Mapping[str, Any]:
    """Whose answer is the form again, or a redirect to the request."""
    return {
        "name": "brand-new",
        "business_unit": side.unit.slug,
        "environment": "staging",
        "region": "northeurope",
    }


def run(side: Side) -> Mapping[str, Any]:
    return {"key": side.running.run_key}


def codes(*each: int) -> frozenset[int]:
    return frozenset(each)


VIEW, CREATE, AUDIT = Permission.REQUEST_VIEW, Permission.REQUEST_CREATE, Permission.AUDIT_VIEW
PEOPLE, HOOKS = Permission.MEMBERSHIP_MANAGE, Permission.WEBHOOK_MANAGE
DONE, FORM = codes(302), codes(302, 400, 422)
OWN_ACCOUNT: dict[str, Any] = {"ok": codes(200, 302, 403, 404, 405)}
ITEM = {"at": lambda side: {"slug": "postgresql"}}
RUN: dict[str, Any] = {"at": run, "ok": codes(), "anonymous": 403}


def entry(route: str, method: str, who: Who | Permission | str, **more: Any) -> Entry:
    return Entry(route, method, who, **{"at": NOTHING, "body": NOTHING, **more})


PAGES = [
    entry("catalog", "get", Who.SIGNED_IN),
    entry("item", "get", Who.SIGNED_IN, **ITEM),
    entry("policies", "get", Who.SIGNED_IN),
    entry("search", "get", Who.SIGNED_IN, query="?q=q"),
    entry("theme", "post", Who.ANYBODY, ok=DONE, body=lambda side: {"theme": "dark"}),
    entry("request_new", "get", Who.SIGNED_IN, **ITEM),
    entry("request_new", "post", CREATE, **ITEM, body=form_of_new, ok=FORM, refused=400),
    entry("request_check", "post", Who.SIGNED_IN, **ITEM, body=form_of_new),
    entry("requests", "get", Who.SIGNED_IN, query="?whose=all"),
    entry("request", "get", VIEW, sees=VIEW, at=request("waiting")),
    entry("request_progress", "get", VIEW, sees=VIEW, at=request("running")),
    entry("request_permissions", "get", VIEW, sees=VIEW, at=request("waiting")),
    entry("request_step", "post", "approve", sees=VIEW, at=step("approve", "waiting"), ok=DONE),
    entry("request_step", "post", "reject", sees=VIEW, at=step("reject", "waiting"), ok=DONE,
          body=lambda side: {"note": "Too large."}),
    entry("request_step", "post", "cancel", sees=VIEW, at=step("cancel", "approved"), ok=DONE),
    entry("request_step", "post", "retry", sees=VIEW, at=step("retry", "failed"), ok=DONE),
    entry("request_step", "post", "stop", sees=VIEW, at=step("stop", "running"), ok=DONE),
    entry("approvals", "get", Who.SIGNED_IN),
    entry("approvals", "get", Who.SIGNED_IN, query="?tab=decided"),
    entry("deployments", "get", Who.SIGNED_IN),
    entry("deployment", "get", VIEW, sees=VIEW, at=deployment),
    entry("deployment_change", "get", CREATE, sees=VIEW, at=deployment),
    entry("deployment_change", "post", CREATE, sees=VIEW, at=deployment, ok=FORM),
    entry("deployment_extend", "post", CREATE, sees=VIEW, at=deployment, ok=DONE,
          body=lambda side: {"ttl_days": "30"}),
    entry("deployment_destroy", "get", CREATE, sees=VIEW, at=deployment),
    entry("deployment_destroy", "post", CREATE, sees=VIEW, at=deployment, ok=FORM),
    entry("budgets", "get", Who.SIGNED_IN),
    entry("audit", "get", AUDIT),
    entry("units", "get", Who.SIGNED_IN, ok=codes(200, 302)),
    entry("unit_people", "get", PEOPLE, sees=PEOPLE, at=unit),
    entry("unit_people", "post", PEOPLE, sees=PEOPLE, at=unit, ok=DONE,
          body=lambda side: {"username": "zzz-nobody", "role": "viewer"}),
    entry("unit_person", "post", PEOPLE, sees=PEOPLE, at=person, ok=DONE, body=lambda side: {"role": "viewer"}),
    entry("unit_person_remove", "post", PEOPLE, sees=PEOPLE, at=person, ok=DONE),
    entry("account_permissions", "get", Who.SIGNED_IN, tells_former=True),
    entry("account_tokens", "get", Who.SIGNED_IN),
    entry("account_tokens", "post", Who.SIGNED_IN,
          body=lambda side: {"name": "more", "scopes": "read", "days": "1"}),
    entry("account_token_revoke", "post", Who.ASKER, at=lambda side: {"pk": side.token.pk}, ok=DONE),
]  # fmt: skip

API = [
    entry("api-me", "get", Who.SIGNED_IN),
    entry("api-me-permissions", "get", Who.SIGNED_IN, tells_former=True),
    entry("api-item-list", "get", Who.SIGNED_IN),
    entry("api-item-detail", "get", Who.SIGNED_IN, **ITEM),
    entry("api-budget-list", "get", Who.SIGNED_IN),
    entry("api-request-list", "get", Who.SIGNED_IN),
    entry("api-request-list", "post", CREATE, body=new, ok=codes(201), refused=400),
    entry("api-request-check", "post", Who.SIGNED_IN, body=new),
    entry("api-request-detail", "get", VIEW, sees=VIEW, at=request("waiting")),
    entry("api-request-entries", "get", VIEW, sees=VIEW, at=request("running")),
    entry("api-request-events", "get", VIEW, sees=VIEW, at=request("waiting")),
    entry("api-request-permissions", "get", VIEW, sees=VIEW, at=request("waiting")),
    entry("api-request-approve", "post", "approve", sees=VIEW, at=request("waiting")),
    entry("api-request-reject", "post", "reject", sees=VIEW, at=request("waiting"),
          body=lambda side: {"reason": "Too large."}),
    entry("api-request-cancel", "post", "cancel", sees=VIEW, at=request("approved")),
    entry("api-request-retry", "post", "retry", sees=VIEW, at=request("failed")),
    entry("api-request-stop", "post", "stop", sees=VIEW, at=request("running")),
    entry("api-deployment-list", "get", Who.SIGNED_IN),
    entry("api-deployment-detail", "get", VIEW, sees=VIEW, at=deployment),
    entry("api-deployment-extend", "post", CREATE, sees=VIEW, at=deployment, body=lambda side: {"ttl_days": 30}),
    entry("api-webhook-list", "get", Who.SIGNED_IN),
    entry("api-webhook-list", "post", HOOKS, ok=codes(201), unseen=400,
          body=lambda side: {"business_unit": side.unit.slug, "url": "https://new.example.com/"}),
    entry("api-webhook-detail", "get", HOOKS, sees=HOOKS, at=webhook),
    entry("api-webhook-detail", "patch", HOOKS, sees=HOOKS, at=webhook, body=lambda side: {"is_active": False}),
    entry("api-webhook-detail", "delete", HOOKS, sees=HOOKS, at=webhook, ok=codes(204)),
    entry("api-webhook-deliveries", "get", HOOKS, sees=HOOKS, at=webhook),
    entry("api-webhook-ping", "post", HOOKS, sees=HOOKS, at=webhook, ok=codes(202)),
    entry("api-webhook-replay", "post", HOOKS, sees=HOOKS, at=webhook, ok=codes(202)),
    entry("api-webhook-rotate", "post", HOOKS, sees=HOOKS, at=webhook),
    entry("api/v1/runs/<str:key>/claim", "post", Who.RUN, **RUN),
    entry("api/v1/runs/<str:key>/entries", "post", Who.RUN, **RUN),
    entry("api/v1/runs/<str:key>/plan", "post", Who.RUN, **RUN),
    entry("api/v1/runs/<str:key>/finish", "post", Who.RUN, **RUN),
    entry("api/v1/runs/<str:key>/state", "get", Who.RUN, **RUN),
    entry("api/v1/runs/<str:key>/state", "post", Who.RUN, **RUN),
]  # fmt: skip

OPEN = [
    entry("healthz", "get", Who.ANYBODY),
    entry("healthz_ready", "get", Who.ANYBODY),
    entry("schema", "get", Who.ANYBODY),
    entry("account_login", "get", Who.ANYBODY, ok=codes(200, 302)),
    entry("account_login", "post", Who.ANYBODY, ok=codes(200, 302)),
    entry("account_signup", "get", Who.ANYBODY, ok=codes(200, 302)),
    entry("account_signup", "post", Who.ANYBODY, ok=codes(200, 302)),
    entry("account_inactive", "get", Who.ANYBODY),
]

# Of one's own account; tests/identity says what they do.
ACCOUNT = [
    *(entry(route, "get", Who.BROWSER, **OWN_ACCOUNT) for route in (
        "account_logout", "account_reauthenticate", "account_change_password", "account_sessions", "mfa_index",
        "mfa_list_webauthn", "mfa_authenticate", "mfa_reauthenticate", "mfa_activate_totp", "mfa_deactivate_totp",
        "mfa_view_recovery_codes", "mfa_generate_recovery_codes", "mfa_add_webauthn", "mfa_login_webauthn",
        "mfa_reauthenticate_webauthn",
    )),
    entry("mfa_remove_webauthn", "get", Who.BROWSER, at=lambda side: {"pk": 1}, **OWN_ACCOUNT),
    entry("account_end_session", "post", Who.BROWSER, **OWN_ACCOUNT),
]  # fmt: skip

ENTRIES = [*PAGES, *API, *OPEN, *ACCOUNT]
