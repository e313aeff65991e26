"""What every page needs, and how its forms look."""

from typing import Any

from django.conf import settings
from django.forms.renderers import TemplatesSetting
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from portal.identity.models import User
from portal.identity.roles import DECIDES, Permission

THEMES = ("light", "auto", "dark")


class PortalFormRenderer(TemplatesSetting):
    """One accessible layout for every field of every form: {{ field.as_field_group }}."""

    field_template_name = "portal/forms/field.html"


def theme_of(request: HttpRequest) -> str:
    value = request.COOKIES.get("theme", "auto")
    return value if value in THEMES else "auto"


def shell(request: HttpRequest) -> dict[str, Any]:
    """The theme (a cookie, so there is no flash), and what the navigation offers, looked up when drawn."""
    user = getattr(request, "user", None)
    return {
        "theme": theme_of(request),
        "currency": settings.CURRENCY,
        "entra": settings.ENTRA,
        "may": SimpleLazyObject(lambda: _may(user)),
    }


def _may(user: Any) -> dict[str, bool]:
    if not isinstance(user, User) or not user.is_authenticated:
        return {}
    return {
        "decide": any(map(user.can_somewhere, DECIDES.values())),
        "audit": user.can_somewhere(Permission.AUDIT_VIEW),
        "people": user.can_somewhere(Permission.MEMBERSHIP_MANAGE),
    }
