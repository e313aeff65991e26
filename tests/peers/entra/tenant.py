"""Who and what is in the tenant. No Django in here: the tests read it, too."""

import uuid
from dataclasses import dataclass, field

TENANT = "11111111-1111-4111-8111-111111111111"
PORTAL = "22222222-2222-4222-8222-222222222222"  # the portal's app registration
CLI = "44444444-4444-4444-8444-444444444444"  # a public client that may ask for Portal.Access
OTHER = "55555555-5555-4555-8555-555555555555"  # another application of the same tenant
PIPELINE = "66666666-6666-4666-8666-666666666666"  # a service principal
PIPELINE_OID = "cccccccc-0000-4000-8000-000000000001"
STRANGER_OID = "cccccccc-0000-4000-8000-000000000002"
SECRETS = {PORTAL: "portal-secret", OTHER: "other-secret", PIPELINE: "pipeline-secret"}
FEDERATED_TOKEN = "a-token-of-the-cluster"
SCOPE = f"api://{PORTAL}/Portal.Access"

UNITS = ("payments", "retail", "data")
ROLES = ("viewer", "requester", "approver", "auditor", "bu_admin")


def group(unit: str, role: str) -> str:
    """The object id of the security group for a role in a business unit."""
    return str(uuid.uuid5(uuid.UUID(TENANT), f"sg-groundwork-{unit}-{role}"))


@dataclass(frozen=True)
class Account:
    first: str
    last: str
    groups: tuple[str, ...] = ()
    app_roles: tuple[str, ...] = ()
    more_groups: int = 0  # groups that mean nothing to the portal
    is_guest: bool = False

    does: str = field(default="", compare=False)


PEOPLE = {
    "anna": Account("Anna", "Keller", (group("payments", "requester"),), does="asks in payments"),
    "bert": Account(
        "Bert", "Nyman", tuple(group(unit, "approver") for unit in UNITS), does="approves in payments, retail and data"
    ),
    "carol": Account("Carol", "Ito", (group("retail", "requester"),), does="asks in retail"),
    "dora": Account("Dora", "Lind", (group("payments", "auditor"),), does="audits payments"),
    "emil": Account("Emil", "Roth", (group("payments", "bu_admin"),), does="runs payments"),
    "olga": Account("Olga", "Berg", app_roles=("Platform.Admin",), does="operates the platform"),
    "vera": Account("Vera", "Holm", app_roles=("Portal.User",), does="may sign in, and has no role"),
    "nils": Account("Nils", "Aas", (group("unmapped", "viewer"),), does="is let in nowhere"),
    "gina": Account(
        "Gina", "Moro", (group("retail", "requester"), group("payments", "approver")), more_groups=250,
        does="asks in retail, approves in payments, and is in 252 groups",
    ),
    "hugo": Account("Hugo", "Guest", (group("retail", "requester"),), is_guest=True, does="is a guest of the tenant"),
}  # fmt: skip


def oid(name: str) -> str:
    return str(uuid.uuid5(uuid.UUID(TENANT), name))


def mappings() -> str:
    """What the portal's `map_entra` reads."""
    rows = ["source,role,business_unit", "Platform.Admin,operator,", "Portal.User,,"]
    return "\n".join([*rows, *(f"{group(unit, role)},{role},{unit}" for unit in UNITS for role in ROLES)])
