"""The catalog for automation."""

from dataclasses import asdict
from typing import Any

from django.db.models import Q
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.routers import SimpleRouter

from catalog_app import services
from catalog_app.models import Item, ItemQuerySet
from portal.http import ApiCall


class ItemJSON(serializers.ModelSerializer):
    version = serializers.CharField(source="current.version")
    environments = serializers.SerializerMethodField()
    regions = serializers.SerializerMethodField()

    class Meta:
        model = Item
        fields = [
            "slug", "title", "summary", "category", "icon", "lifecycle", "version", "environments", "regions",
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
    outputs = serializers.SerializerMethodField(help_text="[{name, label, role}].")

    class Meta(ItemJSON.Meta):
        fields = [*ItemJSON.Meta.fields, "schema", "sections", "changeable", "usage", "outputs"]

    def get_schema(self, item: Item) -> dict[str, Any]:
        version = _current(item)
        asked = version.parsed.asked
        return {
            "type": "object",
            "additionalProperties": False,
            "required": [name for name in version.schema["required"] if name in asked],
            "properties": {name: version.schema["properties"][name] for name in asked},
        }

    def get_sections(self, item: Item) -> list[dict[str, Any]]:
        return [asdict(section) for section in services.form_fields(_current(item))]

    def get_changeable(self, item: Item) -> list[str]:
        return services.editable(_current(item))

    def get_usage(self, item: Item) -> list[dict[str, Any]]:
        return [question.model_dump() for question in _current(item).parsed.pricing.usage]

    def get_outputs(self, item: Item) -> list[dict[str, Any]]:
        return [output.model_dump() for output in _current(item).parsed.outputs]


def _current(item: Item) -> Any:
    assert item.current  # offered items have one
    return item.current


class ItemViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """What can be asked for."""

    request: ApiCall
    lookup_field = "slug"
    queryset = Item.objects.none()

    def get_serializer_class(self) -> Any:
        return ItemJSON if self.action == "list" else ItemDetailJSON

    def get_queryset(self) -> ItemQuerySet:
        items = Item.objects.offered()
        if self.action == "list":
            items = items.defer("current__files", "current__schema")
        search = self.request.query_params.get("search", "")
        if search:
            items = items.filter(
                Q(title__icontains=search) | Q(summary__icontains=search) | Q(slug__icontains=search)
            )
        category = self.request.query_params.get("category", "")
        return items.filter(category=category) if category else items

    @extend_schema(parameters=[OpenApiParameter("search"), OpenApiParameter("category")])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        return super().list(request, *args, **kwargs)


router = SimpleRouter()
router.register("items", ItemViewSet, basename="api-item")
urlpatterns = router.urls
