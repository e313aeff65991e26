"""Requests and deployments for automation: the same services as the pages, the same refusals."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from portal.errors import InvalidInput
from portal.http import ApiCall
from portal.models import Event
from requests_app import serializers as shapes
from requests_app import services
from requests_app.listing import filter_deployments, filter_requests
from requests_app.models import Deployment, DeploymentQuerySet, ServiceRequest, ServiceRequestQuerySet
from requests_app.proposal import Proposal
from requests_app.states import Kind

ANY_BODY = PolymorphicProxySerializer(
    component_name="SubmitBody",
    serializers={str(kind): body for kind, body in shapes.BODIES.items()},
    resource_type_field_name="kind",
)
SUBMITS: dict[Kind, Callable[..., ServiceRequest]] = {
    Kind.CREATE: services.submit,
    Kind.UPDATE: services.submit_update,
    Kind.DESTROY: services.submit_destroy,
}
PREVIEWS: dict[Kind, Callable[..., Proposal]] = {
    Kind.CREATE: services.preview,
    Kind.UPDATE: services.preview_update,
    Kind.DESTROY: services.preview_destroy,
}
# Of an item version, what no list shows.
LARGE = ["item_version__files", "item_version__schema", "item_version__manifest"]
TEXT_FILTERS = ["state", "business_unit", "environment", "item", "search"]


class ServiceRequestViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    request: ApiCall
    queryset = ServiceRequest.objects.none()
    lookup_value_regex = r"(?:REQ-)?\d{1,18}"

    def get_serializer_class(self) -> Any:
        return shapes.ServiceRequestJSON if self.action == "list" else shapes.ServiceRequestDetailJSON

    def get_queryset(self) -> ServiceRequestQuerySet:
        visible = ServiceRequest.objects.visible_to(self.request.user).with_names()
        if self.action != "list":
            return visible
        visible = visible.defer(*LARGE)
        return filter_requests(visible, self.request.query_params, self.request.user).order_by(
            "-submitted_at"
        )

    def get_object(self) -> ServiceRequest:
        return get_object_or_404(self.get_queryset(), pk=self.kwargs["pk"].removeprefix("REQ-"))

    @extend_schema(
        parameters=[OpenApiParameter(name) for name in [*TEXT_FILTERS, "kind"]]
        + [OpenApiParameter(name, bool) for name in ("mine", "waiting_for_me")]
    )
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(request=ANY_BODY, responses={201: shapes.ServiceRequestDetailJSON})
    def create(self, request: ApiCall) -> Response:
        """Ask for something new, for a change, or for a removal."""
        kind, wanted = _wanted(request)
        service_request = SUBMITS[kind](requester=request.user, **wanted)
        return Response(self._json(service_request), status.HTTP_201_CREATED)

    @extend_schema(request=ANY_BODY, responses=shapes.CheckJSON)
    @action(detail=False, methods=["post"])
    def check(self, request: ApiCall) -> Response:
        """The estimate and the verdict, without asking for anything."""
        kind, wanted = _wanted(request)
        return Response(_check_json(PREVIEWS[kind](requester=request.user, **wanted)))

    @extend_schema(request=shapes.NoteBody)
    @action(detail=True, methods=["post"])
    def approve(self, request: ApiCall, pk: str) -> Response:
        note = _body(shapes.NoteBody, request)["note"]
        service_request = self.get_object()
        services.approve(service_request, actor=request.user, note=note)
        return Response(self._json(service_request))

    @extend_schema(request=shapes.ReasonBody)
    @action(detail=True, methods=["post"])
    def reject(self, request: ApiCall, pk: str) -> Response:
        reason = _body(shapes.ReasonBody, request)["reason"]
        service_request = self.get_object()
        services.reject(service_request, actor=request.user, reason=reason)
        return Response(self._json(service_request))

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def cancel(self, request: ApiCall, pk: str) -> Response:
        service_request = self.get_object()
        services.cancel(service_request, actor=request.user)
        return Response(self._json(service_request))

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def retry(self, request: ApiCall, pk: str) -> Response:
        service_request = self.get_object()
        services.retry(service_request, actor=request.user)
        return Response(self._json(service_request))

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def stop(self, request: ApiCall, pk: str) -> Response:
        """Ask a run to end. The state says what really happened, when it has."""
        service_request = self.get_object()
        services.stop(service_request, actor=request.user)
        return Response(self._json(service_request))

    @extend_schema(parameters=[OpenApiParameter("after", int)], responses=shapes.EntriesJSON)
    @action(detail=True)
    def entries(self, request: ApiCall, pk: str) -> Response:
        """The log of the present attempt."""
        after = request.query_params.get("after", "0")
        if not after.isdecimal():
            raise InvalidInput({"after": "This is a whole number: the last sequence that you have."})
        service_request = self.get_object()
        found = services.entries(service_request, after=int(after))
        return Response(
            {
                "state": service_request.state,
                "phase": services.phase(service_request),
                "last": found[-1].sequence if found else int(after),
                "entries": shapes.EntryJSON([asdict(entry) for entry in found], many=True).data,
            }
        )

    @extend_schema(responses=shapes.EventsJSON)
    @action(detail=True)
    def events(self, request: ApiCall, pk: str) -> Response:
        """The audit trail of the request, oldest first."""
        service_request = self.get_object()
        found = Event.objects.about(service_request.ref).order_by("sequence")
        return Response({"results": shapes.EventJSON(found, many=True).data})

    def _json(self, service_request: ServiceRequest) -> Any:
        return shapes.ServiceRequestDetailJSON(service_request, context=self.get_serializer_context()).data


class DeploymentViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    request: ApiCall
    queryset = Deployment.objects.none()
    lookup_value_converter = "uuid"

    def get_serializer_class(self) -> Any:
        return shapes.DeploymentJSON if self.action == "list" else shapes.DeploymentDetailJSON

    def get_queryset(self) -> DeploymentQuerySet:
        visible = Deployment.objects.visible_to(self.request.user).with_names()
        if self.action != "list":
            return visible
        visible = visible.defer(*LARGE)
        return filter_deployments(visible, self.request.query_params).order_by("-created_at", "-pk")

    @extend_schema(parameters=[OpenApiParameter(name) for name in TEXT_FILTERS])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)


def _wanted(request: ApiCall) -> tuple[Kind, dict[str, Any]]:
    """The kind of the request, and the arguments of its service."""
    data = request.data
    if not isinstance(data, Mapping):
        raise InvalidInput({"body": "Send a JSON object."})
    kind = data.get("kind", str(Kind.CREATE))
    if kind not in Kind.values:
        raise InvalidInput({"kind": f"Choose one of: {', '.join(Kind.values)}."})
    wanted = _body(shapes.BODIES[Kind(kind)], request)
    wanted.pop("kind")
    if "deployment" in wanted:
        wanted["deployment"] = _deployment(request, wanted["deployment"])
    return Kind(kind), wanted


def _deployment(request: ApiCall, pk: UUID) -> Deployment:
    visible = Deployment.objects.visible_to(request.user).with_names()
    found = visible.filter(pk=pk).first()
    if found is None:
        raise InvalidInput({"deployment": f"There is no deployment {pk} that you can see."})
    return found


def _body(shape: type[serializers.Serializer], request: ApiCall) -> dict[str, Any]:
    body = shape(data=request.data)
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)


def _check_json(proposal: Proposal) -> dict[str, Any]:
    return {
        "problems": proposal.problems,
        "parameters": proposal.parameters,
        "changes": proposal.changes,
        "estimate": proposal.estimate.as_json() if proposal.estimate else None,
        "verdict": proposal.verdict.as_json() if proposal.verdict else None,
        "automatic": proposal.automatic,
        "approvers": [user.username for user in proposal.approvers],
    }


router = SimpleRouter()
router.register("requests", ServiceRequestViewSet, basename="api-request")
router.register("deployments", DeploymentViewSet, basename="api-deployment")
urlpatterns = router.urls
