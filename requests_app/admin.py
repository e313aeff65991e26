"""Requests and deployments for the platform team: to look at, and to retry or cancel through the services."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.timezone import now

from portal.admin import LookOnly
from portal.admin_site import Block, Card, Row
from portal.errors import PortalError
from portal.templatetags.ui import age, cost_of_deployment, cost_of_request, environment_badge, state_badge
from requests_app import services
from requests_app.models import Deployment, ServiceRequest
from requests_app.states import ACTIVE, State

TIMES = ("submitted_at", "started_at", "finished_at")
WANTED = ("environment", "region", "parameters", "usage", "changes", "allow_replace", "justification")
MOST_ROWS = 5
LATE_AFTER = timedelta(days=1)
RECENT = timedelta(days=7)


class _Badges:
    @admin.display(description="State", ordering="state")
    def shown_state(self, row: Any) -> SafeString:
        return state_badge(row.state)

    @admin.display(description="Environment", ordering="environment")
    def shown_environment(self, row: Any) -> SafeString:
        return environment_badge(row.environment)


@admin.register(ServiceRequest)
class ServiceRequestAdmin(_Badges, LookOnly):
    list_display = ["ref", "name", "business_unit", "shown_environment", "cost", "shown_state", "age"]
    list_filter = ["state", "kind", "environment", "business_unit"]
    list_select_related = ["deployment", "business_unit"]
    list_display_links = ["ref", "name"]
    search_fields = ["deployment__name", "requester__username", "=id"]
    date_hierarchy = "submitted_at"
    ordering = ["-submitted_at"]
    actions = ["retry", "cancel"]
    fieldsets = [
        (None, {"fields": ["kind", "deployment", "item_version", "requester", "business_unit"]}),
        ("State", {"fields": ["shown_state", "attempt", "failure", *TIMES]}),
        ("Decision", {"fields": ["decided_by", "decided_automatically", "decision_note", "decided_at"]}),
        ("Wanted", {"fields": WANTED}),
        ("Checked", {"fields": ["monthly_cost", "estimate", "facts", "verdict", "trial", "plan"]}),
    ]

    @admin.display(description="Monthly cost", ordering="monthly_cost")
    def cost(self, row: ServiceRequest) -> str:
        return cost_of_request(row)

    @admin.display(description="Asked", ordering="submitted_at")
    def age(self, row: ServiceRequest) -> str:
        return f"{age(row.submitted_at)} ago"

    @admin.action(description="Retry the selected failed requests")
    def retry(self, request: HttpRequest, chosen: QuerySet[ServiceRequest]) -> None:
        self._each(request, chosen, services.retry, "tried again")

    @admin.action(description="Cancel the selected requests that have not started")
    def cancel(self, request: HttpRequest, chosen: QuerySet[ServiceRequest]) -> None:
        self._each(request, chosen, services.cancel, "cancelled")

    def _each(
        self,
        request: HttpRequest,
        chosen: QuerySet[ServiceRequest],
        step: Callable[..., None],
        done: str,
    ) -> None:
        moved = []
        for service_request in chosen.order_by("pk"):
            try:
                step(service_request, actor=request.user)
                moved.append(service_request.ref)
            except PortalError as error:
                self.message_user(request, str(error), messages.WARNING)
        if moved:
            verb = "was" if len(moved) == 1 else "were"
            self.message_user(request, f"{', '.join(moved)} {verb} {done}.", messages.SUCCESS)

    def cards(self) -> Sequence[Card]:
        return [self._running(), self._failed(), self._waiting()]

    def _running(self) -> Card:
        running = ServiceRequest.objects.filter(state__in=ACTIVE).count()
        note = "Terraform is at work" if running else "Nothing runs"
        return Card("Running", running, note, "loader", _rows("running"))

    def _failed(self) -> Card:
        failed = ServiceRequest.objects.filter(state=State.FAILED, finished_at__gte=now() - RECENT)
        last = failed.order_by("-finished_at").values_list("failure", flat=True).first() or ""
        note = last[:120] or "No failures"
        return Card(
            "Failed, 7 days", failed.count(), note, "circle-x", _rows("failed"), "bad" if last else ""
        )

    def _waiting(self) -> Card:
        waiting = ServiceRequest.objects.filter(state=State.SUBMITTED)
        oldest = waiting.order_by("submitted_at").values_list("submitted_at", flat=True).first()
        note = f"Oldest has waited {age(oldest)}" if oldest else "Nothing is waiting"
        tone = "warn" if oldest and oldest < now() - LATE_AFTER else ""
        return Card("Waiting for approval", waiting.count(), note, "inbox", _rows("submitted"), tone)

    def blocks(self) -> Sequence[Block]:
        rows = ServiceRequest.objects.select_related("deployment__item", "business_unit")
        waiting = rows.filter(state=State.SUBMITTED).order_by("submitted_at")[:MOST_ROWS]
        failed = rows.filter(state=State.FAILED, finished_at__gte=now() - RECENT).order_by("-finished_at")
        return [
            Block(
                "Waiting longest",
                "Nothing is waiting.",
                [
                    Row(
                        f"{each.name} ({each.ref})",
                        f"{each.deployment.item}, {each.business_unit}",
                        _change(each),
                        each.submitted_at,
                    )
                    for each in waiting
                ],
            ),
            Block(
                "Failed runs",
                "No failures in 7 days.",
                [
                    Row(f"{each.name} ({each.ref})", each.failure[:200], _change(each), each.finished_at)
                    for each in failed[:MOST_ROWS]
                ],
            ),
        ]


def _rows(state: str) -> str:
    return f"{reverse('admin:requests_app_servicerequest_changelist')}?state__exact={state}"


def _change(row: ServiceRequest) -> str:
    return reverse("admin:requests_app_servicerequest_change", args=[row.pk])


@admin.register(Deployment)
class DeploymentAdmin(_Badges, LookOnly):
    list_display = ["name", "item", "business_unit", "shown_environment", "cost", "shown_state", "age"]
    list_filter = ["state", "environment", "business_unit", "item"]
    list_select_related = ["item", "business_unit"]
    search_fields = ["name", "owner__username"]
    ordering = ["-created_at"]
    fieldsets = [
        (None, {"fields": ["item_version", "business_unit", "environment", "region", "owner"]}),
        ("State", {"fields": ["shown_state", "created_at", "updated_at", "destroyed_at", "monthly_cost"]}),
        ("Content", {"fields": ["parameters", "usage", "outputs", "resources", "unique_suffix"]}),
    ]

    @admin.display(description="Monthly cost", ordering="monthly_cost")
    def cost(self, row: Deployment) -> str:
        return cost_of_deployment(row)

    @admin.display(description="Created", ordering="created_at")
    def age(self, row: Deployment) -> str:
        return f"{age(row.created_at)} ago"
