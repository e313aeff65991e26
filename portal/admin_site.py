"""The platform team's admin: Django's own, in the look of the portal, with an overview."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from django.contrib.admin import AdminSite
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator

from portal import ports
from portal.errors import NotAllowed, OutsideError


@dataclass(frozen=True)
class Card:
    """A number that the platform team looks at first, with a link to the rows behind it."""

    label: str
    value: int | str
    note: str
    icon: str
    url: str = ""
    tone: str = ""  # warn | bad


@dataclass(frozen=True)
class Row:
    title: str
    sub: str
    url: str
    at: Any


@dataclass(frozen=True)
class Block:
    title: str
    empty: str
    rows: Sequence[Row] = field(default_factory=list)


@runtime_checkable
class Overview(Protocol):
    """What a ModelAdmin offers to put something on the overview."""

    def cards(self) -> Sequence[Card]: ...

    def blocks(self) -> Sequence[Block]: ...


class GroundworkAdminSite(AdminSite):
    site_header = site_title = "Groundwork admin"
    index_title = "Overview"
    site_url = "/"

    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """No password form of its own: that one would ask for no second factor and know no limits."""
        if request.user.is_authenticated:
            raise NotAllowed("The admin is for platform staff.")
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"))

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return redirect("account_change_password")

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        offering = [each for each in self._registry.values() if isinstance(each, Overview)]
        overview = {
            "cards": [queue_card(), *(card for each in offering for card in each.cards())],
            "blocks": [block for each in offering for block in each.blocks()],
        }
        return super().index(request, {**(extra_context or {}), "overview": overview})


def queue_card() -> Card:
    """The queue is outside the portal; its card says so when it does not answer."""
    try:
        depths = ports.queue().depths()
    except OutsideError as error:
        return Card("Queue", "Unknown", str(error), "list-ordered", tone="bad")
    waiting, dead = sum(depth.waiting for depth in depths), sum(depth.dead for depth in depths)
    by_priority = ", ".join(f"{depth.waiting} {depth.priority}" for depth in depths if depth.waiting)
    note = f"{dead} dead letter{'' if dead == 1 else 's'}" if dead else by_priority or "No run is waiting"
    return Card("Queue", waiting, note, "list-ordered", tone="bad" if dead else "")
