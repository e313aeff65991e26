"""Who may do what with a service request."""

from django.db.models import QuerySet

from catalog_app import policy
from catalog_app.models import ItemVersion
from catalog_app.policy import Verdict
from portal.identity.models import BusinessUnit, Membership, User
from portal.identity.roles import CAN, Permission
from requests_app.models import ServiceRequest
from requests_app.states import TRANSITIONS, Who

DECISIONS = {"approve", "reject"}
WHO_DECIDES = "An approver of the business unit decides, and never the person who asked."


def roles_of(actor: User | None, service_request: ServiceRequest) -> set[Who]:
    """What the actor is to this request. None is the portal itself."""
    if actor is None:
        return {Who.SYSTEM}
    roles = set()
    if actor.is_operator:
        roles.add(Who.OPERATOR)
    if actor.pk == service_request.requester_id and actor.can(
        Permission.REQUEST_CREATE, service_request.business_unit_id
    ):
        roles.add(Who.REQUESTER)
    if actor.pk != service_request.requester_id and actor.can(
        Permission.REQUEST_DECIDE, service_request.business_unit_id
    ):
        roles.add(Who.APPROVER)
    return roles


def may(step: str, actor: User | None, service_request: ServiceRequest) -> bool:
    return bool(TRANSITIONS[step].who & roles_of(actor, service_request))


def approvers(business_unit: BusinessUnit, *, requester: User) -> QuerySet[User]:
    """The people who could decide."""
    held = Membership.objects.active().filter(
        business_unit=business_unit, role__in=CAN[Permission.REQUEST_DECIDE]
    )
    people = User.objects.filter(is_active=True, pk__in=held.values("user")).exclude(pk=requester.pk)
    return people.order_by("last_name", "first_name", "username")


def is_automatic(version: ItemVersion, verdict: Verdict, facts: dict) -> bool:
    """Whether nobody has to decide: the item says so, and no rule asks for a person."""
    return verdict.outcome == "allow" and policy.auto_approved(version, facts)
