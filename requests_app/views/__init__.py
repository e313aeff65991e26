"""The pages, by subject."""

from requests_app.views.shell import waiting

__all__ = ["waiting"]
