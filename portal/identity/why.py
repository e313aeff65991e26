"""Why somebody may or may not do something in a business unit: the role, where it comes from, and who could give it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from portal.identity.models import BusinessUnit, EntraMapping, Membership, User
from portal.identity.roles import CAN, Permission, Role


@dataclass(frozen=True)
class Answer:
    permission: Permission
    allowed: bool
    because: str


@dataclass(frozen=True)
class Held:
    """A role that somebody has, or had until it ended."""

    membership: Membership
    origin: str  # `Given by Emil Example`, `Entra ID, group 3f1c…`

    @property
    def in_words(self) -> str:
        return f"{self.membership.get_role_display()} ({self.origin})"


@dataclass(frozen=True)
class Rights:
    """Those of one person in one business unit."""

    business_unit: BusinessUnit
    held: Sequence[Held]
    answers: Sequence[Answer]
    givers: str


def everywhere(user: User) -> list[Rights]:
    """In each business unit in which the user has or had a role; three queries."""
    rows = user.memberships.select_related("business_unit", "granted_by").order_by(
        "business_unit__name", "role"
    )
    if user.only_in is not None:
        rows = rows.filter(business_unit=user.only_in)
    by_unit: dict[BusinessUnit, list[Membership]] = {}
    for row in rows:
        by_unit.setdefault(row.business_unit, []).append(row)
    groups, admins = _groups(by_unit), _admins(by_unit)
    return [_rights(user, unit, memberships, groups, admins) for unit, memberships in by_unit.items()]


def in_unit(user: User, business_unit: BusinessUnit) -> Rights:
    rows = list(
        user.memberships.filter(business_unit=business_unit).select_related("granted_by").order_by("role")
    )
    return _rights(user, business_unit, rows, _groups([business_unit]), _admins([business_unit]))


Groups = dict[tuple[int, str], list[str]]


def _groups(units: Iterable[BusinessUnit]) -> Groups:
    """What of Entra ID stands behind a role in a business unit."""
    groups: Groups = {}
    for mapping in EntraMapping.objects.filter(business_unit__in=list(units)).order_by("pk"):
        kind = "group" if mapping.group_oid else "app role"
        groups.setdefault((mapping.business_unit_id or 0, mapping.role), []).append(f"{kind} {mapping}")
    return groups


def _admins(units: Iterable[BusinessUnit]) -> dict[int, list[User]]:
    held = Membership.objects.active().filter(
        business_unit__in=list(units),
        role__in=CAN[Permission.MEMBERSHIP_MANAGE],
        user__is_active=True,
    )
    admins: dict[int, list[User]] = {}
    for row in held.select_related("user").order_by("user__username"):
        admins.setdefault(row.business_unit_id, []).append(row.user)
    return admins


def _rights(
    user: User,
    unit: BusinessUnit,
    memberships: Sequence[Membership],
    groups: Groups,
    admins: dict[int, list[User]],
) -> Rights:
    held = [Held(row, _origin(row, groups)) for row in memberships]
    others = [admin for admin in admins.get(unit.pk, []) if admin.pk != user.pk]
    knows = user.can(Permission.REQUEST_VIEW, unit)
    return Rights(
        business_unit=unit,
        held=held,
        answers=[_answer(user, unit, permission, held) for permission in Permission],
        givers=" or ".join(map(str, others[:3])) if others and knows else "the platform team",
    )


def _origin(row: Membership, groups: Groups) -> str:
    if row.origin == Membership.Origin.ENTRA:
        behind = groups.get((row.business_unit_id, row.role))
        return f"Entra ID, {' or '.join(behind)}" if behind else "Entra ID"
    return f"given by {row.granted_by}" if row.granted_by else "given by the platform team"


def _answer(user: User, unit: BusinessUnit, permission: Permission, held: Sequence[Held]) -> Answer:
    enough = user.roles_for(permission)
    good = [each for each in held if each.membership.role in enough]
    working = [each for each in good if not each.membership.has_ended]
    if not user.is_active:
        return Answer(permission, False, "The account is closed.")
    if working:
        return Answer(permission, True, f"As {' and '.join(each.in_words for each in working)}.")
    if user.can_everywhere(permission):
        return Answer(permission, True, "As operator, in every business unit.")
    if not enough:
        return Answer(permission, False, "A service account never does this.")
    if good:
        ended = good[0].membership
        return Answer(
            permission, False, f"The role {ended.get_role_display()} ended on {ended.last_day:%-d %b %Y}."
        )
    return Answer(permission, False, f"This takes the role {takes(permission)}.")


def takes(permission: Permission) -> str:
    """`Requester or Business unit admin`."""
    return " or ".join(role.label for role in Role if role in CAN[permission])
