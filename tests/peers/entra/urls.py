"""Entra ID's addresses, and the one of Graph that the portal asks."""

import json
from uuid import UUID

from allauth.account.views import login
from allauth.idp.oidc import views as oidc
from allauth.idp.oidc.models import Client
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import include, path
from django.utils.http import urlencode
from django.views.decorators.csrf import csrf_exempt

from tests.peers.entra import tenant
from tests.peers.entra.adapter import session_of
from tests.peers.entra.models import Person


@csrf_exempt
def check_member_groups(request: HttpRequest, oid: UUID) -> HttpResponse:
    """Graph: which of at most 20 groups somebody is in."""
    if not request.headers.get("Authorization", "").startswith("Bearer ey"):
        return JsonResponse({"error": {"code": "InvalidAuthenticationToken"}}, status=401)
    asked = json.loads(request.body)["groupIds"]
    if len(asked) > 20:
        return JsonResponse({"error": {"code": "Request_BadRequest"}}, status=400)
    groups = get_object_or_404(Person, oid=oid).groups
    return JsonResponse({"value": [each for each in asked if each in groups]})


def sign_out(request: HttpRequest) -> HttpResponse:
    """Ends the session here and, in hidden frames, those of the applications; then back, if that is registered."""
    client, person = Client.objects.get(id=tenant.PORTAL), request.user
    frames = []
    if not isinstance(person, AnonymousUser):
        query = urlencode({"iss": f"{settings.TENANT_URL}/v2.0", "sid": session_of(person)})
        callbacks = client.get_redirect_uris()
        frames = [f"{each.removesuffix('callback/')}frontchannel-logout?{query}" for each in callbacks]
    logout(request)
    back = request.GET.get("post_logout_redirect_uri", "")
    known = back in client.get_post_logout_redirect_uris()
    return render(request, "entra/signed_out.html", {"frames": frames, "back": back if known else ""})


def start(request: HttpRequest) -> HttpResponse:
    return render(request, "entra/start.html", {"people": tenant.PEOPLE.items()})


urlpatterns = [
    path("", start),
    path("accounts/login/", login, name="account_login"),
    path("accounts/signup/", start, name="account_signup"),
    path("accounts/reauthenticate/", login, name="account_reauthenticate"),
    path(f"{tenant.TENANT}/oauth2/v2.0/authorize", oidc.authorization),
    path(f"{tenant.TENANT}/oauth2/v2.0/token", oidc.token),
    path(f"{tenant.TENANT}/oauth2/v2.0/devicecode", oidc.device_code),
    path(f"{tenant.TENANT}/oauth2/v2.0/logout", sign_out),
    path(f"{tenant.TENANT}/discovery/v2.0/keys", oidc.jwks),
    path("oidc/userinfo", oidc.user_info),
    path("v1.0/users/<uuid:oid>/checkMemberGroups", check_member_groups),
    path("", include("allauth.idp.urls")),
]
