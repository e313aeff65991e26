"""
What a test does to the tenant: POST /_control/<name> with a JSON body.

    fault    {"name": "bad_signature" | null}     tokens of the token endpoint are broken in that way, until null
    rotate   {}                                   sign with a new key from now on
    outage   {"down": true, "only": "/v1.0/"}     the tenant answers with 503, or only below these paths
    person   {"name": "anna", "groups": [...], "is_active": true, "email": "..."}   change somebody
    reset    {}                                   everybody as they were, no fault, no outage
    sign     {"claims": {...}, "fault": null}     any claims, signed by the tenant
    portal   {"url": "http://..."}                may sign in here
    asked    {}                                   how often each path was asked for, and the last query of each
"""

import json
from collections.abc import Callable
from typing import Any

import jwt
from allauth.core.internal import jwkkit
from allauth.idp.oidc.models import Client
from django.http import HttpRequest, HttpResponse, JsonResponse

from tests.peers.entra import adapter, directory, faults, tenant
from tests.peers.entra.models import Person

Body = dict[str, Any]
state: dict[str, Any] = {"fault": None, "down": None, "asked": {}, "queries": {}}


def fault(body: Body) -> None:
    state["fault"] = body["name"]


def rotate(body: Body) -> None:
    adapter.KEYS.append(adapter.new_key())


def outage(body: Body) -> None:
    state["down"] = body.get("only", "/") if body["down"] else None


def person(body: Body) -> None:
    Person.objects.filter(username=body.pop("name")).update(**body)


def reset(body: Body) -> None:
    state.update(fault=None, down=None)
    directory.fill_people()


def sign(body: Body) -> Body:
    pem = adapter.KEYS[-1]
    kid = jwkkit.load_jwk_from_pem(pem)[0]["kid"]
    token = jwt.encode(body["claims"], pem, algorithm="RS256", headers={"kid": kid})
    return {"token": faults.broken(token, body["fault"], pem) if body.get("fault") else token}


def portal(body: Body) -> None:
    client = Client.objects.get(id=tenant.PORTAL)
    client.set_redirect_uris([*client.get_redirect_uris(), f"{body['url']}/oidc/callback/"])
    client.set_post_logout_redirect_uris(
        [*client.get_post_logout_redirect_uris(), f"{body['url']}/accounts/login/"]
    )
    client.save()


def asked(body: Body) -> Body:
    return {"times": state["asked"], "queries": state["queries"]}


ACTIONS: dict[str, Callable[[Body], Body | None]] = {
    each.__name__: each for each in (fault, rotate, outage, person, reset, sign, portal, asked)
}


class Control:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith("/_control/"):
            action = ACTIONS[request.path.removeprefix("/_control/")]
            return JsonResponse(action(json.loads(request.body or "{}")) or {})
        name = request.path.removeprefix(f"/{tenant.TENANT}")
        state["asked"][name] = state["asked"].get(name, 0) + 1
        state["queries"][name] = request.GET.dict()
        if state["down"] and request.path.startswith(state["down"]):
            return HttpResponse(status=503)
        if name.endswith("/token"):
            _accept_federation(request)
        return _with_the_fault(self.get_response(request))


def _accept_federation(request: HttpRequest) -> None:
    """A federated credential instead of the secret: allauth knows only secrets."""
    if request.POST.get("client_assertion") == tenant.FEDERATED_TOKEN:
        form = request.POST.copy()
        form["client_secret"] = tenant.SECRETS[form["client_id"]]
        request.POST = form  # type: ignore[assignment]


def _with_the_fault(response: HttpResponse) -> HttpResponse:
    if not state["fault"] or "json" not in response.get("Content-Type", ""):
        return response
    answer = json.loads(response.content)
    if "id_token" not in answer:
        return response
    if state["fault"] == "no_id_token":
        del answer["id_token"]
    else:
        answer["id_token"] = faults.broken(answer["id_token"], state["fault"], adapter.KEYS[-1])
    return JsonResponse(answer)
