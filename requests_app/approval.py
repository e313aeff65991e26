"""Who may do what with a service request."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import QuerySet

from catalog_app import policy
from catalog_app.models import ItemVersion
from catalog_app.policy import Verdict
from portal.identity import why
from portal.identity.models import BusinessUnit, Membership, User
from portal.identity.roles import CAN, DECIDES, Permission, Role
from requests_app.models import ServiceRequest
from requests_app.states import STEPS, TRANSITIONS, Who

DECISIONS = {"approve", "reject"}
WHO_DECIDES = {
    Role.APPROVER: "An approver of the business unit decides, and never the person who asked.",
    Role.BU_ADMIN: "A rule asks for a business unit admin to decide, and never the person who asked.",
}


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
        DECIDES[Role(service_request.approver_role)], service_request.business_unit_id
    ):
        roles.add(Who.APPROVER)
    return roles


def may(step: str, actor: User | None, service_request: ServiceRequest) -> bool:
    return bool(TRANSITIONS[step].who & roles_of(actor, service_request))


def refusal(step: str, actor: User | None, service_request: ServiceRequest) -> str:
    """Why that person may not take the step, in whatever state the request is."""
    is_own = actor is not None and actor.pk == service_request.requester_id
    unit, ref = service_request.business_unit, service_request.ref
    if step in DECISIONS and is_own:
        return f"You asked for {ref} yourself. {who_decides(service_request)}"
    if step in DECISIONS:
        role = service_request.get_approver_role_display().lower()
        return f"You are no {role} of {unit}. {who_decides(service_request)}"
    if is_own:
        return f"You asked for {ref}, and do not have the role in {unit} any more that this takes."
    return f"Only the requester and operators may {step} {ref}."


@dataclass(frozen=True)
class Answer:
    """Whether a person may take a step with a request now, and why or why not."""

    step: str
    allowed: bool
    because: str


def explain(user: User, service_request: ServiceRequest) -> list[Answer]:
    """For each step that people can take."""
    rights = why.in_unit(user, service_request.business_unit)
    because = {answer.permission: answer.because for answer in rights.answers}
    return [_answer(step, user, service_request, because) for step in STEPS]


def _answer(
    step: str, user: User, service_request: ServiceRequest, because: Mapping[Permission, str]
) -> Answer:
    transition, roles = TRANSITIONS[step], roles_of(user, service_request)
    decides = because[DECIDES[Role(service_request.approver_role)]]
    if not transition.who & roles:
        said = refusal(step, user, service_request)
        is_own = user.pk == service_request.requester_id
        return Answer(step, False, said if is_own or step not in DECISIONS else f"{said} {decides}")
    if service_request.state not in transition.sources:
        state = service_request.get_state_display().lower()
        return Answer(step, False, f"Not now: {service_request.ref} is {state}.")
    grounds = {
        Who.APPROVER: decides,
        Who.REQUESTER: f"You asked for it. {because[Permission.REQUEST_CREATE]}",
        Who.OPERATOR: "As operator.",
    }
    return Answer(step, True, next(said for who, said in grounds.items() if who in transition.who & roles))


def approvers(business_unit: BusinessUnit, *, requester: User, role: str = Role.APPROVER) -> QuerySet[User]:
    """The people who could decide, where a rule asks for this role."""
    held = Membership.objects.active().filter(business_unit=business_unit, role__in=CAN[DECIDES[Role(role)]])
    people = User.objects.filter(is_active=True, pk__in=held.values("user")).exclude(pk=requester.pk)
    people = people.exclude(auth_source=User.Source.SERVICE)  # no machine decides
    return people.order_by("last_name", "first_name", "username")


def who_decides(service_request: ServiceRequest) -> str:
    return WHO_DECIDES[Role(service_request.approver_role)]


def is_automatic(version: ItemVersion, verdict: Verdict, facts: dict) -> bool:
    """Whether nobody has to decide: the item says so, and no rule asks for a person."""
    return policy.auto_approved(version, verdict, facts)
