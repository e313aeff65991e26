"""The catalog for automation."""

from dataclasses import asdict
from typing import Any

import django_filters.rest_framework as df
from django.db.models import Q
from rest_framework import mixins, serializers, viewsets
from rest_framework.routers import SimpleRouter

from catalog_app import services
from catalog_app.models import Item, ItemQuerySet
from portal.conditional import Tagged
from portal.http import ApiCall
from portal.lists import order_by


class ItemJSON(serializers.ModelSerializer):
    lifecycle = serializers.CharField(
        help_text="draft, preview, ga, deprecated or retired: a retired item takes no new requests."
    )
    replaced_by = serializers.CharField(
        source="replaced_by.slug",
        default=None,
        allow_null=True,
        help_text="The item to use in its place, or null.",
    )
    version = serializers.CharField(source="current.version")
    environments = serializers.SerializerMethodField()
    regions = serializers.SerializerMethodField()

    class Meta:
        model = Item
        fields = [
            "slug", "title", "summary", "category", "icon", "lifecycle", "replaced_by", "version", "environments",
            "regions",
        ]  # fmt: skip

    def get_environments(self, item: Item) -> list[str]:
        return [str(name) for name in _current(item).parsed.availability.environments]

    def get_regions(self, item: Item) -> list[str]:
        return list(_current(item).parsed.availability.regions)


class ItemDetailJSON(ItemJSON):
    schema = serializers.SerializerMethodField(help_text="JSON Schema of the parameters that are asked.")
    sections = serializers.SerializerMethodField(help_text="The form: [{title, fields}].")
    changeable = serializers.SerializerMethodField(help_text="Parameters that an update may change.")
    usage = serializers.SerializerMethodField(
        help_text="What an estimate can be told: [{id, label, default}]."
    )
    operations = serializers.SerializerMethodField(help_text="[{id, title, kind, fields, environments}].")
    ttl = serializers.SerializerMethodField(
        help_text="Days that it lives, by environment: {dev: {default_days, max_days}}; elsewhere it has no end."
    )
    outputs = serializers.SerializerMethodField(help_text="[{name, label, role}].")
    changes = serializers.SerializerMethodField(
        help_text="What is new, the newest version first: [{version, text}]."
    )

    class Meta(ItemJSON.Meta):
        fields = [
            *ItemJSON.Meta.fields, "schema", "sections", "changeable", "usage", "operations", "ttl", "outputs",
            "changes",
        ]  # fmt: skip

    def get_schema(self, item: Item) -> dict[str, Any]:
        return services.asked_schema(_current(item))

    def get_sections(self, item: Item) -> list[dict[str, Any]]:
        return [asdict(section) for section in services.form_fields(_current(item))]

    def get_changeable(self, item: Item) -> list[str]:
        return services.editable(_current(item))

    def get_usage(self, item: Item) -> list[dict[str, Any]]:
        return [question.model_dump() for question in _current(item).parsed.pricing.usage]

    def get_operations(self, item: Item) -> list[dict[str, Any]]:
        return [operation.model_dump(exclude={"confirm"}) for operation in _current(item).parsed.operations]

    def get_ttl(self, item: Item) -> dict[str, Any]:
        ttl = _current(item).parsed.ttl
        return {
            environment: {"default_days": limit.default, "max_days": limit.max_days}
            for environment, limit in ttl.items()
        }

    def get_changes(self, item: Item) -> list[dict[str, Any]]:
        return [change.model_dump() for change in _current(item).parsed.changes_since()]

    def get_outputs(self, item: Item) -> list[dict[str, Any]]:
        return [output.model_dump() for output in _current(item).parsed.outputs]


def _current(item: Item) -> Any:
    assert item.current  # visible items have one
    return item.current


class ItemQuery(df.FilterSet):
    search = df.CharFilter(method="by_search", help_text="A part of title, summary or name.")
    category = df.CharFilter()
    order = order_by("title", "slug", "category")

    class Meta:
        model = Item
        fields: list[str] = []

    def by_search(self, queryset: ItemQuerySet, name: str, value: str) -> ItemQuerySet:
        return queryset.filter(
            Q(title__icontains=value) | Q(summary__icontains=value) | Q(slug__icontains=value)
        )


class ItemViewSet(Tagged, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """What can be asked for."""

    request: ApiCall
    lookup_field = "slug"
    queryset = Item.objects.none()
    filterset_class = ItemQuery

    def get_serializer_class(self) -> Any:
        return ItemJSON if self.action == "list" else ItemDetailJSON

    def get_queryset(self) -> ItemQuerySet:
        if self.action != "list":
            return Item.objects.visible_to(self.request.user)  # also a retired one: it says what to use
        return (
            Item.objects.offered_to(self.request.user)
            .defer("current__files", "current__schema")
            .order_by("title")
        )


router = SimpleRouter()
router.register("items", ItemViewSet, basename="api-item")
urlpatterns = router.urls
