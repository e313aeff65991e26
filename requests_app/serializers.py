"""The JSON of requests and deployments: what comes in, and what goes out."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog_app import services as catalog
from catalog_app.models import ItemVersion
from catalog_app.variables.limits import text_problem
from catalog_app.variables.values import described
from catalog_app.versions import difference
from portal.bodies import Body
from portal.identity.models import User
from requests_app import changing, services
from requests_app.models import Deployment, ServiceRequest
from requests_app.states import Kind


class Parameters(serializers.DictField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(child=serializers.JSONField(allow_null=True), **kwargs)


NOT_GIVEN: dict[str, Any] = {
    "required": "This is needed and was not given.",
    "null": "This is needed and was not given.",
}


@extend_schema_field(OpenApiTypes.STR)
class Text(serializers.Field):
    """A text that the services judge, so that it is refused in the same words as on the pages."""

    default_error_messages = NOT_GIVEN

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError(f"This must be a text, not {described(data)}.")
        if why := text_problem(data):
            raise serializers.ValidationError(why)
        return data.strip()


@extend_schema_field(OpenApiTypes.INT)
class Days(serializers.Field):
    """A number that the services judge."""

    default_error_messages = NOT_GIVEN

    def to_internal_value(self, data: Any) -> Any:
        return data


class CreateBody(Body):
    kind = serializers.ChoiceField([Kind.CREATE], default=Kind.CREATE)
    item = Text()
    name = Text()
    business_unit = Text()
    environment = Text()
    region = Text()
    parameters = Parameters(default=dict)
    usage = Parameters(required=False)
    justification = Text(default="")
    ttl_days = Days(
        required=False, help_text="It is removed so many days after it is ready; without it as the item says."
    )


class UpdateBody(Body):
    kind = serializers.ChoiceField([Kind.UPDATE])
    deployment = serializers.UUIDField()
    parameters = Parameters(default=dict)
    usage = Parameters(required=False)
    justification = Text(default="")
    allow_replace = serializers.BooleanField(default=False)
    ttl_days = Days(
        required=False, help_text="It is removed so many days after the change; without it the end stays."
    )
    upgrade = serializers.BooleanField(
        default=False, help_text="To the newest version of the item. Without it the version stays."
    )


class DestroyBody(Body):
    kind = serializers.ChoiceField([Kind.DESTROY])
    deployment = serializers.UUIDField()
    justification = Text(default="")


BODIES: dict[str, type[Body]] = {
    Kind.CREATE: CreateBody,
    Kind.UPDATE: UpdateBody,
    Kind.DESTROY: DestroyBody,
}


class NoteBody(Body):
    note = serializers.CharField(default="", allow_blank=True, max_length=2000)


class ReasonBody(Body):
    reason = serializers.CharField(max_length=2000)


class ExtendBody(Body):
    ttl_days = serializers.IntegerField(
        required=False, help_text="Days from today; without it as many as the item gives by default."
    )


class ServiceRequestJSON(serializers.ModelSerializer):
    version = serializers.IntegerField(help_text="One more with every step: for If-Match.")
    ttl_days = serializers.IntegerField(allow_null=True, help_text="From the end of the run; null: as it is.")
    attempt = serializers.IntegerField()
    item = serializers.CharField(source="item_version.item.slug")
    item_version = serializers.CharField(source="item_version.version")
    deployment = serializers.UUIDField(source="deployment_id")
    name = serializers.CharField(source="deployment.name")
    business_unit = serializers.CharField(source="business_unit.slug")
    requester = serializers.CharField(source="requester.username")
    decided_by = serializers.CharField(source="decided_by.username", default=None, allow_null=True)
    cost_difference = serializers.DecimalField(
        12, 2, read_only=True, help_text="Of the deployment, a month, to what it cost when this was asked."
    )
    web_url = serializers.SerializerMethodField()

    class Meta:
        model = ServiceRequest
        fields = [
            "id", "ref", "version", "web_url", "kind", "state", "item", "item_version", "deployment", "name",
            "business_unit", "environment", "region", "parameters", "usage", "changes", "estimate", "monthly_cost",
            "cost_before", "cost_difference", "verdict",
            "allow_replace", "upgrade_from", "ttl_days", "on_expiry", "justification", "requester", "decided_by",
            "decided_automatically", "decision_note", "decided_at", "attempt", "run_key", "failure", "plan",
            "submitted_at", "decide_before", "started_at", "finished_at",
        ]  # fmt: skip

    def get_web_url(self, service_request: ServiceRequest) -> str:
        return self.context["request"].build_absolute_uri(service_request.get_absolute_url())


class ServiceRequestDetailJSON(ServiceRequestJSON):
    phase = serializers.SerializerMethodField(help_text="How far the run is; empty before there is one.")
    steps = serializers.SerializerMethodField(help_text="What the caller may do with it now.")

    class Meta(ServiceRequestJSON.Meta):
        fields = [*ServiceRequestJSON.Meta.fields, "phase", "steps"]

    def get_phase(self, service_request: ServiceRequest) -> str:
        return services.phase(service_request)

    def get_steps(self, service_request: ServiceRequest) -> list[str]:
        user: User = self.context["request"].user
        return sorted(services.steps_for(service_request, user))


class DeploymentJSON(serializers.ModelSerializer):
    item = serializers.CharField(source="item.slug")
    item_version = serializers.CharField(source="item_version.version")
    business_unit = serializers.CharField(source="business_unit.slug")
    owner = serializers.CharField(source="owner.username")
    web_url = serializers.SerializerMethodField()

    class Meta:
        model = Deployment
        fields = [
            "id", "name", "item", "item_version", "business_unit", "environment", "region", "state", "parameters",
            "outputs", "resources", "monthly_cost", "owner", "web_url", "created_at", "updated_at", "expires_at",
            "destroyed_at",
        ]  # fmt: skip

    def get_web_url(self, deployment: Deployment) -> str:
        return self.context["request"].build_absolute_uri(deployment.get_absolute_url())


class DeploymentDetailJSON(DeploymentJSON):
    open_request = serializers.SerializerMethodField(help_text="Its id, or null.")
    changes = serializers.SerializerMethodField(
        help_text="Of update, upgrade, destroy and extend, what the caller may ask for now."
    )
    operations = serializers.SerializerMethodField(
        help_text="What the item offers to do with it here: [{id, title, kind, fields}]."
    )
    schema = serializers.SerializerMethodField(help_text="JSON Schema of the parameters of its version.")
    newer_version = serializers.SerializerMethodField(
        help_text="What an upgrade brings, or null: {version, is_major, changes, added, removed, changed, schema}."
    )

    class Meta(DeploymentJSON.Meta):
        fields = [
            *DeploymentJSON.Meta.fields, "open_request", "changes", "operations", "schema", "newer_version",
        ]  # fmt: skip

    def get_open_request(self, deployment: Deployment) -> int | None:
        open_request = deployment.open_request
        return open_request.pk if open_request else None

    def get_changes(self, deployment: Deployment) -> list[str]:
        return sorted(services.changes_for(deployment, self.context["request"].user))

    def get_operations(self, deployment: Deployment) -> list[dict[str, Any]]:
        return [
            operation.model_dump(include={"id", "title", "kind", "fields"})
            for operation in deployment.item_version.parsed.operations
            if deployment.environment in operation.environments
        ]

    def get_schema(self, deployment: Deployment) -> dict[str, Any]:
        return catalog.asked_schema(deployment.item_version)

    def get_newer_version(self, deployment: Deployment) -> dict[str, Any] | None:
        newer = changing.newer_version(deployment, self.context["request"].user)
        return _newer_json(deployment.item_version, newer) if newer else None


def _newer_json(old: ItemVersion, new: ItemVersion) -> dict[str, Any]:
    found = difference(old, new)
    return {
        "version": found.version,
        "is_major": found.is_major,
        "changes": [note.model_dump() for note in found.notes],
        "added": [
            {"name": spec.name, "title": spec.title, "required": spec.required, "default": spec.default}
            for spec in found.added
        ],
        "removed": [spec.name for spec in found.removed],
        "changed": [
            {
                "name": each.after.name,
                "default": {"from": each.before.default, "to": each.after.default},
                "takes_others": each.takes_others,
            }
            for each in found.changed
        ],
        "schema": catalog.asked_schema(new),
    }


class CostJSON(serializers.Serializer):
    """Of the deployment, a month; at least that, where the estimate is not complete."""

    before = serializers.DecimalField(12, 2, source="cost_before")
    after = serializers.DecimalField(12, 2, source="cost_after")
    difference = serializers.DecimalField(12, 2, source="cost_difference")


class CheckJSON(serializers.Serializer):
    """What would be said to a request, without asking for it."""

    problems = serializers.DictField(child=serializers.CharField())
    warnings = serializers.DictField(
        child=serializers.CharField(), help_text="What to know before asking; it stops nobody."
    )
    ttl_days = serializers.IntegerField(
        allow_null=True, help_text="How long it would stay; null: no end of it."
    )
    parameters = serializers.DictField()
    changes = serializers.DictField()
    estimate = serializers.DictField(allow_null=True)
    cost = CostJSON(allow_null=True)
    budget = serializers.DictField(
        allow_null=True,
        help_text="How it stands, and would after this: exists, monthly, currency, held, committed, remaining, "
        "extra, after, action, exceeded, message. Rules see the same.",
    )
    verdict = serializers.DictField(allow_null=True)
    automatic = serializers.BooleanField(help_text="Nobody has to decide.")
    approvers = serializers.ListField(child=serializers.CharField(), help_text="Who could decide: usernames.")


class StepAnswerJSON(serializers.Serializer):
    """Whether the caller may take a step with a request now."""

    step = serializers.CharField()
    allowed = serializers.BooleanField()
    because = serializers.CharField()


class EntryJSON(serializers.Serializer):
    sequence = serializers.IntegerField()
    at = serializers.DateTimeField()
    phase = serializers.CharField()
    level = serializers.CharField()
    text = serializers.CharField()


class EntriesJSON(serializers.Serializer):
    state = serializers.CharField()
    phase = serializers.CharField()
    last = serializers.IntegerField(help_text="Ask again with ?after= this.")
    entries = EntryJSON(many=True)


class EventJSON(serializers.Serializer):
    sequence = serializers.IntegerField()
    at = serializers.DateTimeField()
    actor = serializers.CharField(source="actor_label")
    action = serializers.CharField()
    subject = serializers.CharField()
    note = serializers.CharField()
    hash = serializers.CharField()
