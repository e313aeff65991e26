"""What somebody wants, checked by everything that can be checked before it is asked for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Self

from billing_app import services as billing
from billing_app.services import Estimate
from catalog_app import policy
from catalog_app import services as catalog
from catalog_app.models import Item, ItemVersion
from catalog_app.policy import Verdict
from portal.errors import InvalidInput, PolicyRefused
from portal.identity.models import BusinessUnit, Environment, LandingZone, User
from portal.identity.roles import Permission
from requests_app import approval
from requests_app.models import Deployment
from requests_app.states import DeploymentState, Kind

LONGEST_JUSTIFICATION = 2000
NAME = re.compile(r"(?=.{3,12}$)[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass
class Proposal:
    """Complete when `problems` is empty; may be asked for when `verdict` does not block it."""

    kind: Kind
    requester: User
    version: ItemVersion | None
    business_unit: BusinessUnit | None
    environment: str
    region: str
    name: str
    usage: dict[str, Any]
    justification: str = ""
    allow_replace: bool = False
    deployment: Deployment | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    changes: dict[str, Any] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    estimate: Estimate | None = None
    verdict: Verdict | None = None
    automatic: bool = False

    @property
    def approvers(self) -> list[User]:
        """Who could decide; empty when nobody has to."""
        if self.automatic or self.business_unit is None:
            return []
        return list(approval.approvers(self.business_unit, requester=self.requester))

    @property
    def monthly_cost(self) -> Decimal | None:
        return self.estimate.monthly if self.estimate and self.estimate.complete else None

    def accept(self) -> Self:
        """Itself, or InvalidInput or PolicyRefused."""
        if self.problems:
            raise InvalidInput(self.problems)
        if self.verdict and self.verdict.blocked:
            refused = [finding for finding in self.verdict.findings if finding.effect == "deny"]
            raise PolicyRefused(
                " ".join(finding.message for finding in refused),
                self.verdict.as_json(),
                {
                    finding.field or finding.rule: f"{finding.message} {finding.hint or ''}".strip()
                    for finding in refused
                },
            )
        return self

    def facts(self) -> dict[str, Any]:
        """What rules may look at."""
        assert self.version is not None  # checked before
        assert self.business_unit is not None
        estimate = self.estimate
        return {
            "kind": str(self.kind),
            "item": self.version.item.slug,
            "environment": self.environment,
            "region": self.region,
            "business_unit": self.business_unit.slug,
            "cost_center": self.business_unit.cost_center,
            "name": self.name,
            "params": self.parameters,
            "tags": tags(self.business_unit, self.environment, self.name),
            "estimate": {
                "monthly": float(estimate.monthly) if estimate else 0.0,
                "complete": bool(estimate and estimate.complete),
            },
            "requester": self.requester.username,
            "allow_replace": self.allow_replace,
        }

    def judge(self) -> Self:
        """Add the estimate and the verdict, if everything else is in order."""
        if self.problems or self.version is None or self.business_unit is None:
            return self
        if self.kind != Kind.DESTROY:
            try:
                self.estimate = billing.estimate(
                    self.version,
                    self.parameters,
                    environment=self.environment,
                    region=self.region,
                    usage=self.usage or None,
                )
            except InvalidInput as error:
                self.problems |= error.problems
                return self
        facts = self.facts()
        self.verdict = policy.decide("request", facts)
        self.automatic = not self.verdict.blocked and approval.is_automatic(self.version, self.verdict, facts)
        return self


def tags(business_unit: BusinessUnit, environment: str, name: str) -> dict[str, str]:
    """Written to every resource."""
    return {
        "business-unit": business_unit.slug,
        "cost-center": business_unit.cost_center,
        "environment": environment,
        "deployment": name,
        "managed-by": "groundwork",
    }


def new(
    *,
    requester: User,
    item: str,
    business_unit: str,
    environment: str,
    region: str,
    name: str,
    parameters: Mapping[str, Any],
    usage: Mapping[str, Any] | None = None,
    justification: str = "",
) -> Proposal:
    """Something that is not there yet. `item` and `business_unit` are slugs; the name is a parameter too."""
    name = name or str(parameters.get("name", ""))
    proposal = Proposal(
        kind=Kind.CREATE,
        requester=requester,
        version=_version(item),
        business_unit=_unit(requester, business_unit),
        environment=environment,
        region=region,
        name=name,
        usage=dict(usage or {}),
        justification=justification,
    )
    problems = proposal.problems
    if proposal.version is None:
        offered = ", ".join(Item.objects.offered().values_list("slug", flat=True).order_by("slug"))
        problems["item"] = f"There is no item {item!r} in the catalog. It has: {offered}."
    if proposal.business_unit is None:
        own = BusinessUnit.objects.for_user(requester, Permission.REQUEST_CREATE).filter(is_active=True)
        units = ", ".join(own.values_list("slug", flat=True)) or "none"
        problems["business_unit"] = (
            f"You cannot ask for the business unit {business_unit!r}. You can for: {units}."
        )
    if environment not in Environment.values:
        problems["environment"] = f"Choose one of: {', '.join(Environment.values)}."
    if not region:
        problems["region"] = "This is needed and was not given."
    _check_text(proposal)
    if not NAME.fullmatch(name):
        problems["name"] = (
            "A name has 3 to 12 lower-case letters, digits and single hyphens, and begins with a letter."
        )
    if proposal.version and "item" not in problems:
        _check_parameters(
            proposal, {**parameters, "name": name} if _asks_name(proposal.version) else parameters
        )
    _check_landing_zone(proposal)
    _check_name_is_free(proposal)
    return proposal.judge()


def change(
    *,
    requester: User,
    deployment: Deployment,
    parameters: Mapping[str, Any],
    usage: Mapping[str, Any] | None = None,
    justification: str = "",
    allow_replace: bool = False,
) -> Proposal:
    """Other parameters for what is there; `parameters` holds only those that change."""
    proposal = _about(deployment, Kind.UPDATE, requester, usage, justification)
    proposal.allow_replace = allow_replace
    version = proposal.version = _version(deployment.item.slug) or deployment.item_version
    editable = catalog.editable(version, environment=deployment.environment)
    for name in parameters:
        if name not in editable:
            proposal.problems[name] = f"{name} cannot be changed. These can: {', '.join(editable) or 'none'}."
    if not proposal.problems:
        _check_parameters(proposal, {**deployment.parameters, **parameters})
    proposal.changes = {
        name: {"from": deployment.parameters.get(name), "to": value}
        for name, value in proposal.parameters.items()
        if deployment.parameters.get(name) != value
    }
    unfinished = deployment.state == DeploymentState.INCOMPLETE
    if not proposal.problems and not proposal.changes and not unfinished:
        proposal.problems["parameters"] = "Nothing would change: every value is what it is now."
    return proposal.judge()


def removal(*, requester: User, deployment: Deployment, justification: str = "") -> Proposal:
    """The end of what is there, with the version that made it."""
    proposal = _about(deployment, Kind.DESTROY, requester, None, justification)
    proposal.parameters = dict(deployment.parameters)
    return proposal.judge()


def _about(
    deployment: Deployment,
    kind: Kind,
    requester: User,
    usage: Mapping[str, Any] | None,
    justification: str,
) -> Proposal:
    proposal = Proposal(
        kind=kind,
        requester=requester,
        version=deployment.item_version,
        business_unit=_unit(requester, deployment.business_unit.slug),
        environment=deployment.environment,
        region=deployment.region,
        name=deployment.name,
        usage=dict(deployment.usage if usage is None else usage),
        justification=justification,
        deployment=deployment,
    )
    if proposal.business_unit is None:
        proposal.problems["business_unit"] = (
            f"You cannot ask for the business unit {deployment.business_unit.slug!r}."
        )
    if not deployment.is_live or deployment.state == DeploymentState.NEW:
        proposal.problems["deployment"] = f"{deployment.name} is {deployment.get_state_display().lower()}."
    _check_text(proposal)
    return proposal


def _version(slug: str) -> ItemVersion | None:
    item = Item.objects.offered().select_related("current__item").filter(slug=slug).first()
    return item.current if item else None


def _unit(requester: User, slug: str) -> BusinessUnit | None:
    units = BusinessUnit.objects.for_user(requester, Permission.REQUEST_CREATE)
    return units.filter(slug=slug, is_active=True).first()


def _asks_name(version: ItemVersion) -> bool:
    return "name" in version.parsed.asked


def _check_text(proposal: Proposal) -> None:
    if len(proposal.justification) > LONGEST_JUSTIFICATION:
        proposal.problems["justification"] = f"Write at most {LONGEST_JUSTIFICATION} characters."
    if "\x00" in proposal.justification:
        proposal.problems["justification"] = "This text has a character that cannot be stored."


def _check_parameters(proposal: Proposal, given: Mapping[str, Any]) -> None:
    assert proposal.version  # checked before
    try:
        proposal.parameters = catalog.validate(
            proposal.version,
            given,
            environment=proposal.environment if proposal.environment in Environment.values else "",
            region=proposal.region,
            business_unit=proposal.business_unit.slug if proposal.business_unit else "",
        )
    except InvalidInput as error:
        proposal.problems |= error.problems


def _check_landing_zone(proposal: Proposal) -> None:
    """Fails now, and not when the run starts, if the landing zone lacks what the module needs."""
    if proposal.problems or proposal.version is None or proposal.business_unit is None:
        return
    try:
        catalog.inject(
            proposal.version,
            proposal.parameters,
            request=injected_facts(proposal, suffix="0000"),
            base=landing_zone(proposal.business_unit, proposal.environment),
        )
    except InvalidInput as error:
        proposal.problems |= error.problems


def _check_name_is_free(proposal: Proposal) -> None:
    if proposal.problems or proposal.version is None:
        return
    taken = Deployment.objects.live().filter(
        business_unit=proposal.business_unit,
        environment=proposal.environment,
        item=proposal.version.item,
        name=proposal.name,
    )
    if taken.exists():
        proposal.problems["name"] = name_is_taken(proposal.name)


def name_is_taken(name: str) -> str:
    return f"There is already a {name} of this kind in this environment: choose another name, or change that one."


def landing_zone(business_unit: BusinessUnit, environment: str) -> dict[str, Any]:
    zone = LandingZone.objects.filter(business_unit=business_unit, environment=environment).first()
    return zone.outputs if zone else {}


def injected_facts(proposal: Proposal, *, suffix: str) -> dict[str, Any]:
    """What `inject` expressions see as `request`."""
    assert proposal.business_unit  # checked before
    unit = proposal.business_unit
    return {
        "environment": proposal.environment,
        "region": proposal.region,
        "business_unit": unit.slug,
        "cost_center": unit.cost_center,
        "requester": proposal.requester.username,
        "name": proposal.name,
        "tags": tags(unit, proposal.environment, proposal.name),
        "unique_suffix": suffix,
    }
