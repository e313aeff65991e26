"""Budgets for automation: to look at. The platform team sets them in the admin."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from billing_app import budgets
from billing_app.budgets import NO_ACTION
from billing_app.models import Action
from portal.errors import InvalidInput
from portal.http import ApiCall
from portal.identity.models import Environment
from portal.lists import refuse_unknown

ACTIONS = [NO_ACTION, *Action.values]
FILTERS = [OpenApiParameter("business_unit"), OpenApiParameter("environment", enum=Environment.values)]


class Money(serializers.DecimalField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=14, decimal_places=2, **kwargs)


class SpentJSON(serializers.Serializer):
    deployment = serializers.UUIDField()
    name = serializers.CharField()
    item = serializers.CharField()
    committed = Money(help_text="What is there.")
    held = Money(help_text="What is asked for.")


class BudgetJSON(serializers.Serializer):
    """All amounts are of one month."""

    business_unit = serializers.CharField(source="business_unit.slug")
    environment = serializers.ChoiceField(Environment.choices)
    currency = serializers.CharField(source="standing.currency")
    amount = Money(source="standing.amount", allow_null=True, help_text="Null: there is no limit.")
    action = serializers.ChoiceField(
        ACTIONS, source="standing.action", help_text="What happens to a request that goes above it."
    )
    committed = Money(source="standing.committed")
    held = Money(source="standing.held")
    remaining = serializers.SerializerMethodField()
    deployments = SpentJSON(many=True)

    def get_remaining(self, found: budgets.Overview) -> str | None:
        """Below zero where too much is spent; null without a limit."""
        return None if found.standing.amount is None else f"{found.standing.remaining:.2f}"


class BudgetViewSet(viewsets.GenericViewSet):
    """What business units may spend in a month, and what they do. Amounts are texts, so that no cent is lost."""

    request: ApiCall
    serializer_class = BudgetJSON
    filter_backends: list[Any] = []

    @staticmethod
    def page_key(row: budgets.Overview) -> str:
        return f"{row.business_unit.slug}/{row.environment}"

    @extend_schema(parameters=FILTERS, responses=BudgetJSON(many=True))
    def list(self, request: ApiCall) -> Response:
        """Wherever there is a budget, or something that costs."""
        refuse_unknown(request, [each.name for each in FILTERS])
        given = {each.name: request.query_params.get(each.name, "") for each in FILTERS}
        if given["environment"] and given["environment"] not in Environment.values:
            raise InvalidInput({"environment": f"Choose one of: {', '.join(Environment.values)}."})
        page: Any = self.paginate_queryset(budgets.overviews(request.user, **given))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


router = SimpleRouter()
router.register("budgets", BudgetViewSet, basename="api-budget")
urlpatterns = router.urls
