"""What a report of an error shows: where it happened, and not one value. Passwords and codes are values, too."""

from collections.abc import ItemsView
from types import FrameType
from typing import Any

from django.http import HttpRequest, QueryDict
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

SHOWN = {"REQUEST_METHOD", "PATH_INFO", "CONTENT_TYPE", "HTTP_HOST"}


class WithoutValues(SafeExceptionReporterFilter):
    def get_traceback_frame_variables(
        self, request: HttpRequest | None, tb_frame: FrameType
    ) -> ItemsView[str, Any]:
        return dict[str, Any]().items()

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        return dict.fromkeys(request.POST, self.cleansed_substitute) if request else {}

    def get_safe_cookies(self, request: HttpRequest) -> dict[str, Any]:
        return {}

    def get_safe_request_meta(self, request: HttpRequest) -> dict[str, Any]:
        return {name: value for name, value in getattr(request, "META", {}).items() if name in SHOWN}

    def get_safe_settings(self) -> dict[str, Any]:
        return {}


class Report(ExceptionReporter):
    def get_traceback_data(self) -> dict[str, Any]:
        data = super().get_traceback_data()
        if self.request is not None:
            data["request_GET_items"] = QueryDict().items()
            data["request_insecure_uri"] = self.request.path
        return data
