"""The admin of the platform team: base classes."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from portal.models import Event


class LookOnly(admin.ModelAdmin):
    """Shows and never changes: changes go through services."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(getattr(request.user, "is_operator", False))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Event)
class EventAdmin(LookOnly):
    list_display = ["sequence", "at", "actor_label", "action", "subject", "business_unit", "note"]
    list_filter = ["action", "business_unit"]
    list_select_related = ["business_unit"]
    search_fields = ["subject", "actor_label", "action"]
    show_full_result_count = False
