"""Parts of every page: the number that waits for this person, and the palette."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import SimpleLazyObject

from catalog_app.models import Item
from portal.http import SignedIn
from portal.identity.models import User
from portal.identity.roles import Permission
from requests_app.listing import filter_requests
from requests_app.models import ServiceRequest

PAGES = [
    ("catalog", "layout-grid", "Catalog"),
    ("requests", "list-checks", "My requests"),
    ("deployments", "boxes", "Resources"),
    ("approvals", "inbox", "Approvals"),
    ("audit", "history", "Audit"),
]
MOST_FOUND = 5


def waiting(request: HttpRequest) -> dict[str, Any]:
    """Counted only when the navigation is drawn for somebody who decides."""
    return {"waiting": SimpleLazyObject(lambda: _waiting(getattr(request, "user", None)))}


def _waiting(user: Any) -> int:
    if not isinstance(user, User) or not user.can_somewhere(Permission.REQUEST_DECIDE):
        return 0
    return ServiceRequest.objects.decidable_by(user).count()


def search(request: SignedIn) -> HttpResponse:
    """Options for the palette: pages, items, requests."""
    words = request.GET.get("q", "").strip()
    visible = ServiceRequest.objects.visible_to(request.user).select_related("deployment", "business_unit")
    found = filter_requests(visible, {"search": words}, request.user)[:MOST_FOUND] if words else []
    context = {
        "words": words,
        "pages": [
            page for page in PAGES if words.lower() in page[2].lower() and _may_open(request.user, page[0])
        ],
        "items": Item.objects.offered().filter(title__icontains=words)[:MOST_FOUND],
        "found": found,
    }
    return render(request, "requests_app/parts/palette.html", context)


def _may_open(user: User, page: str) -> bool:
    if page == "approvals":
        return user.can_somewhere(Permission.REQUEST_DECIDE)
    if page == "audit":
        return user.is_operator or user.can_somewhere(Permission.AUDIT_VIEW)
    return True
