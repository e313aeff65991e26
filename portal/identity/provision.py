"""From verified claims to a person of the portal, found by tenant and object id, never by e-mail."""

from datetime import UTC, datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from portal import audit
from portal.identity import entra
from portal.identity.models import BusinessUnit, EntraMapping, Membership, User


class NoRole(entra.TokenRefused):
    """The person is who they say, and nothing here is for them."""


class AccountClosed(entra.TokenRefused):
    """The platform team has closed the account here."""


def provision(claims: entra.Claims) -> User:
    """
    The person, made equal to what Entra ID says now: name, platform role, roles in business units.

    Safe to repeat. NoRole when no mapping fits, Unavailable when Graph had to be asked and did not answer.
    """
    fitting = _fitting_mappings(claims)  # may ask Graph, so before the transaction
    if not fitting:
        raise NoRole("none of its groups and app roles is mapped to anything")
    try:
        return _apply(claims, fitting)
    except IntegrityError:  # two first sign-ins at once: the other one has made the row
        return _apply(claims, fitting)


def _fitting_mappings(claims: entra.Claims) -> list[EntraMapping]:
    mappings = list(EntraMapping.objects.select_related("business_unit"))
    groups = entra.groups_among(claims, {str(each.group_oid) for each in mappings if each.group_oid})
    app_roles = set(claims.get("roles") or ())
    return [
        each
        for each in mappings
        if (str(each.group_oid) in groups if each.group_oid else each.app_role in app_roles)
    ]


@transaction.atomic
def _apply(claims: entra.Claims, fitting: list[EntraMapping]) -> User:
    ids = {"entra_tid": UUID(claims["tid"]), "entra_oid": UUID(claims["oid"])}
    user = User.objects.select_for_update().filter(**ids).first()
    issued = datetime.fromtimestamp(claims["iat"], UTC)
    if user is None:
        user = User(username=f"entra:{claims['oid']}", auth_source=User.Source.ENTRA, **ids)
        user.set_unusable_password()
    if not user.is_active or user.auth_source != User.Source.ENTRA:
        raise AccountClosed("the account is closed in the portal, or a service account")
    if user.claims_synced_at and issued < user.claims_synced_at:
        return user  # an older token says nothing about today
    was_operator = user.is_staff
    _describe(user, claims)
    user.is_staff = any(each.grants_staff for each in fitting)
    user.is_superuser = False  # no claim ever gives that
    user.claims_synced_at = issued
    user.save()
    if user.is_staff != was_operator:
        _record("identity.grant" if user.is_staff else "identity.withdraw", user, None, "operator")
    _set_memberships(user, fitting)
    return user


def _describe(user: User, claims: entra.Claims) -> None:
    """For display only: names and addresses change hands. As long as the audit trail has room for."""
    user.email = str(claims.get("email") or claims.get("preferred_username") or "")[:254]
    user.first_name = str(claims.get("given_name") or claims.get("name") or "")[:75]
    user.last_name = str(claims.get("family_name") or "")[:75]


def _set_memberships(user: User, fitting: list[EntraMapping]) -> None:
    """Those from Entra ID become equal to the mappings. Those granted by hand are not touched."""
    wanted = {(each.business_unit, each.role) for each in fitting if each.business_unit}
    rows = user.memberships.filter(origin=Membership.Origin.ENTRA).select_related("business_unit")
    held = {(row.business_unit, row.role): row for row in rows}
    for unit, role in wanted - held.keys():
        Membership.objects.create(user=user, business_unit=unit, role=role, origin=Membership.Origin.ENTRA)
        _record("identity.grant", user, unit, role)
    for unit, role in held.keys() - wanted:
        held[unit, role].delete()
        _record("identity.withdraw", user, unit, role)


def _record(action: str, user: User, unit: BusinessUnit | None, role: str) -> None:
    data = {"role": role, "user": user.username}
    audit.record(action, str(user)[:80], actor=None, business_unit=unit, note="Entra ID", data=data)
