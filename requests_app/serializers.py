"""The JSON of requests and deployments: what comes in, and what goes out."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from portal.errors import InvalidInput
from portal.identity.models import User
from requests_app import services
from requests_app.models import Deployment, ServiceRequest
from requests_app.states import Kind


class Body(serializers.Serializer):
    """What is sent. A name that is not known is a mistake, and is refused."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = sorted(set(map(str, data)) - set(self.fields))
            if unknown:
                known = ", ".join(self.fields)
                raise InvalidInput(
                    {name: f"{name} is not known here. Known are: {known}." for name in unknown}
                )
        return super().to_internal_value(data)


class Parameters(serializers.DictField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(child=serializers.JSONField(allow_null=True), **kwargs)


class CreateBody(Body):
    kind = serializers.ChoiceField([Kind.CREATE], default=Kind.CREATE)
    item = serializers.CharField(max_length=50)
    name = serializers.CharField(max_length=40)
    business_unit = serializers.CharField(max_length=30)
    environment = serializers.CharField(max_length=10)
    region = serializers.CharField(max_length=40)
    parameters = Parameters(default=dict)
    usage = Parameters(required=False)
    justification = serializers.CharField(default="", allow_blank=True, max_length=2000)


class UpdateBody(Body):
    kind = serializers.ChoiceField([Kind.UPDATE])
    deployment = serializers.UUIDField()
    parameters = Parameters(default=dict)
    usage = Parameters(required=False)
    justification = serializers.CharField(default="", allow_blank=True, max_length=2000)
    allow_replace = serializers.BooleanField(default=False)


class DestroyBody(Body):
    kind = serializers.ChoiceField([Kind.DESTROY])
    deployment = serializers.UUIDField()
    justification = serializers.CharField(default="", allow_blank=True, max_length=2000)


BODIES: dict[str, type[Body]] = {
    Kind.CREATE: CreateBody,
    Kind.UPDATE: UpdateBody,
    Kind.DESTROY: DestroyBody,
}


class NoteBody(Body):
    note = serializers.CharField(default="", allow_blank=True, max_length=2000)


class ReasonBody(Body):
    reason = serializers.CharField(max_length=2000)


class ServiceRequestJSON(serializers.ModelSerializer):
    attempt = serializers.IntegerField()
    item = serializers.CharField(source="item_version.item.slug")
    item_version = serializers.CharField(source="item_version.version")
    deployment = serializers.UUIDField(source="deployment_id")
    name = serializers.CharField(source="deployment.name")
    business_unit = serializers.CharField(source="business_unit.slug")
    requester = serializers.CharField(source="requester.username")
    decided_by = serializers.CharField(source="decided_by.username", default=None)
    web_url = serializers.SerializerMethodField()

    class Meta:
        model = ServiceRequest
        fields = [
            "id", "ref", "web_url", "kind", "state", "item", "item_version", "deployment", "name", "business_unit",
            "environment", "region", "parameters", "usage", "changes", "estimate", "monthly_cost", "verdict",
            "allow_replace", "justification", "requester", "decided_by", "decided_automatically", "decision_note",
            "decided_at", "attempt", "run_key", "failure", "plan", "submitted_at", "decide_before", "started_at",
            "finished_at",
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
            "outputs", "resources", "monthly_cost", "owner", "web_url", "created_at", "updated_at", "destroyed_at",
        ]  # fmt: skip

    def get_web_url(self, deployment: Deployment) -> str:
        return self.context["request"].build_absolute_uri(deployment.get_absolute_url())


class DeploymentDetailJSON(DeploymentJSON):
    open_request = serializers.SerializerMethodField(help_text="Its id, or null.")
    changes = serializers.SerializerMethodField(
        help_text="Of update and destroy, what the caller may ask for now."
    )

    class Meta(DeploymentJSON.Meta):
        fields = [*DeploymentJSON.Meta.fields, "open_request", "changes"]

    def get_open_request(self, deployment: Deployment) -> int | None:
        open_request = deployment.open_request
        return open_request.pk if open_request else None

    def get_changes(self, deployment: Deployment) -> list[str]:
        return sorted(services.changes_for(deployment, self.context["request"].user))


class CheckJSON(serializers.Serializer):
    """What would be said to a request, without asking for it."""

    problems = serializers.DictField(child=serializers.CharField())
    parameters = serializers.DictField()
    changes = serializers.DictField()
    estimate = serializers.DictField(allow_null=True)
    verdict = serializers.DictField(allow_null=True)
    automatic = serializers.BooleanField(help_text="Nobody has to decide.")
    approvers = serializers.ListField(child=serializers.CharField(), help_text="Who could decide: usernames.")


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


class EventsJSON(serializers.Serializer):
    results = EventJSON(many=True)
