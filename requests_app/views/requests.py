"""Service requests: the lists, the page of one, and the steps that people take."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.timezone import now
from django.views.decorators.http import require_POST

from billing_app import services as billing
from billing_app.services import Standing
from catalog_app.versions import Difference, difference
from portal.errors import InvalidInput
from portal.http import SignedIn
from portal.models import Event
from portal.ports import Entry
from requests_app import approval, services, timeline
from requests_app.describe import Change, changes, parameters
from requests_app.filters import ApprovalFilter, RequestFilter
from requests_app.models import ServiceRequest, ServiceRequestQuerySet
from requests_app.states import STEPS, State

PER_PAGE = 25
SORTS = {"submitted_at", "-submitted_at", "monthly_cost", "-monthly_cost"}
# The catalog's files are large and no list shows them.
LARGE = tuple(f"item_version__{name}" for name in ("files", "schema", "manifest", "server_checks"))
MOST_LINES = 5000
QUIET_AFTER = 120  # seconds without a line, after which the page asks less often
SOON, LATER = "1s", "5s"
DONE = {
    "approve": "{ref} was approved.",
    "reject": "{ref} was rejected.",
    "cancel": "{ref} was cancelled.",
    "retry": "{ref} is tried again.",
    "stop": "{ref} was asked to stop.",
}


def request_list(request: SignedIn) -> HttpResponse:
    visible = ServiceRequest.objects.visible_to(request.user).with_names().defer(*LARGE)
    rows = RequestFilter(request.GET, queryset=visible.order_by("-submitted_at", "-pk"), request=request)
    page = Paginator(rows.qs, PER_PAGE).get_page(request.GET.get("page"))
    context = {"nav": "requests", "filter": rows, "page": page}
    part = "requests_app/parts/request_rows.html"
    return render(request, part if request.htmx else "requests_app/requests.html", context)


def approvals(request: SignedIn) -> HttpResponse:
    context = {"nav": "approvals", **_queue(request)}
    part = "requests_app/parts/queue.html"
    return render(request, part if request.htmx else "requests_app/approvals.html", context)


def _queue(request: SignedIn) -> dict[str, Any]:
    mine = ServiceRequest.objects.in_charge(request.user)
    waiting, decided = mine.filter(state=State.SUBMITTED), mine.filter(decided_at__isnull=False)
    tab = "decided" if request.GET.get("tab") == "decided" else "waiting"
    sort = request.GET.get("sort", "")
    if sort not in SORTS:
        sort = "submitted_at" if tab == "waiting" else "-submitted_at"
    shown = (waiting if tab == "waiting" else decided).with_names().defer(*LARGE)
    rows = ApprovalFilter(request.GET, queryset=shown.order_by(sort, "pk"), request=request)
    page = Paginator(rows.qs, PER_PAGE).get_page(request.GET.get("page"))
    return {
        "tab": tab,
        "sort": sort,
        "filter": rows,
        "page": page,
        "rows": [(row, services.steps_for(row, request.user)) for row in page],
        "count": {"waiting": waiting.count(), "decided": decided.count()},
    }


def request_page(request: SignedIn, pk: int) -> HttpResponse:
    service_request = get_object_or_404(_visible(request), pk=pk)
    return render(request, "requests_app/request.html", _whole(request, service_request))


def request_progress(request: SignedIn, pk: int) -> HttpResponse:
    """The lines after ?after=N, and whatever else has changed since ?seen=…"""
    service_request = get_object_or_404(_visible(request), pk=pk)
    after, seen = request.GET.get("after", ""), request.GET.get("seen", "")
    # Another attempt has another log, which begins at its first line.
    same_log = seen.split(".")[1:2] == [str(service_request.attempt)] and after.isdecimal()
    context = _whole(request, service_request, after=int(after) if same_log else 0)
    context["changed"] = context["mark"] != seen
    return render(request, "requests_app/parts/progress.html", context)


def request_permissions(request: SignedIn, pk: int) -> HttpResponse:
    """What this person may do with it now, and why or why not."""
    service_request = get_object_or_404(_visible(request), pk=pk)
    context = {
        "nav": "requests",
        "service_request": service_request,
        "answers": approval.explain(request.user, service_request),
    }
    return render(request, "requests_app/request_permissions.html", context)


@require_POST
def request_step(request: SignedIn, pk: int, step: str) -> HttpResponse:
    service_request = get_object_or_404(_visible(request), pk=pk)
    try:
        _take(step, service_request, request)
    except InvalidInput as error:
        context = {**_whole(request, service_request), "refused": error, "note": request.POST.get("note", "")}
        return render(request, "requests_app/request.html", context, status=error.status)
    messages.success(request, DONE[step].format(ref=service_request.ref))
    return redirect(_back(request) or service_request)


def _take(step: str, service_request: ServiceRequest, request: SignedIn) -> None:
    note = request.POST.get("note", "").strip()
    if step == "approve":
        services.approve(service_request, actor=request.user, note=note)
    elif step == "reject":
        services.reject(service_request, actor=request.user, reason=note)
    elif step in STEPS:
        getattr(services, step)(service_request, actor=request.user)
    else:
        raise Http404


def _back(request: SignedIn) -> str:
    """Where the person came from, if that is a page of ours."""
    address = request.POST.get("next", "")
    hosts = {request.get_host()}
    return (
        address if url_has_allowed_host_and_scheme(address, hosts, require_https=request.is_secure()) else ""
    )


def _visible(request: SignedIn) -> ServiceRequestQuerySet:
    return ServiceRequest.objects.visible_to(request.user).with_names()


def _whole(request: SignedIn, service_request: ServiceRequest, after: int = 0) -> dict[str, Any]:
    lines = services.entries(service_request, after=after, limit=MOST_LINES)
    phase = services.phase(service_request)
    steps = services.steps_for(service_request, request.user)
    last = lines[-1].sequence if lines else after
    version = service_request.item_version
    return {
        "nav": "requests",
        "service_request": service_request,
        "steps": steps,
        "timeline": timeline.steps(service_request, phase, _last_phase(service_request, lines, after)),
        "lines": lines,
        "after": after,
        "last": last,
        "mark": f"{service_request.state}.{service_request.attempt}.{phase}",
        "poll": _poll(service_request, lines, after),
        "parameters": parameters(version, service_request.parameters),
        "changes": _changes(service_request),
        "hint": version.parsed.approval.hint,
        "upgrade": _upgrade(service_request),
        "planned": service_request.plan.get("resources", []),
        "standing": _standing(service_request),
        "trial": [finding for stage in service_request.trial.values() for finding in stage],
        "history": Event.objects.about(service_request.ref).order_by("sequence"),
    }


def _standing(service_request: ServiceRequest) -> Standing | None:
    """Of the budget, with this request in what is asked for; of no interest when it is over."""
    if not service_request.is_open:
        return None
    return billing.standing(service_request.business_unit, service_request.environment)


def _changes(service_request: ServiceRequest) -> list[Change]:
    return changes(service_request.item_version, service_request.changes)


def _upgrade(service_request: ServiceRequest) -> Difference | None:
    """What the newer version brings, for the approver."""
    if not service_request.upgrade_from:
        return None
    before = service_request.item.versions.filter(version=service_request.upgrade_from).first()
    return difference(before, service_request.item_version) if before else None


def _last_phase(service_request: ServiceRequest, lines: Any, after: int) -> str:
    """Of the newest line: where a run was when it ended."""
    known: list[Entry] = list(lines) or list(
        services.entries(service_request, after=max(0, after - 1), limit=1)
    )
    return known[-1].phase if known else ""


def _poll(service_request: ServiceRequest, lines: Any, after: int) -> str:
    """How soon the page asks again; empty when there is nothing more to come."""
    if not service_request.is_open:
        return ""
    if service_request.state == State.SUBMITTED:
        return LATER
    newest = lines[-1].at if lines else None
    known = newest or service_request.started_at or service_request.decided_at or now()
    return LATER if not lines and (now() - known).total_seconds() > QUIET_AFTER else SOON
