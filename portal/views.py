"""Pages of the ground: the audit trail, the theme, and what is shown when something is refused or fails."""

from typing import Any

import django_filters as df
from django import forms
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from portal.context import THEMES
from portal.errors import NotAllowed
from portal.http import SignedIn, is_api, problem
from portal.identity.models import BusinessUnit
from portal.identity.roles import Permission
from portal.models import Event, EventQuerySet

PER_PAGE = 25


def search_input(placeholder: str) -> forms.TextInput:
    return forms.TextInput(attrs={"type": "search", "placeholder": placeholder, "autocomplete": "off"})


def date_input() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"})


def visible_units(request: HttpRequest | None) -> QuerySet[BusinessUnit]:
    """The business units that a filter of this person's lists offers."""
    user: Any = getattr(request, "user", None)
    if user is None:
        return BusinessUnit.objects.none()
    return BusinessUnit.objects.for_user(user, Permission.REQUEST_VIEW)


class EventFilter(df.FilterSet):
    ACTIONS = [
        ("request", "Requests"), ("run", "Runs"), ("catalog", "Catalog"), ("budget", "Budgets"),
        ("prices", "Prices"), ("identity", "People and tokens"), ("webhook", "Webhooks"),
    ]  # fmt: skip

    q = df.CharFilter(
        method="search", label="Search the audit trail", widget=search_input("Person, action or REQ-12")
    )
    about = df.ChoiceFilter(choices=ACTIONS, method="by_action", label="Kind", empty_label="Any kind")
    business_unit = df.ModelChoiceFilter(
        queryset=visible_units, to_field_name="slug", label="Business unit", empty_label="Any business unit"
    )
    since = df.DateFilter(
        field_name="at",
        lookup_expr="date__gte",
        label="Since",
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    until = df.DateFilter(
        field_name="at",
        lookup_expr="date__lte",
        label="Until",
        widget=forms.DateInput(attrs={"type": "date"}),
    )

    class Meta:
        model = Event
        fields = ["q", "about", "business_unit", "since", "until"]

    def search(self, queryset: EventQuerySet, name: str, value: str) -> EventQuerySet:
        return queryset.filter(
            Q(actor_label__icontains=value)
            | Q(action__icontains=value)
            | Q(subject__icontains=value)
            | Q(note__icontains=value)
        )

    def by_action(self, queryset: EventQuerySet, name: str, value: str) -> EventQuerySet:
        return queryset.filter(action__startswith=f"{value}.")


def audit(request: SignedIn) -> HttpResponse:
    if not request.user.can_somewhere(Permission.AUDIT_VIEW):
        raise NotAllowed("The audit trail is for auditors and administrators of a business unit.")
    events = Event.objects.visible_to(request.user).select_related("business_unit")
    rows = EventFilter(request.GET, queryset=events, request=request)
    context = {
        "nav": "audit",
        "filter": rows,
        "filtered": any(request.GET.get(name) for name in EventFilter.Meta.fields),
        "page": Paginator(rows.qs, PER_PAGE).get_page(request.GET.get("page")),
    }
    return render(request, "portal/parts/audit_rows.html" if request.htmx else "portal/audit.html", context)


@login_not_required
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    chosen, back = request.POST.get("theme", ""), request.POST.get("next", "/")
    hosts = {request.get_host()}
    if not url_has_allowed_host_and_scheme(back, allowed_hosts=hosts, require_https=request.is_secure()):
        back = "/"
    response = HttpResponse(status=204) if request.headers.get("HX-Request") else redirect(back)
    response.set_cookie(
        "theme",
        chosen if chosen in THEMES else "auto",
        max_age=365 * 86400,
        samesite="Lax",
        secure=request.is_secure(),
    )
    return response


def _problem(request: HttpRequest, status: int, heading: str, text: str) -> HttpResponse:
    if is_api(request):
        return problem(status, *IN_THE_API[status])
    context = {"status": status, "heading": heading, "text": text}
    return render(request, "portal/problem.html", context, status=status)


# What the handlers below say to machines: code and message.
IN_THE_API = {
    400: ("BadRequest", "The call cannot be read."),
    403: ("NotAllowed", "This is not allowed."),
    404: ("NotFound", "The API has no such address. GET /api/v1/schema/ describes those that it has."),
    500: (
        "ServerError",
        "Something went wrong on our side. Tell the platform team the X-Request-ID of this answer.",
    ),
}


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _problem(request, 400, "That could not be read", "Go back and try again. Nothing was changed.")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    text = "Ask an administrator of your business unit for the role you need. Nothing was changed."
    return _problem(request, 403, "You do not have access to do that", text)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    text = "The address is wrong, or what it names belongs to a business unit that you are not in."
    return _problem(request, 404, "There is no such page", text)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    text = (
        "The page was open for too long, or cookies are off. Go back, load it again and repeat what you did."
    )
    return _problem(request, 403, "This form has expired", text)


def server_error(request: HttpRequest) -> HttpResponse:
    """Without the request: whatever has failed may fail again."""
    if is_api(request):
        return problem(500, *IN_THE_API[500])
    context = {
        "status": 500,
        "heading": "Something went wrong on our side",
        "text": "It has been written down for the platform team. Try again in a minute.",
    }
    return HttpResponse(render_to_string("portal/problem.html", context), status=500)
