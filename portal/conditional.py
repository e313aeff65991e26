"""
ETag and If-Match.

A tag is `"7-3f2a…"`: the version of what it names, where that has one, and a digest of the whole answer. A decision
looks at the version alone: the log of a run may grow while somebody decides to stop it.
"""

import hashlib
import re
from typing import Any

from django.http.request import HttpRequest
from django.utils.http import parse_etags
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from portal.errors import InvalidInput
from portal.openapi import IF_NONE_MATCH

# A proxy that compresses makes a tag weak.
TAG = re.compile(r'(?:W/)?"([0-9]{1,9})(?:-[0-9a-f]{1,64})?"')


class Tagged:
    """For a view of one thing: its tag, and nothing but that for those who have it."""

    @extend_schema(parameters=[IF_NONE_MATCH])
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response: Response = super().retrieve(request, *args, **kwargs)  # type: ignore[misc]
        response["ETag"] = tag = tag_of(response.data)
        known = [given.removeprefix("W/") for given in parse_etags(request.headers.get("If-None-Match", ""))]
        if tag in known or known == ["*"]:
            return Response(status=304, headers={"ETag": tag})
        return response


def tag_of(data: Any) -> str:
    digest = hashlib.sha256(JSONRenderer().render(data)).hexdigest()[:16]
    return f'"{data["version"]}-{digest}"' if isinstance(data.get("version"), int) else f'"{digest}"'


def seen_by(request: HttpRequest | Request) -> int | None:
    """The version that the caller decides on; None for one who takes it as it is."""
    given = request.headers.get("If-Match", "*").strip()
    if given == "*":
        return None
    match = TAG.fullmatch(given)
    if not match:
        raise InvalidInput(
            {"If-Match": "Give the ETag of the request as you read it, or its version in quotes."}
        )
    return int(match[1])
