from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from portal.http import ApiCall
from portal.identity.models import BusinessUnit


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


class ApiTokenScheme(OpenApiAuthenticationExtension):
    """Tells drf-spectacular how our tokens are sent."""

    target_class = "portal.identity.drf.ApiTokenAuthentication"
    name = "apiToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "gwk_…"}
