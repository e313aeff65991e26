"""What the OpenAPI description says beyond what the views say themselves: headers, and every refusal with its body."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers


class ProblemJSON(serializers.Serializer):
    """Every refusal."""

    code = serializers.CharField(help_text="For programs: InvalidInput, WrongState, …")
    message = serializers.CharField(help_text="For people.")
    problems = serializers.DictField(
        child=serializers.CharField(), help_text="Why, by the name of the field."
    )
    verdict = serializers.DictField(required=False, help_text="What the rules say, where they refuse.")


def _header(name: str, description: str, **schema: Any) -> OpenApiParameter:
    return OpenApiParameter(name, {"type": "string", **schema}, "header", description=description)


IDEMPOTENCY_KEY = _header(
    "Idempotency-Key",
    "A new UUID for a new request. The same key with the same body gets the same answer for 24 hours.",
    maxLength=128,
    pattern="^[!-~]+$",
)
IF_MATCH = _header(
    "If-Match",
    "The ETag of the request as you read it, or its version in quotes. It is refused with 412 if it changed since.",
    pattern='^(\\*|(W/)?"[0-9]{1,9}(-[0-9a-f]{1,64})?")$',
)
IF_NONE_MATCH = _header("If-None-Match", "The ETag that you have. 304 if it is still this one.")
TAGGED = {header.name for header in (IDEMPOTENCY_KEY, IF_MATCH, IF_NONE_MATCH)}  # their answers have an ETag

# Status, when it is answered, and an example.
REFUSALS: dict[int, tuple[str, dict[str, Any]]] = {
    400: (
        "It makes no sense. `problems` says why.",
        {"code": "InvalidInput", "message": "region: It is missing."},
    ),
    401: (
        "No token, or none that is good.",
        {"code": "AuthenticationFailed", "message": "This token has expired."},
    ),
    403: (
        "You may see it, and not do this.",
        {"code": "NotAllowed", "message": "You are no approver of Payments."},
    ),
    404: ("It is not there, or you may not see it.", {"code": "NotFound", "message": "It is not there."}),
    406: (
        "Another format than JSON is wanted.",
        {"code": "NotAcceptable", "message": "Only application/json."},
    ),
    409: ("Not now: something has moved on.", {"code": "WrongState", "message": "REQ-12 is approved now."}),
    412: ("It has changed since you read it.", {"code": "HasChanged", "message": "REQ-12 has changed."}),
    415: ("It is no JSON.", {"code": "UnsupportedMediaType", "message": "Send JSON."}),
    422: ("The rules or the budget say no.", {"code": "PolicyRefused", "message": "The rules refuse this."}),
    429: (
        "Too many calls: wait as long as Retry-After says.",
        {"code": "TooManyCalls", "message": "Wait 20 seconds."},
    ),
    502: ("Something beyond the portal refused.", {"code": "OutsideError", "message": "The runner refused."}),
    503: ("It may work later: try again.", {"code": "Unavailable", "message": "The runner did not answer."}),
}
RETRY_AFTER = {409, 429}
HEADERS = {
    "X-Request-ID": "Names this call in the logs of the portal.",
    "Retry-After": "Seconds to wait before the call is repeated.",
    "ETag": "Of this very answer; it begins with the version.",
}


def refused(*statuses: int) -> dict[int, OpenApiResponse]:
    """For `responses` of a view that refuses in more ways than every view does."""
    return {status: OpenApiResponse(ProblemJSON) for status in statuses}


def describe_refusals(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """A hook of drf-spectacular: add what every operation can answer, and describe each refusal once."""
    components = result["components"]
    components["responses"] = {_name(status): _refusal(status) for status in REFUSALS}
    components["headers"] = {
        name: {"description": text, "schema": {"type": "string"}} for name, text in HEADERS.items()
    }
    for operations in result["paths"].values():
        for operation in operations.values():
            answers, usual = operation["responses"], _usual(operation)
            told = {int(status) for status in answers} & REFUSALS.keys()
            for status in usual | told:
                answers[str(status)] = {"$ref": f"#/components/responses/{_name(status)}"}
            _describe_good_ends(operation)
            operation["responses"] = dict(sorted(answers.items()))
    return result


def _describe_good_ends(operation: dict[str, Any]) -> None:
    names = {parameter["name"] for parameter in operation.get("parameters", [])}
    headers = ["X-Request-ID", *(["ETag"] if names & TAGGED else [])]
    answers = operation["responses"]
    if IF_NONE_MATCH.name in names:
        answers["304"] = {"description": "You have it already."}
    for status in answers.keys() & {"200", "201", "204", "304"}:
        answers[status]["headers"] = {name: _header_reference(name) for name in headers}


def _usual(operation: dict[str, Any]) -> set[int]:
    places = {parameter["in"] for parameter in operation.get("parameters", [])}
    has_body = "requestBody" in operation
    conditions = {404: "path" in places, 400: has_body or places & {"query", "header"}, 415: has_body}
    return {401, 403, 406, 429} | {status for status, holds in conditions.items() if holds}


def _name(status: int) -> str:
    return f"Refused{status}"


def _header_reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/headers/{name}"}


def _refusal(status: int) -> dict[str, Any]:
    description, example = REFUSALS[status]
    headers = ["X-Request-ID", *(["Retry-After"] if status in RETRY_AFTER else [])]
    body = {"schema": {"$ref": "#/components/schemas/ProblemJSON"}, "example": {**example, "problems": {}}}
    return {
        "description": description,
        "headers": {name: _header_reference(name) for name in headers},
        "content": {"application/json": body},
    }
