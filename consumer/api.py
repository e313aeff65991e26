"""
The HTTP side of a run, for its worker and for Terraform's http backend.

Not part of the public API: the only key is the identity of the run. Answers are 200, 4xx for good, and 5xx for later.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from pydantic import ValidationError

from consumer import identity, runs, states
from consumer.identity import Caller
from consumer.runs import Message
from portal.errors import InvalidInput, PortalError
from portal.http import problem
from requests_app.models import Deployment, ServiceRequest

Body = TypeVar("Body", bound=Message)
Answer = Callable[..., HttpResponseBase]


def _edge(view: Answer) -> Answer:
    """No session and no form: only JSON errors."""

    @csrf_exempt
    @login_not_required
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except states.Locked as error:
            return JsonResponse(error.holder, status=error.status)  # Terraform reads the holder from it
        except PortalError as error:
            return JsonResponse(error.body(), status=error.status)

    return guarded


def _call(shape: type[Body]) -> Callable[[Callable[[Caller, Body], Any]], Answer]:
    """A view from a function of the run and the checked body to a JSON answer."""

    def decorate(function: Callable[[Caller, Body], Any]) -> Answer:
        @_edge
        def view(request: HttpRequest, key: str) -> HttpResponse:
            if request.method != "POST":
                refused = problem(405, "MethodNotAllowed", "Send it by POST.")
                refused["Allow"] = "POST"
                return refused
            scheme, _, token = request.headers.get("Authorization", "").partition(" ")
            said = hashlib.sha256(request.body).hexdigest()
            given = token.strip() if scheme.lower() == "bearer" else ""
            caller = identity.authenticate(key, given, f"{function.__name__} {said}")
            return JsonResponse(function(caller, _checked(shape, request.body)))

        return view

    return decorate


@_call(runs.ClaimBody)
def claim(caller: Caller, body: runs.ClaimBody) -> dict[str, Any]:
    return runs.claim(caller.run, body, with_token=caller.is_job)


@_call(runs.EntriesBody)
def entries(caller: Caller, body: runs.EntriesBody) -> dict[str, Any]:
    return {"stop": runs.listen(caller.run, body)}


@_call(runs.PlanBody)
def plan(caller: Caller, body: runs.PlanBody) -> dict[str, Any]:
    return runs.plan(caller.run, body)


@_call(runs.Report)
def finish(caller: Caller, body: runs.Report) -> dict[str, Any]:
    runs.finish(caller.run, body)
    return {}


@method_decorator(_edge, name="dispatch")
class State(View):
    """Terraform's http backend; see https://developer.hashicorp.com/terraform/language/backend/http."""

    http_method_names = ["get", "post", "lock", "unlock"]

    def get(self, request: HttpRequest, key: str) -> HttpResponse:
        body = states.read(_deployment(request, key))
        return HttpResponse(body, content_type="application/json") if body else HttpResponse(status=204)

    def post(self, request: HttpRequest, key: str) -> HttpResponse:
        deployment = _deployment(request, key)
        states.write(deployment, request.body, run_key=key, lock_id=request.GET.get("ID", ""))
        return HttpResponse(status=200)

    def lock(self, request: HttpRequest, key: str) -> HttpResponse:
        deployment = _deployment(request, key)
        states.lock(deployment, _json_object(request.body), run_key=key)
        return HttpResponse(status=200)

    def unlock(self, request: HttpRequest, key: str) -> HttpResponse:
        states.unlock(_deployment(request, key), run_key=key)
        return HttpResponse(status=200)


def _deployment(request: HttpRequest, key: str) -> Deployment:
    """The one of this run. Its token stays good after the run was given up: a late state must not be lost."""
    identity.by_run_token(key, _password(request, key))
    return ServiceRequest.objects.select_related("deployment").get(pk=int(key.partition("-a")[0])).deployment


def _password(request: HttpRequest, key: str) -> str:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    try:
        user, _, password = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        user = password = ""
    return password if scheme.lower() == "basic" and user == key else ""


def _json_object(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw)
    except ValueError as error:
        raise InvalidInput({"body": "This is not JSON."}) from error
    if not isinstance(body, dict):
        raise InvalidInput({"body": "Send a JSON object."})
    return body


def _checked(shape: type[Body], raw: bytes) -> Body:
    try:
        return shape.model_validate_json(raw or b"{}")
    except ValidationError as error:
        problems = {".".join(map(str, e["loc"])) or "body": e["msg"] for e in error.errors()}
        raise InvalidInput(problems) from error
