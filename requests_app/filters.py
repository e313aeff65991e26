"""What the lists of the pages can be narrowed by. The address holds every choice."""

from typing import Any

import django_filters as df
from django.db.models import Exists, OuterRef, Q

from catalog_app.models import Item
from portal.identity.models import Environment
from portal.views import search_input, visible_units
from requests_app.listing import search_requests
from requests_app.models import Deployment, DeploymentQuerySet, ServiceRequest, ServiceRequestQuerySet
from requests_app.states import LIVE, OPEN, DeploymentState, State


class _ByUnit(df.FilterSet):
    environment = df.ChoiceFilter(
        choices=Environment.choices, label="Environment", empty_label="Any environment"
    )
    business_unit = df.ModelChoiceFilter(
        queryset=visible_units,
        to_field_name="slug",
        label="Business unit",
        empty_label="Any business unit",
    )

    @property
    def is_narrowed(self) -> bool:
        return any(self.data.get(name) for name in self.filters)


class RequestFilter(_ByUnit):
    STATES = [("open", "Open"), *State.choices]
    WHOSE = [("all", "Of my business units")]

    q = df.CharFilter(method="search", label="Search requests", widget=search_input("Name or REQ-12"))
    whose = df.ChoiceFilter(choices=WHOSE, method="by_whose", label="Whose", empty_label="My own")
    state = df.ChoiceFilter(choices=STATES, method="by_state", label="State", empty_label="Any state")

    class Meta:
        model = ServiceRequest
        fields = ["q", "whose", "state", "environment", "business_unit"]

    def filter_queryset(self, queryset: ServiceRequestQuerySet) -> ServiceRequestQuerySet:
        found = super().filter_queryset(queryset)
        if self.form.cleaned_data.get("whose") != "all":
            found = found.filter(requester=self.request.user)
        return found

    def by_whose(self, queryset: ServiceRequestQuerySet, name: str, value: str) -> ServiceRequestQuerySet:
        return queryset  # the other choice is the narrow one

    def search(self, queryset: ServiceRequestQuerySet, name: str, value: str) -> ServiceRequestQuerySet:
        return search_requests(queryset, value)

    def by_state(self, queryset: ServiceRequestQuerySet, name: str, value: str) -> ServiceRequestQuerySet:
        return queryset.filter(state__in=OPEN) if value == "open" else queryset.filter(state=value)


class ApprovalFilter(_ByUnit):
    OUTCOMES = [("allow", "All rules hold"), ("require_approval", "A rule asks for a person")]

    q = df.CharFilter(method="search", label="Search requests", widget=search_input("Name or REQ-12"))
    verdict = df.ChoiceFilter(
        choices=OUTCOMES, field_name="verdict__outcome", label="Rules", empty_label="Any verdict"
    )

    class Meta:
        model = ServiceRequest
        fields = ["q", "environment", "business_unit", "verdict"]

    def search(self, queryset: ServiceRequestQuerySet, name: str, value: str) -> ServiceRequestQuerySet:
        return search_requests(queryset, value)


def _items(request: Any) -> Any:
    """Those of this person's catalog, and those that there is something of: not everybody may know all items."""
    if request is None:
        return Item.objects.none()
    visible = Item.objects.visible_to(request.user).values("pk")
    there = Deployment.objects.visible_to(request.user).filter(item=OuterRef("pk"))
    return Item.objects.filter(Q(pk__in=visible) | Exists(there)).order_by("title")


class DeploymentFilter(_ByUnit):
    """What is gone is shown only when it is asked for."""

    q = df.CharFilter(method="search", label="Search resources", widget=search_input("Name"))
    item = df.ModelChoiceFilter(queryset=_items, to_field_name="slug", label="Item", empty_label="Any item")
    state = df.ChoiceFilter(choices=DeploymentState.choices, label="State", empty_label="All that exist")

    class Meta:
        model = Deployment
        fields = ["q", "item", "state", "environment", "business_unit"]

    def filter_queryset(self, queryset: DeploymentQuerySet) -> DeploymentQuerySet:
        found = super().filter_queryset(queryset)
        return found if self.form.cleaned_data.get("state") else found.filter(state__in=LIVE)

    def search(self, queryset: DeploymentQuerySet, name: str, value: str) -> DeploymentQuerySet:
        return queryset.filter(name__icontains=value)
