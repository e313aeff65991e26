"""Who has which role in a business unit: given, changed and withdrawn by its administrators and by operators."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.timezone import now

from portal import audit
from portal.errors import InvalidInput, NotAllowed, WrongState
from portal.identity.models import BusinessUnit, Membership, User
from portal.identity.roles import CAN, PEOPLE_ONLY, Permission, Role

OWN_ROLES = (
    "Nobody changes their own roles: ask another administrator of the business unit, or the platform team."
)
FROM_ENTRA = "This role comes from Entra ID: change the groups there."


def grant(
    *, actor: User, user: User, business_unit: BusinessUnit, role: str, expires_at: datetime | None = None
) -> Membership:
    """NotAllowed for whoever does not manage the unit, and for oneself. InvalidInput."""
    _may_manage(actor, business_unit, user)
    membership = Membership(user=user, business_unit=business_unit)
    with transaction.atomic():
        _save(membership, actor, role, expires_at)
        _record("identity.grant", membership, actor)
    return membership


@transaction.atomic
def change(membership: Membership, *, actor: User, role: str, expires_at: datetime | None) -> None:
    """Another role, another end, or both."""
    membership = _locked(membership, actor)
    was = membership.get_role_display()
    _save(membership, actor, role, expires_at)
    _record("identity.change", membership, actor, f"was {was}")


@transaction.atomic
def withdraw(membership: Membership, *, actor: User) -> None:
    membership = _locked(membership, actor)
    _record("identity.withdraw", membership, actor)
    membership.delete()


def _locked(membership: Membership, actor: User) -> Membership:
    """As it is now, with its row locked: two administrators may be at it. WrongState when it is gone."""
    rows = Membership.objects.select_for_update(of=("self",)).select_related("user", "business_unit")
    found = rows.filter(pk=membership.pk).first()
    if found is None:
        raise WrongState("Somebody else has removed this role already.")
    _may_manage(actor, found.business_unit, found.user)
    if found.origin != Membership.Origin.MANUAL:
        raise NotAllowed(FROM_ENTRA)
    return found


def _may_manage(actor: User, business_unit: BusinessUnit, user: User) -> None:
    if not actor.can(Permission.MEMBERSHIP_MANAGE, business_unit):
        raise NotAllowed(f"Only administrators of {business_unit} and operators manage its people.")
    if actor.pk == user.pk:
        raise NotAllowed(OWN_ROLES)


def _save(membership: Membership, actor: User, role: str, expires_at: datetime | None) -> None:
    _check(membership.user, role, expires_at)
    membership.role, membership.expires_at, membership.granted_by = role, expires_at, actor
    try:
        with transaction.atomic():
            membership.save()
    except IntegrityError as error:
        who, label = membership.user, membership.get_role_display().lower()
        raise InvalidInput({"role": f"{who} is {label} already: change the end of that role."}) from error


def _check(user: User, role: str, expires_at: datetime | None) -> None:
    problems = {}
    if role not in Role.values:
        problems["role"] = f"Choose one of: {', '.join(Role.values)}."
    elif user.auth_source == User.Source.SERVICE and _is_for_people(role):
        problems["role"] = "A service account does not decide and manages nobody: choose another role."
    if not user.is_active:
        problems["username"] = f"The account {user.username} is closed."
    if expires_at is not None and expires_at <= now():
        problems["expires"] = "Choose a day that is not over, or none."
    if problems:
        raise InvalidInput(problems)


def _is_for_people(role: str) -> bool:
    return any(role in CAN[permission] for permission in PEOPLE_ONLY)


def _record(action: str, membership: Membership, actor: User, note: str = "") -> None:
    ends, last = membership.expires_at, membership.last_day
    audit.record(
        action,
        str(membership.user)[:80],
        actor=actor,
        business_unit=membership.business_unit,
        note=", ".join(filter(None, [membership.get_role_display(), f"until {last}" if last else "", note])),
        data={
            "expires": ends.isoformat() if ends else None,
            "role": membership.role,
            "user": membership.user.username,
        },
    )
