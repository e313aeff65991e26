"""Webhooks for the platform team: to look at, and to send again what was given up."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from portal.admin import LookOnly
from portal.errors import PortalError
from portal.webhooks import services
from portal.webhooks.models import Delivery, Webhook


@admin.register(Webhook)
class WebhookAdmin(LookOnly):
    list_display = ["host", "business_unit", "is_active", "failures", "quiet_until", "created_at"]
    list_filter = ["is_active", "business_unit"]
    list_select_related = ["business_unit"]
    fields = ["id", "business_unit", "host", "events", "is_active", "failures", "quiet_until", "created_by"]


@admin.register(Delivery)
class DeliveryAdmin(LookOnly):
    list_display = [
        "id",
        "webhook_unit",
        "event",
        "state",
        "attempts",
        "last_status",
        "last_problem",
        "due_at",
    ]
    list_filter = ["state", "webhook__business_unit"]
    list_select_related = ["webhook__business_unit"]
    fields = [
        "id",
        "webhook",
        "body",
        "state",
        "attempts",
        "last_status",
        "last_problem",
        "due_at",
        "settled_at",
    ]
    actions = ["send_again"]

    @admin.display(description="Business unit")
    def webhook_unit(self, delivery: Delivery) -> str:
        return str(delivery.webhook.business_unit)

    @admin.display(description="Event")
    def event(self, delivery: Delivery) -> str:
        return f"{delivery.body['type']} {delivery.body.get('subject', '')}"

    @admin.action(description="Send again the selected deliveries that were delivered or given up")
    def send_again(self, request: HttpRequest, chosen: QuerySet[Delivery]) -> None:
        count = 0
        for webhook in Webhook.objects.filter(deliveries__in=chosen).distinct():
            try:
                actor = request.user
                count += services.replay(list(chosen.filter(webhook=webhook)), webhook, actor=actor)  # type: ignore[arg-type]
            except PortalError as error:
                messages.error(request, str(error))
        messages.success(request, f"{count} on their way again.")
