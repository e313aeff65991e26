"""Prices and the ledger to look at, and budgets to set."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest

from billing_app import budgets
from billing_app.models import Budget, Price, Transfer
from portal.admin import LookOnly


@admin.register(Price)
class PriceAdmin(LookOnly):
    list_display = [
        "key", "region", "price", "currency", "unit", "tier_minimum", "source", "confidence", "as_of",
        "valid_from", "valid_to", "ended",
    ]  # fmt: skip
    list_filter = [("valid_to", admin.EmptyFieldListFilter), "ended", "region", "currency", "source"]
    search_fields = ["key", "meter"]


@admin.register(Budget)
class BudgetAdmin(admin.ModelAdmin):
    """The platform team sets budgets here; each change is an event in the audit trail."""

    list_display = ["business_unit", "environment", "amount", "currency", "action"]
    list_filter = ["environment", "action"]
    list_select_related = ["business_unit"]
    fields = ["business_unit", "environment", "amount", "action"]
    actions = None  # each is removed by itself, with its event

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(getattr(request.user, "is_operator", False))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["business_unit", "environment"] if obj else []

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.currency = settings.CURRENCY
        budgets.set_budget(obj, actor=request.user)  # type: ignore[arg-type]

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        budgets.remove_budget(obj, actor=request.user)  # type: ignore[arg-type]


@admin.register(Transfer)
class TransferAdmin(LookOnly):
    list_display = [
        "id", "at", "business_unit", "environment", "source", "target", "amount", "currency", "request",
        "attempt", "name", "is_correction",
    ]  # fmt: skip
    list_filter = ["environment", "source", "target", "is_correction", "business_unit"]
    list_select_related = ["business_unit"]
    search_fields = ["=request", "name", "deployment"]
    show_full_result_count = False
