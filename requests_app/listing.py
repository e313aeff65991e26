"""How lists are narrowed, for the API and the pages alike."""

from collections.abc import Mapping

from django.db.models import Q

from portal.errors import InvalidInput
from portal.identity.models import Environment, User
from requests_app.models import DeploymentQuerySet, ServiceRequestQuerySet
from requests_app.states import DeploymentState, Kind, State

CHOICES: dict[str, list[str]] = {"environment": Environment.values, "kind": Kind.values}


def filter_requests(
    found: ServiceRequestQuerySet, given: Mapping[str, str], user: User
) -> ServiceRequestQuerySet:
    """state, kind, environment, business_unit, item, search, mine, waiting_for_me."""
    _check(given, {**CHOICES, "state": State.values, "mine": YES_NO, "waiting_for_me": YES_NO})
    for name, lookup in REQUEST_LOOKUPS.items():
        if given.get(name):
            found = found.filter(**{lookup: given[name]})
    if given.get("search"):
        found = found.filter(_request_matches(given["search"]))
    if given.get("mine") == "true":
        found = found.filter(requester=user)
    if given.get("waiting_for_me") == "true":
        found = found.decidable_by(user)
    return found


def filter_deployments(found: DeploymentQuerySet, given: Mapping[str, str]) -> DeploymentQuerySet:
    """state, environment, business_unit, item, search."""
    _check(given, {**CHOICES, "state": DeploymentState.values})
    for name, lookup in DEPLOYMENT_LOOKUPS.items():
        if given.get(name):
            found = found.filter(**{lookup: given[name]})
    if given.get("search"):
        found = found.filter(name__icontains=given["search"])
    return found


YES_NO = ["true", "false"]
REQUEST_LOOKUPS = {
    "state": "state",
    "kind": "kind",
    "environment": "environment",
    "business_unit": "business_unit__slug",
    "item": "item_version__item__slug",
}
DEPLOYMENT_LOOKUPS = {
    "state": "state",
    "environment": "environment",
    "business_unit": "business_unit__slug",
    "item": "item__slug",
}


def _check(given: Mapping[str, str], choices: Mapping[str, list[str]]) -> None:
    problems = {
        name: f"{given[name]!r} is not known. Choose one of: {', '.join(allowed)}."
        for name, allowed in choices.items()
        if given.get(name) and given[name] not in allowed
    }
    if problems:
        raise InvalidInput(problems)


def _request_matches(text: str) -> Q:
    number = text.upper().removeprefix("REQ-")
    by_name = Q(deployment__name__icontains=text)
    return by_name | Q(pk=int(number)) if number.isdecimal() and len(number) < 19 else by_name
