"""What somebody wants of what is there: a change, an upgrade, a removal, more time."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.utils.timezone import now

from catalog_app import policy
from catalog_app import services as catalog
from catalog_app.models import ItemVersion
from portal.identity.models import Environment, User
from requests_app.models import Deployment
from requests_app.proposal import (
    Proposal,
    check_landing_zone,
    check_parameters,
    check_text,
    check_ttl,
    unit_of,
)
from requests_app.states import DeploymentState, Kind


def change(
    *,
    requester: User,
    deployment: Deployment,
    parameters: Mapping[str, Any],
    usage: Mapping[str, Any] | None = None,
    justification: str = "",
    allow_replace: bool = False,
    ttl_days: int | None = None,
    upgrade: bool = False,
    at: datetime | None = None,
) -> Proposal:
    """Other parameters for what is there; `parameters` holds only those that change.

    With the version that made it, or with the newest one where `upgrade` says so.
    """
    proposal = _about(deployment, Kind.UPDATE, requester, usage, justification, at)
    proposal.allow_replace, proposal.ttl_days = allow_replace, ttl_days
    if upgrade:
        _upgrade(proposal, deployment)
    check_ttl(proposal)
    assert proposal.version  # of the deployment
    possible = settable(deployment, proposal.version)
    for name in parameters:
        if name not in possible:
            proposal.problems[name] = f"{name} cannot be changed. These can: {', '.join(possible) or 'none'}."
    if not proposal.problems:
        check_parameters(proposal, {**catalog.carried(proposal.version, deployment.parameters), **parameters})
        check_landing_zone(proposal)
    proposal.changes = _changes(deployment.parameters, proposal.parameters)
    unfinished = deployment.state == DeploymentState.INCOMPLETE
    if not proposal.problems and not proposal.changes and not unfinished and not proposal.upgrade_from:
        proposal.problems["parameters"] = "Nothing would change: every value is what it is now."
    return proposal.judge()


def settable(deployment: Deployment, version: ItemVersion) -> list[str]:
    """The parameters that a change may name; version: the one that it has, or a newer one."""
    if version == deployment.item_version:
        return catalog.editable(version, environment=deployment.environment)
    return catalog.open_to_upgrade(version, deployment.parameters, environment=deployment.environment)


def _upgrade(proposal: Proposal, deployment: Deployment) -> None:
    newest = newer_version(deployment, proposal.requester)
    if newest is None:
        proposal.problems["upgrade"] = (
            f"{deployment.name} has {deployment.item_version.version}, and there is nothing newer for it."
        )
        return
    proposal.version, proposal.upgrade_from = newest, deployment.item_version
    gone = deployment.usage.keys() - {question.id for question in newest.parsed.pricing.usage}
    proposal.usage = {name: value for name, value in proposal.usage.items() if name not in gone}
    if proposal.is_major_upgrade:
        proposal.warnings["upgrade"] = (
            f"{newest.version} is a major version: something is gone, renamed or built anew. "
            "A person always decides."
        )


def newer_version(deployment: Deployment, user: User) -> ItemVersion | None:
    return catalog.newer(
        deployment.item_version,
        user=user,
        environment=deployment.environment,
        region=deployment.region,
        business_unit=deployment.business_unit.slug,
    )


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """{name: {from, to}} of what is different; what a newer version does not ask for any more becomes null."""
    names = [*after, *(name for name in before if after and name not in after)]
    return {
        name: {"from": before.get(name), "to": after.get(name)}
        for name in names
        if before.get(name) != after.get(name)
    }


def removal(
    *, requester: User, deployment: Deployment, justification: str = "", at: datetime | None = None
) -> Proposal:
    """The end of what is there, with the version that made it."""
    proposal = _about(deployment, Kind.DESTROY, requester, None, justification, at)
    proposal.parameters = dict(deployment.parameters)
    if not deployment.item_version.parsed.operations_of(Kind.DESTROY, deployment.environment):
        where = Environment(deployment.environment).label
        proposal.problems["deployment"] = (
            f"{deployment.item} is not removed by request in {where}: ask the platform team."
        )
    return proposal.judge()


def expiry(deployment: Deployment) -> Proposal:
    """The end that was agreed when it was asked for: in the name of its owner, who may have left meanwhile."""
    return Proposal(
        kind=Kind.DESTROY,
        requester=deployment.owner,
        version=deployment.item_version,
        business_unit=deployment.business_unit,
        environment=deployment.environment,
        region=deployment.region,
        name=deployment.name,
        usage=dict(deployment.usage),
        parameters=dict(deployment.parameters),
        deployment=deployment,
        on_expiry=True,
    ).judge()


def extension(*, requester: User, deployment: Deployment, ttl_days: int | None = None) -> Proposal:
    """More time for what is there, counted from today. Only rules about `ttl_days` are asked."""
    proposal = _about(deployment, Kind.UPDATE, requester, None, "")
    proposal.parameters = dict(deployment.parameters)
    limit = deployment.item_version.parsed.ttl_in(deployment.environment)
    proposal.ttl_days = limit.default if ttl_days is None and limit else ttl_days
    check_ttl(proposal)
    days, until = proposal.ttl_days, deployment.expires_at
    if days is None:
        proposal.problems["ttl_days"] = "This is needed and was not given."
    elif not proposal.problems and until and now() + timedelta(days=days) <= until:
        proposal.problems["ttl_days"] = f"It stays until {until:%-d %b %Y} already: choose more days."
    if proposal.problems:
        return proposal
    return _judge_extension(proposal)


def _judge_extension(proposal: Proposal) -> Proposal:
    verdict = policy.decide("request", proposal.gather_facts())
    findings = [
        finding
        for finding in verdict.findings
        # What is said of all rules together, such as that they cannot be read, is about this as well.
        if finding.field == "ttl_days" or (finding.fault and not finding.field)
    ]
    denied = any(finding.effect == "deny" for finding in findings)
    proposal.verdict = replace(verdict, outcome="deny" if denied else "allow", findings=findings)
    for finding in findings:
        if finding.effect == "require_approval":
            proposal.problems["ttl_days"] = (
                f"{finding.message} Nobody decides on an extension: take fewer days."
            )
    return proposal


def _about(
    deployment: Deployment,
    kind: Kind,
    requester: User,
    usage: Mapping[str, Any] | None,
    justification: str,
    at: datetime | None = None,
) -> Proposal:
    proposal = Proposal(
        kind=kind,
        requester=requester,
        version=deployment.item_version,
        business_unit=unit_of(requester, deployment.business_unit.slug),
        environment=deployment.environment,
        region=deployment.region,
        name=deployment.name,
        usage=dict(deployment.usage if usage is None else usage),
        justification=justification,
        deployment=deployment,
        at=at or now(),
    )
    if proposal.business_unit is None:
        proposal.problems["business_unit"] = (
            f"You cannot ask for the business unit {deployment.business_unit.slug!r}."
        )
    if not deployment.is_live or deployment.state == DeploymentState.NEW:
        proposal.problems["deployment"] = f"{deployment.name} is {deployment.get_state_display().lower()}."
    check_text(proposal)
    return proposal
