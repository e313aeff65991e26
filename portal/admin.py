"""The admin of the platform team: base classes."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from portal import audit
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


class Recorded(admin.ModelAdmin):
    """What is changed here is told in the audit trail: which fields, not what is in them."""

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._record("add", request, obj, message)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._record("change", request, obj, message)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for each in queryset:
            self._record("delete", request, each, [])
        return super().log_deletions(request, queryset)

    def _record(self, what: str, request: HttpRequest, obj: Any, message: Any) -> None:
        subject = f"{self.opts.verbose_name} {obj}"[:80]
        actor: Any = request.user
        audit.record(f"{self.opts.app_label}.admin_{what}", subject, actor=actor, data={"fields": message})


class ByOperators:
    """Operators make and change these, also those who are no superusers. Nobody deletes: the trail names them."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(getattr(request.user, "is_operator", False))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class BySuperusers(ByOperators):
    """Operators look, and only superusers change: with these one could raise one's own rights."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request) and bool(getattr(request.user, "is_superuser", False))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_add_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_add_permission(request)


@admin.register(Event)
class EventAdmin(LookOnly):
    list_display = ["sequence", "at", "actor_label", "action", "subject", "business_unit", "note"]
    list_filter = ["action", "business_unit"]
    list_select_related = ["business_unit"]
    search_fields = ["subject", "actor_label", "action"]
    show_full_result_count = False
