"""The whole permission matrix: which role may do what in its business unit."""

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
    AUDIT_VIEW = "audit.view", "See the audit trail"
    MEMBERSHIP_MANAGE = "membership.manage", "Manage the people of the business unit"


# Operators (platform staff) see everything and act where requests_app.states.TRANSITIONS lets them; they do not decide.
CAN: dict[Permission, frozenset[Role]] = {
    Permission.REQUEST_VIEW: frozenset(Role),
    Permission.REQUEST_CREATE: frozenset({Role.REQUESTER, Role.BU_ADMIN}),
    Permission.REQUEST_DECIDE: frozenset({Role.APPROVER}),
    Permission.AUDIT_VIEW: frozenset({Role.AUDITOR, Role.BU_ADMIN}),
    Permission.MEMBERSHIP_MANAGE: frozenset({Role.BU_ADMIN}),
}
