"""What somebody wants, checked by everything that can be checked before it is asked for."""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, Self

from django.utils.timezone import localtime, now

from billing_app import services as billing
from billing_app.services import Estimate, Standing
from catalog_app import policy
from catalog_app import services as catalog
from catalog_app.manifest import LONGEST_TTL
from catalog_app.models import Item, ItemVersion
from catalog_app.policy import Verdict
from catalog_app.versions import is_major
from portal.errors import BudgetExceeded, InvalidInput, PolicyRefused, Unavailable
from portal.identity.models import BusinessUnit, Environment, LandingZone, User
from portal.identity.roles import Permission, Role
from requests_app import approval
from requests_app.models import Deployment
from requests_app.states import Kind

logger = logging.getLogger(__name__)

LONGEST_JUSTIFICATION = 2000
NOT_CHECKED = (
    "Some rules of this item could not be checked now. The run checks them before it changes anything."
)
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
    ttl_days: int | None = None  # from the end of the run; None: the end stays as it is, or there is none
    deployment: Deployment | None = None
    upgrade_from: ItemVersion | None = None
    on_expiry: bool = False  # a removal that was agreed before
    parameters: dict[str, Any] = field(default_factory=dict)
    changes: dict[str, Any] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    warnings: dict[str, str] = field(default_factory=dict)  # by field; they stop nobody
    estimate: Estimate | None = None
    at: datetime = field(default_factory=now)  # when it is asked for; rules look at weekday and hour
    facts: dict[str, Any] = field(default_factory=dict)  # what the rules saw
    verdict: Verdict | None = None
    automatic: bool = False

    @property
    def approvers(self) -> list[User]:
        """Who could decide; empty when nobody has to."""
        if self.automatic or self.business_unit is None:
            return []
        return list(approval.approvers(self.business_unit, requester=self.requester, role=self.approver_role))

    @property
    def approver_role(self) -> str:
        """Who has to decide, if somebody has to."""
        return self.verdict.approver if self.verdict else Role.APPROVER

    @property
    def owner(self) -> User:
        """Of the deployment: whoever asked for it first."""
        return self.deployment.owner if self.deployment else self.requester

    @property
    def is_major_upgrade(self) -> bool:
        return bool(self.version and self.upgrade_from and is_major(self.version, self.upgrade_from))

    @property
    def monthly_cost(self) -> Decimal | None:
        return self.estimate.monthly if self.estimate and self.estimate.complete else None

    @cached_property
    def cost_before(self) -> Decimal:
        """What the budget pays for the deployment as it is, a month; 0 for something new."""
        return billing.committed_to(self.deployment.pk) if self.deployment else Decimal("0.00")

    @property
    def cost_after(self) -> Decimal:
        """At least, where the estimate is not complete."""
        if self.estimate:
            return self.estimate.monthly
        return Decimal("0.00") if self.kind == Kind.DESTROY else self.cost_before

    @property
    def cost_difference(self) -> Decimal:
        return self.cost_after - self.cost_before

    @cached_property
    def standing(self) -> Standing:
        """What it would do to the budget. Nothing is set aside yet, so somebody else may be quicker."""
        assert self.business_unit is not None  # checked before
        return billing.standing(self.business_unit, self.environment, self.cost_difference)

    def accept(self) -> Self:
        """Itself, or InvalidInput, PolicyRefused or BudgetExceeded."""
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
        if self.standing.blocks:
            raise BudgetExceeded(self.standing.message)
        return self

    def gather_facts(self) -> dict[str, Any]:
        """What rules may look at, as docs/policies.md tells. It is kept with the request."""
        assert self.version is not None  # checked before
        before = self.deployment
        return {
            **where_and_who(self),
            "kind": str(self.kind),
            "item": self.version.item.slug,
            "lifecycle": self.version.item.lifecycle,
            "params": self.parameters,
            "justification": self.justification,
            "ttl_days": self.ttl_days,
            "allow_replace": self.allow_replace,
            "estimate": {
                "monthly": float(self.cost_after),
                "extra": float(self.cost_after - self.cost_before),
                "complete": self.kind == Kind.DESTROY or bool(self.estimate and self.estimate.complete),
            },
            "deployment": {
                "monthly": float(self.cost_before),
                "version": before.item_version.version if before else "",
            },
            "budget": self.standing.as_json(),
            "now": clock(self.at),
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
        self.facts = self.gather_facts()
        self.verdict = policy.decide("request", self.facts)
        refused = self.verdict.blocked or self.standing.blocks
        self.automatic = not refused and self._needs_nobody(self.version, self.verdict, self.facts)
        return self

    def _needs_nobody(self, version: ItemVersion, verdict: Verdict, facts: dict[str, Any]) -> bool:
        if self.on_expiry:
            return True  # it was decided with the request that named the end
        if self.is_major_upgrade or self.standing.asks_for_approval:
            return False
        return approval.is_automatic(version, verdict, facts)


def clock(at: datetime) -> dict[str, Any]:
    """The moment as rules see it, in the time zone of the portal; 1 is Monday, and hours go from 0 to 23."""
    here = localtime(at)
    return {"weekday": here.isoweekday(), "hour": here.hour, "date": here.date().isoformat()}


def tags(
    business_unit: BusinessUnit, environment: str, name: str, *, owner: User, request: str = ""
) -> dict[str, str]:
    """
    Written to every resource.

    request: the one that made the deployment, and not the latest one, which would change every resource each
    time. It has no number yet while it is only proposed: then the tag is left out.
    """
    return {
        "business-unit": business_unit.slug,
        "cost-center": business_unit.cost_center,
        "environment": environment,
        "deployment": name,
        "owner": owner.email or owner.username,
        "managed-by": "groundwork",
        **({"request": request} if request else {}),
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
    ttl_days: int | None = None,
    at: datetime | None = None,
) -> Proposal:
    """Something that is not there yet. `item` and `business_unit` are slugs; the name is a parameter too."""
    name = name or str(parameters.get("name", ""))
    proposal = Proposal(
        kind=Kind.CREATE,
        requester=requester,
        version=_version(requester, item),
        business_unit=unit_of(requester, business_unit),
        environment=environment,
        region=region,
        name=name,
        usage=dict(usage or {}),
        justification=justification,
        ttl_days=ttl_days,
        at=at or now(),
    )
    problems = proposal.problems
    if proposal.version is None:
        problems["item"] = _why_not(requester, item)
    elif proposal.version.item.lifecycle == "deprecated":
        proposal.warnings["item"] = (
            f"{proposal.version.item} is retiring. {_successor(proposal.version.item)}"
        )
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
    check_text(proposal)
    check_ttl(proposal)
    _check_name(proposal, parameters)
    if proposal.version and "item" not in problems:
        check_parameters(
            proposal, {**parameters, "name": name} if _asks_name(proposal.version) else parameters
        )
    check_landing_zone(proposal)
    _check_name_is_free(proposal)
    return proposal.judge()


def _version(requester: User, slug: str) -> ItemVersion | None:
    offered = Item.objects.offered_to(requester).select_related("current__item__replaced_by")
    item = offered.filter(slug=slug).first()
    return item.current if item else None


def _why_not(requester: User, slug: str) -> str:
    retired = Item.objects.visible_to(requester).filter(slug=slug, lifecycle="retired").first()
    if retired:
        return f"{retired} is retired and takes no new requests. {_successor(retired)}"
    offered = Item.objects.offered_to(requester).values_list("slug", flat=True).order_by("slug")
    return f"There is no item {slug!r} in the catalog. It has: {', '.join(offered)}."


def _successor(item: Item) -> str:
    successor = item.replaced_by
    return (
        f"Use {successor} ({successor.slug}) for new work." if successor else "Nothing takes its place yet."
    )


def unit_of(requester: User, slug: str) -> BusinessUnit | None:
    units = BusinessUnit.objects.for_user(requester, Permission.REQUEST_CREATE)
    return units.filter(slug=slug, is_active=True).first()


def _asks_name(version: ItemVersion) -> bool:
    return "name" in version.parsed.asked


def _check_name(proposal: Proposal, parameters: Mapping[str, Any]) -> None:
    if not NAME.fullmatch(proposal.name):
        proposal.problems["name"] = (
            "A name has 3 to 12 lower-case letters, digits and single hyphens, and begins with a letter."
        )
    elif parameters.get("name", proposal.name) != proposal.name:
        proposal.problems["name"] = (
            "The name is given twice, and differently: leave it out of the parameters."
        )


def check_text(proposal: Proposal) -> None:
    if len(proposal.justification) > LONGEST_JUSTIFICATION:
        proposal.problems["justification"] = f"Write at most {LONGEST_JUSTIFICATION} characters."
    if "\x00" in proposal.justification:
        proposal.problems["justification"] = "This text has a character that cannot be stored."


def check_ttl(proposal: Proposal) -> None:
    """Days that the item allows; its default for what has no end yet and would get none."""
    if proposal.version is None:
        return
    limit = proposal.version.parsed.ttl_in(proposal.environment)
    if proposal.ttl_days is None:
        has_end = proposal.deployment is not None and proposal.deployment.expires_at is not None
        proposal.ttl_days = limit.default if limit and not has_end else None
        return
    most = limit.max_days if limit else LONGEST_TTL
    if type(proposal.ttl_days) is not int or not 1 <= proposal.ttl_days <= most:
        where = Environment(proposal.environment).label if limit else "any environment"
        proposal.problems["ttl_days"] = (
            f"Choose 1 to {most} days: {proposal.version.parsed.title} stays no longer in {where}."
        )


def check_parameters(proposal: Proposal, given: Mapping[str, Any]) -> None:
    assert proposal.version  # checked before
    try:
        proposal.parameters = catalog.validate(
            proposal.version,
            given,
            environment=proposal.environment if proposal.environment in Environment.values else "",
            region=proposal.region,
            business_unit=proposal.business_unit.slug if proposal.business_unit else "",
            before=proposal.deployment.parameters if proposal.deployment else None,
        )
    except InvalidInput as error:
        proposal.problems |= error.problems


def check_landing_zone(proposal: Proposal) -> None:
    """Fails now, and not when the run starts, if the landing zone lacks what the module needs."""
    if proposal.problems or proposal.version is None or proposal.business_unit is None:
        return
    try:
        values = catalog.inject(
            proposal.version,
            proposal.parameters,
            request=injected_facts(where_and_who(proposal), suffix="0000"),
            base=landing_zone(proposal.business_unit, proposal.environment),
        )
    except InvalidInput as error:
        proposal.problems |= error.problems
    else:
        _ask_terraform(proposal, proposal.version, values)


def _ask_terraform(proposal: Proposal, version: ItemVersion, values: Mapping[str, Any]) -> None:
    """About rules of the module that compare values, or that JSON Schema cannot say for another reason."""
    try:
        proposal.problems |= catalog.ask_terraform(version, values)
    except Unavailable as error:
        logger.warning("The values of %s were not checked by Terraform: %s", version, error)
        proposal.warnings["parameters"] = NOT_CHECKED


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


def where_and_who(proposal: Proposal) -> dict[str, Any]:
    """What is known of a request whatever it wants."""
    assert proposal.business_unit  # checked before
    unit = proposal.business_unit
    return {
        "environment": proposal.environment,
        "region": proposal.region,
        "business_unit": unit.slug,
        "cost_center": unit.cost_center,
        "requester": proposal.requester.username,
        "name": proposal.name,
        "tags": tags(unit, proposal.environment, proposal.name, owner=proposal.owner),
    }


def injected_facts(facts: Mapping[str, Any], *, suffix: str, request: str = "") -> dict[str, Any]:
    """What `inject` expressions see as `request`: the facts, and what exists only once it was asked for.

    request: see `tags`.
    """
    return {
        **facts,
        "tags": {**facts["tags"], **({"request": request} if request else {})},
        "unique_suffix": suffix,
    }
