"""Requests and deployments for automation: the same services as the pages, the same refusals."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from portal import openapi
from portal.bodies import read
from portal.conditional import Tagged, seen_by, tag_of
from portal.errors import InvalidInput
from portal.http import ApiCall
from portal.idempotency import once
from portal.lists import refuse_unknown
from portal.models import Event
from requests_app import approval, examples, lifetime, services
from requests_app import serializers as shapes
from requests_app.listing import DeploymentQuery, RequestQuery
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
AFTER = {"type": "integer", "minimum": 0, "maximum": 999_999_999, "default": 0}


# What every step of a request is told and answers; each is safe to repeat with If-Match.
STEP: dict[str, Any] = {
    "parameters": [openapi.IF_MATCH],
    "responses": {200: shapes.ServiceRequestDetailJSON, **openapi.refused(409, 412, 422, 503)},
}


class ServiceRequestViewSet(
    Tagged, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet
):
    """What was asked for, what was decided, and how far it is."""

    request: ApiCall
    queryset = ServiceRequest.objects.none()
    filterset_class = RequestQuery
    lookup_value_regex = r"(?:REQ-)?[0-9]{1,18}"

    def get_serializer_class(self) -> Any:
        return shapes.ServiceRequestJSON if self.action == "list" else shapes.ServiceRequestDetailJSON

    def get_queryset(self) -> ServiceRequestQuerySet:
        visible = ServiceRequest.objects.visible_to(self.request.user).with_names()
        return visible.defer(*LARGE).order_by("-submitted_at") if self.action == "list" else visible

    def get_object(self) -> ServiceRequest:
        return get_object_or_404(self.get_queryset(), pk=self.kwargs["pk"].removeprefix("REQ-"))

    @extend_schema(
        request=ANY_BODY,
        parameters=[openapi.IDEMPOTENCY_KEY],
        responses={201: shapes.ServiceRequestDetailJSON, **openapi.refused(409, 422, 503)},
        examples=examples.SUBMITS,
    )
    def create(self, request: ApiCall) -> Response:
        """Ask for something new, for a change, or for a removal. Safe to repeat with an Idempotency-Key."""
        response = once(request, self._submit, self._tell_of)
        response["ETag"] = tag_of(response.data)
        return response

    def _submit(self) -> Response:
        kind, wanted = _wanted(self.request)
        service_request = SUBMITS[kind](requester=self.request.user, **wanted)
        return Response(self._json(service_request), status.HTTP_201_CREATED)

    def _tell_of(self, ref: str) -> Response:
        service_request = get_object_or_404(self.get_queryset(), pk=ref.removeprefix("REQ-"))
        return Response(self._json(service_request), status.HTTP_201_CREATED)

    @extend_schema(
        request=ANY_BODY,
        responses={200: shapes.CheckJSON, **openapi.refused(422, 503)},
        examples=examples.SUBMITS,
    )
    @action(detail=False, methods=["post"])
    def check(self, request: ApiCall) -> Response:
        """The estimate and the verdict, without asking for anything."""
        kind, wanted = _wanted(request)
        return Response(_check_json(PREVIEWS[kind](requester=request.user, **wanted)))

    @extend_schema(request=shapes.NoteBody, examples=[examples.NOTE], **STEP)
    @action(detail=True, methods=["post"])
    def approve(self, request: ApiCall, pk: str) -> Response:
        """Say yes to a request of somebody else."""
        return self._step(services.approve, note=read(shapes.NoteBody, request)["note"])

    @extend_schema(request=shapes.ReasonBody, examples=[examples.REASON], **STEP)
    @action(detail=True, methods=["post"])
    def reject(self, request: ApiCall, pk: str) -> Response:
        """Say no to a request of somebody else, and why."""
        return self._step(services.reject, reason=read(shapes.ReasonBody, request)["reason"])

    @extend_schema(request=None, **STEP)
    @action(detail=True, methods=["post"])
    def cancel(self, request: ApiCall, pk: str) -> Response:
        """Take a request back before it runs."""
        return self._step(services.cancel)

    @extend_schema(request=None, **STEP)
    @action(detail=True, methods=["post"])
    def retry(self, request: ApiCall, pk: str) -> Response:
        """Run a failed request again."""
        return self._step(services.retry)

    @extend_schema(request=None, **STEP)
    @action(detail=True, methods=["post"])
    def stop(self, request: ApiCall, pk: str) -> Response:
        """Ask a run to end. The state says what really happened, when it has."""
        return self._step(services.stop)

    @extend_schema(
        parameters=[OpenApiParameter("after", AFTER, description="The last sequence that you have.")],
        responses={200: shapes.EntriesJSON, **openapi.refused(503)},
    )
    @action(detail=True, filter_backends=[], pagination_class=None)
    def entries(self, request: ApiCall, pk: str) -> Response:
        """The log of the present attempt, at most 500 lines at once."""
        after = request.query_params.get("after") or "0"
        if not (after.isascii() and after.isdecimal() and len(after) < 10):
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

    @extend_schema(responses=shapes.EventJSON(many=True))
    @action(detail=True, filter_backends=[])
    def events(self, request: ApiCall, pk: str) -> Response:
        """The audit trail of the request, oldest first."""
        refuse_unknown(request, ())
        found = Event.objects.about(self.get_object().ref).order_by("sequence")
        return self.get_paginated_response(shapes.EventJSON(self.paginate_queryset(found), many=True).data)

    @extend_schema(responses=shapes.StepAnswerJSON(many=True))
    @action(detail=True, filter_backends=[], pagination_class=None)
    def permissions(self, request: ApiCall, pk: str) -> Response:
        """What the caller may do with it now, and why or why not."""
        answers = approval.explain(request.user, self.get_object())
        return Response(shapes.StepAnswerJSON(answers, many=True).data)

    def _step(self, take: Callable[..., None], **said: Any) -> Response:
        service_request = self.get_object()
        service_request.seen = seen_by(self.request)
        take(service_request, actor=self.request.user, **said)
        answer = self._json(service_request)
        return Response(answer, headers={"ETag": tag_of(answer)})

    def _json(self, service_request: ServiceRequest) -> Any:
        return shapes.ServiceRequestDetailJSON(service_request, context=self.get_serializer_context()).data


class DeploymentViewSet(Tagged, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """What is there, with its outputs."""

    request: ApiCall
    queryset = Deployment.objects.none()
    filterset_class = DeploymentQuery
    lookup_value_converter = "uuid"

    def get_serializer_class(self) -> Any:
        return shapes.DeploymentJSON if self.action == "list" else shapes.DeploymentDetailJSON

    def get_queryset(self) -> DeploymentQuerySet:
        visible = Deployment.objects.visible_to(self.request.user).with_names()
        return visible.defer(*LARGE).order_by("-created_at") if self.action == "list" else visible

    @extend_schema(
        request=shapes.ExtendBody,
        responses={200: shapes.DeploymentDetailJSON, **openapi.refused(409, 422)},
        examples=[examples.EXTEND],
    )
    @action(detail=True, methods=["post"])
    def extend(self, request: ApiCall, pk: str) -> Response:
        """Let it stay longer, counted from today."""
        wanted = read(shapes.ExtendBody, request)
        deployment = self.get_object()
        lifetime.extend(deployment, actor=request.user, **wanted)
        return Response(self.get_serializer(deployment).data)


def _wanted(request: ApiCall) -> tuple[Kind, dict[str, Any]]:
    """The kind of the request, and the arguments of its service."""
    data = request.data
    if not isinstance(data, Mapping):
        raise InvalidInput({"body": "Send a JSON object."})
    kind = data.get("kind", str(Kind.CREATE))
    if kind not in Kind.values:
        raise InvalidInput({"kind": f"Choose one of: {', '.join(Kind.values)}."})
    wanted = read(shapes.BODIES[Kind(kind)], request)
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


def _check_json(proposal: Proposal) -> dict[str, Any]:
    return {
        "problems": proposal.problems,
        "warnings": proposal.warnings,
        "ttl_days": proposal.ttl_days,
        "parameters": proposal.parameters,
        "changes": proposal.changes,
        "estimate": proposal.estimate.as_json() if proposal.estimate else None,
        "cost": shapes.CostJSON(proposal).data if proposal.verdict else None,
        "budget": proposal.standing.as_json() if proposal.verdict else None,
        "verdict": proposal.verdict.as_json() if proposal.verdict else None,
        "automatic": proposal.automatic,
        "approvers": [user.username for user in proposal.approvers],
    }


router = SimpleRouter()
router.register("requests", ServiceRequestViewSet, basename="api-request")
router.register("deployments", DeploymentViewSet, basename="api-deployment")
urlpatterns = router.urls
