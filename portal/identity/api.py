from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from portal.http import ApiCall
from portal.identity import why
from portal.identity.models import BusinessUnit
from portal.identity.roles import Scope


class UnitJSON(serializers.Serializer):
    slug = serializers.CharField()
    name = serializers.CharField()
    roles = serializers.ListField(child=serializers.CharField())


class MeJSON(serializers.Serializer):
    username = serializers.CharField()
    name = serializers.CharField()
    is_operator = serializers.BooleanField()
    business_units = UnitJSON(many=True)


class Me(APIView):
    """Who the caller is, and the roles by business unit."""

    @extend_schema(responses=MeJSON)
    def get(self, request: ApiCall) -> Response:
        user = request.user
        units = BusinessUnit.objects.in_bulk(list(user.roles))
        return Response(
            {
                "username": user.username,
                "name": str(user),
                "is_operator": user.is_operator,
                "business_units": [
                    {"slug": units[pk].slug, "name": units[pk].name, "roles": sorted(roles)}
                    for pk, roles in sorted(user.roles.items(), key=lambda pair: units[pair[0]].slug)
                ],
            }
        )


class HeldJSON(serializers.Serializer):
    role = serializers.CharField()
    origin = serializers.CharField(help_text="Who gave it, or the group of Entra ID.")
    expires_at = serializers.DateTimeField(allow_null=True)
    has_ended = serializers.BooleanField()


class AnswerJSON(serializers.Serializer):
    permission = serializers.CharField()
    allowed = serializers.BooleanField()
    because = serializers.CharField()


class RightsJSON(serializers.Serializer):
    business_unit = serializers.CharField(help_text="Its slug.")
    held = HeldJSON(many=True)
    permissions = AnswerJSON(many=True)
    givers = serializers.CharField(help_text="Who could give more.")


class MyPermissionsJSON(serializers.Serializer):
    is_operator = serializers.BooleanField()
    scopes = serializers.ListField(
        child=serializers.CharField(), help_text="Of the token of this call; all for a browser session."
    )
    only_in = serializers.CharField(allow_null=True, help_text="The one business unit of the token, or null.")
    business_units = RightsJSON(many=True)


class MyPermissions(APIView):
    """What the caller may do in each business unit, and why or why not."""

    @extend_schema(responses=MyPermissionsJSON)
    def get(self, request: ApiCall) -> Response:
        token: Any = request.auth
        scopes = Scope.values if token is None else sorted(token.scopes)
        only_in = getattr(token, "business_unit", None)
        return Response(
            {
                "is_operator": request.user.is_operator,
                "scopes": scopes,
                "only_in": only_in.slug if only_in else None,
                "business_units": [_rights_json(each) for each in why.everywhere(request.user)],
            }
        )


def _rights_json(rights: why.Rights) -> dict[str, Any]:
    held = [
        {
            "role": each.membership.role,
            "origin": each.origin,
            "expires_at": each.membership.expires_at,
            "has_ended": each.membership.has_ended,
        }
        for each in rights.held
    ]
    return {
        "business_unit": rights.business_unit.slug,
        "held": HeldJSON(held, many=True).data,
        "permissions": AnswerJSON(rights.answers, many=True).data,
        "givers": rights.givers,
    }


class ApiTokenScheme(OpenApiAuthenticationExtension):
    """Tells drf-spectacular how our tokens are sent."""

    target_class = "portal.identity.drf.ApiTokenAuthentication"
    name = "apiToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "gwk_…"}
