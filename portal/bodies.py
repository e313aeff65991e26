"""What is sent to the API."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser
from rest_framework.request import Request

from portal.errors import InvalidInput


class LimitedJson(JSONParser):
    """Python's parser gives up at some depth, with an error that nobody else expects."""

    def parse(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().parse(*args, **kwargs)
        except RecursionError as error:
            raise ParseError("JSON parse error - its lists and objects go too deep") from error


class Body(serializers.Serializer):
    """A name that is not known is a mistake, and is refused."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = sorted(set(map(str, data)) - set(self.fields))
            if unknown:
                known = ", ".join(self.fields)
                raise InvalidInput(
                    {name: f"{name} is not known here. Known are: {known}." for name in unknown}
                )
        return super().to_internal_value(data)


def read(shape: type[Body], request: Request) -> dict[str, Any]:
    """What the caller sent, checked; InvalidInput by the name of the field."""
    body = shape(data=request.data)
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)
