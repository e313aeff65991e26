"""Webhooks for those who manage them: administrators of the business unit, and operators."""

from typing import Any

import django_filters.rest_framework as df
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from portal import openapi
from portal.bodies import Body, read
from portal.errors import InvalidInput
from portal.http import ApiCall
from portal.identity.models import BusinessUnit
from portal.identity.roles import Permission
from portal.lists import narrow, one_of, order_by
from portal.webhooks import outbox, services
from portal.webhooks.models import LONGEST_URL, Delivery, Webhook


class WebhookJSON(serializers.ModelSerializer):
    business_unit = serializers.CharField(source="business_unit.slug")
    events = serializers.ListField(child=serializers.CharField())
    created_by = serializers.CharField(source="created_by.username")
    failures = serializers.IntegerField(help_text="Failed deliveries in a row.")
    quiet_until = serializers.DateTimeField(
        allow_null=True, help_text="Nothing is sent until then, because the last delivery failed."
    )

    class Meta:
        model = Webhook
        fields = [
            "id", "business_unit", "url", "events", "is_active", "failures", "quiet_until", "created_by", "created_at",
        ]  # fmt: skip


class WebhookWithSecretJSON(WebhookJSON):
    secret = serializers.CharField(help_text="Shown in this answer and never again.")

    class Meta(WebhookJSON.Meta):
        fields = [*WebhookJSON.Meta.fields, "secret"]


class _Url(serializers.CharField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=LONGEST_URL, help_text="https://…", **kwargs)


class _Events(serializers.ListField):
    def __init__(self) -> None:
        child = serializers.ChoiceField([(name, name) for name in outbox.EVENTS])
        super().__init__(child=child, required=False, help_text="Without any it hears all.")


class CreateWebhookBody(Body):
    business_unit = serializers.CharField(max_length=30)
    url = _Url()
    events = _Events()


class ChangeWebhookBody(Body):
    url = _Url(required=False)
    events = _Events()
    is_active = serializers.BooleanField(required=False)


class DeliveryJSON(serializers.ModelSerializer):
    body = serializers.DictField(help_text="What is sent, with the id of the delivery.")
    attempts = serializers.IntegerField()
    last_status = serializers.IntegerField(allow_null=True, help_text="Of HTTP; null without an answer.")

    class Meta:
        model = Delivery
        fields = [
            "id", "body", "state", "attempts", "due_at", "last_status", "last_problem", "created_at", "settled_at",
        ]  # fmt: skip


class ReplayBody(Body):
    deliveries = serializers.ListField(
        child=serializers.UUIDField(),
        required=False,
        max_length=1000,
        help_text="Their ids; without any, all that were given up.",
    )


class ReplayedJSON(serializers.Serializer):
    count = serializers.IntegerField(help_text="How many are on their way again.")


class WebhookQuery(df.FilterSet):
    business_unit = df.CharFilter(field_name="business_unit__slug")
    order = order_by("created_at")

    class Meta:
        model = Webhook
        fields: list[str] = []


class DeliveryQuery(df.FilterSet):
    state = one_of(Delivery.State.values)

    class Meta:
        model = Delivery
        fields: list[str] = []


CREATE = OpenApiExample(
    "For a chat room",
    {
        "business_unit": "payments",
        "url": "https://hooks.example.com/groundwork",
        "events": ["request.succeed", "request.fail"],
    },
    request_only=True,
)


class WebhookViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """Addresses that hear what happens to the requests of a business unit."""

    request: ApiCall
    queryset = Webhook.objects.none()
    serializer_class = WebhookJSON
    filterset_class = WebhookQuery
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Webhook]:
        managed = Webhook.objects.for_user(self.request.user, Permission.WEBHOOK_MANAGE)
        return managed.select_related("business_unit", "created_by").order_by("created_at")

    @extend_schema(request=CreateWebhookBody, responses={201: WebhookWithSecretJSON}, examples=[CREATE])
    def create(self, request: ApiCall) -> Response:
        """Let an address hear what happens to the requests of a business unit."""
        wanted = read(CreateWebhookBody, request)
        unit = _visible_unit(request, wanted.pop("business_unit"))
        webhook, secret = services.create(actor=request.user, business_unit=unit, **wanted)
        return Response(self._with_secret(webhook, secret), status.HTTP_201_CREATED)

    @extend_schema(request=ChangeWebhookBody, responses=WebhookJSON)
    def partial_update(self, request: ApiCall, pk: str) -> Response:
        """Another address, other events, or on and off."""
        wanted = read(ChangeWebhookBody, request)
        webhook = self.get_object()
        services.change(webhook, actor=request.user, **wanted)
        return Response(WebhookJSON(webhook).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: ApiCall, pk: str) -> Response:
        """Take it away, with everything that waits."""
        services.remove(self.get_object(), actor=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=None, responses=WebhookWithSecretJSON)
    @action(detail=True, methods=["post"])
    def rotate(self, request: ApiCall, pk: str) -> Response:
        """A new secret. The old one ends at once; what is refused until you know it is sent again."""
        webhook = self.get_object()
        secret = services.rotate(webhook, actor=request.user)
        return Response(self._with_secret(webhook, secret))

    @extend_schema(request=None, responses={202: DeliveryJSON, **openapi.refused(409)})
    @action(detail=True, methods=["post"])
    def ping(self, request: ApiCall, pk: str) -> Response:
        """Send a trial."""
        delivery = services.ping(self.get_object(), actor=request.user)
        return Response(DeliveryJSON(delivery).data, status.HTTP_202_ACCEPTED)

    @extend_schema(
        parameters=[OpenApiParameter("state", enum=Delivery.State.values)], responses=DeliveryJSON(many=True)
    )
    @action(detail=True, filter_backends=[])
    def deliveries(self, request: ApiCall, pk: str) -> Response:
        """What was sent and what waits, the newest first."""
        every = self.get_object().deliveries.order_by("-created_at")
        page = self.paginate_queryset(narrow(request, every, DeliveryQuery))
        return self.get_paginated_response(DeliveryJSON(page, many=True).data)

    @extend_schema(request=ReplayBody, responses={202: ReplayedJSON, **openapi.refused(409)})
    @action(detail=True, methods=["post"])
    def replay(self, request: ApiCall, pk: str) -> Response:
        """Send again what was delivered or given up."""
        wanted = read(ReplayBody, request).get("deliveries")
        webhook = self.get_object()
        found = webhook.deliveries.filter(
            **({"pk__in": wanted} if wanted else {"state": Delivery.State.DEAD})
        )
        count = services.replay(list(found), webhook, actor=request.user)
        return Response({"count": count}, status.HTTP_202_ACCEPTED)

    def _with_secret(self, webhook: Webhook, secret: str) -> dict[str, Any]:
        return {**WebhookJSON(webhook).data, "secret": secret}


def _visible_unit(request: ApiCall, slug: str) -> BusinessUnit:
    """InvalidInput for one that the caller cannot see: it might as well not exist."""
    visible = BusinessUnit.objects.for_user(request.user, Permission.REQUEST_VIEW)
    found = visible.filter(slug=slug).first()
    if found is None:
        raise InvalidInput({"business_unit": f"There is no business unit {slug} that you can see."})
    return found


router = SimpleRouter()
router.register("webhooks", WebhookViewSet, basename="api-webhook")
urlpatterns = router.urls
