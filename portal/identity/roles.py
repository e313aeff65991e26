"""The whole permission matrix: which role may do what in its business unit. docs/permissions.md is made from it."""

from django.db.models import TextChoices


class Role(TextChoices):
    VIEWER = "viewer", "Viewer"
    REQUESTER = "requester", "Requester"
    APPROVER = "approver", "Approver"
    AUDITOR = "auditor", "Auditor"
    BU_ADMIN = "bu_admin", "Business unit admin"


class Permission(TextChoices):
    REQUEST_VIEW = "request.view", "See requests and deployments"
    REQUEST_CREATE = "request.create", "Ask for, change and remove deployments"
    REQUEST_DECIDE = "request.decide", "Approve and reject requests of others"
    REQUEST_DECIDE_RESERVED = (
        "request.decide_reserved",
        "The same, where a rule asks for a business unit admin",
    )
    AUDIT_VIEW = "audit.view", "See the audit trail"
    MEMBERSHIP_MANAGE = "membership.manage", "Manage the people of the business unit"
    WEBHOOK_MANAGE = "webhook.manage", "Manage the webhooks of the business unit"


class Scope(TextChoices):
    """What a token may do, of all that its owner may."""

    READ = "requests:read", "Read"
    WRITE = "requests:write", "Ask, decide and change"


CAN: dict[Permission, frozenset[Role]] = {
    Permission.REQUEST_VIEW: frozenset(Role),
    Permission.REQUEST_CREATE: frozenset({Role.REQUESTER, Role.BU_ADMIN}),
    Permission.REQUEST_DECIDE: frozenset({Role.APPROVER}),
    Permission.REQUEST_DECIDE_RESERVED: frozenset({Role.BU_ADMIN}),
    Permission.AUDIT_VIEW: frozenset({Role.AUDITOR, Role.BU_ADMIN}),
    Permission.MEMBERSHIP_MANAGE: frozenset({Role.BU_ADMIN}),
    Permission.WEBHOOK_MANAGE: frozenset({Role.BU_ADMIN}),
}
# Operators (platform staff) may do these in every business unit without a role there. Running the platform is no say
# in what a business unit gets: they do not ask and do not decide. What they may do with a request that is on its way
# is in requests_app.states.TRANSITIONS.
OPERATORS = frozenset(
    {
        Permission.REQUEST_VIEW,
        Permission.AUDIT_VIEW,
        Permission.MEMBERSHIP_MANAGE,
        Permission.WEBHOOK_MANAGE,
    }
)
# No role gives these to a service account: whoever holds its token could decide on their own requests.
PEOPLE_ONLY = frozenset(
    {Permission.REQUEST_DECIDE, Permission.REQUEST_DECIDE_RESERVED, Permission.MEMBERSHIP_MANAGE}
)
# Whoever has to approve, by the name that rules give them.
DECIDES = {
    Role.APPROVER: Permission.REQUEST_DECIDE,
    Role.BU_ADMIN: Permission.REQUEST_DECIDE_RESERVED,
}
