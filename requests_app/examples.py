"""Bodies as the OpenAPI description shows them."""

from drf_spectacular.utils import OpenApiExample

DEPLOYMENT = "0b7c2a53-54f0-4b0e-9d5e-6a3a51c1f2aa"


def _body(title: str, /, **value: object) -> OpenApiExample:
    return OpenApiExample(title, value, request_only=True)


SUBMITS = [
    _body(
        "Something new",
        kind="create",
        item="postgresql",
        name="orders",
        business_unit="payments",
        environment="dev",
        region="northeurope",
        parameters={"storage_gb": 64},
        justification="The order service needs a database.",
    ),
    _body("A change", kind="update", deployment=DEPLOYMENT, parameters={"storage_gb": 128}),
    _body("A removal", kind="destroy", deployment=DEPLOYMENT, justification="The trial is over."),
]
NOTE = _body("With a note", note="As agreed in the review.")
REASON = _body("With a reason", reason="Use the smaller size in development.")
EXTEND = _body("For two weeks", ttl_days=14)
