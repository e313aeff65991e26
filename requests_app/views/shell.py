"""Parts of every page: the number that waits for this person, and the palette."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import SimpleLazyObject

from catalog_app.models import Item
from portal.http import SignedIn
from portal.identity.models import User
from portal.identity.roles import DECIDES, Permission
from requests_app.listing import search_requests
from requests_app.models import ServiceRequest

PAGES = [
    ("catalog", "layout-grid", "Catalog"),
    ("requests", "list-checks", "My requests"),
    ("deployments", "boxes", "Resources"),
    ("budgets", "wallet", "Budgets"),
    ("approvals", "inbox", "Approvals"),
    ("audit", "history", "Audit"),
    ("units", "users", "People"),
    ("policies", "scale", "Rules"),
]
MOST_FOUND = 5


def waiting(request: HttpRequest) -> dict[str, Any]:
    """Counted only when the navigation is drawn for somebody who decides."""
    return {"waiting": SimpleLazyObject(lambda: _waiting(getattr(request, "user", None)))}


def _waiting(user: Any) -> int:
    if not isinstance(user, User) or not any(map(user.can_somewhere, DECIDES.values())):
        return 0
    return ServiceRequest.objects.decidable_by(user).count()


def search(request: SignedIn) -> HttpResponse:
    """Options for the palette: pages, items, requests."""
    words = request.GET.get("q", "").strip()
    visible = ServiceRequest.objects.visible_to(request.user).select_related("deployment", "business_unit")
    found = search_requests(visible, words)[:MOST_FOUND] if words else []
    context = {
        "words": words,
        "pages": [
            page for page in PAGES if words.lower() in page[2].lower() and _may_open(request.user, page[0])
        ],
        "items": Item.objects.offered_to(request.user).filter(title__icontains=words)[:MOST_FOUND],
        "found": found,
    }
    return render(request, "requests_app/parts/palette.html", context)


def _may_open(user: User, page: str) -> bool:
    if page == "approvals":
        return any(map(user.can_somewhere, DECIDES.values()))
    if page == "audit":
        return user.can_somewhere(Permission.AUDIT_VIEW)
    if page == "units":
        return user.can_somewhere(Permission.MEMBERSHIP_MANAGE)
    return True
