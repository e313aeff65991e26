"""How the lists of the API are narrowed and ordered; the search is that of the pages, too."""

import django_filters.rest_framework as df
from django.db.models import Q

from portal.identity.models import Environment
from portal.lists import one_of, order_by, some_of, yes
from requests_app.models import Deployment, ServiceRequest, ServiceRequestQuerySet
from requests_app.states import DeploymentState, Kind, State


def search_requests(found: ServiceRequestQuerySet, text: str) -> ServiceRequestQuerySet:
    """By a part of the name, or by number: 12 and REQ-12."""
    number = text.upper().removeprefix("REQ-")
    by_name = Q(deployment__name__icontains=text)
    is_number = number.isascii() and number.isdecimal() and len(number) < 19
    return found.filter(by_name | Q(pk=int(number)) if is_number else by_name)


class RequestQuery(df.FilterSet):
    state = some_of(State.values)
    kind = one_of(Kind.values)
    environment = one_of(Environment.values)
    business_unit = df.CharFilter(field_name="business_unit__slug")
    item = df.CharFilter(field_name="item_version__item__slug")
    deployment = df.UUIDFilter(field_name="deployment_id")
    requester = df.CharFilter(field_name="requester__username")
    search = df.CharFilter(method="by_search", help_text="A part of the name, or a number: 12 or REQ-12.")
    mine = yes(method="by_mine", help_text="What the caller asked for.")
    waiting_for_me = yes(method="by_waiting", help_text="What waits for a decision of the caller.")
    submitted_after = df.IsoDateTimeFilter(field_name="submitted_at", lookup_expr="gte")
    submitted_before = df.IsoDateTimeFilter(field_name="submitted_at", lookup_expr="lt")
    order = order_by("submitted_at", "deployment__name", "environment", "state")

    class Meta:
        model = ServiceRequest
        fields: list[str] = []

    def by_search(self, queryset: ServiceRequestQuerySet, name: str, value: str) -> ServiceRequestQuerySet:
        return search_requests(queryset, value)

    def by_mine(self, queryset: ServiceRequestQuerySet, name: str, value: str) -> ServiceRequestQuerySet:
        return queryset.filter(requester=self.request.user) if value == "true" else queryset

    def by_waiting(self, queryset: ServiceRequestQuerySet, name: str, value: str) -> ServiceRequestQuerySet:
        return queryset.decidable_by(self.request.user) if value == "true" else queryset


class DeploymentQuery(df.FilterSet):
    state = some_of(DeploymentState.values)
    environment = one_of(Environment.values)
    business_unit = df.CharFilter(field_name="business_unit__slug")
    item = df.CharFilter(field_name="item__slug")
    owner = df.CharFilter(field_name="owner__username")
    search = df.CharFilter(field_name="name", lookup_expr="icontains", help_text="A part of the name.")
    order = order_by("created_at", "updated_at", "name")

    class Meta:
        model = Deployment
        fields: list[str] = []
