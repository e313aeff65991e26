"""Deployments: what the business units run, and the forms that change and remove it."""

from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from catalog_app.manifest import Operation
from catalog_app.versions import Difference, difference
from portal.errors import InvalidInput, NotAllowed, PolicyRefused, PortalError, WrongState
from portal.http import SignedIn
from portal.identity.roles import Permission
from requests_app import changing, lifetime, panel, services
from requests_app.describe import in_words, parameters
from requests_app.filters import DeploymentFilter
from requests_app.forms import ChangeForm, DestroyForm, read_days
from requests_app.models import Deployment, DeploymentQuerySet
from requests_app.states import Kind
from requests_app.views.asking import ONLY_LOOK, panel_answer
from requests_app.views.requests import LARGE, PER_PAGE

MOST_HISTORY = 25
NOT_POSSIBLE = {
    Kind.UPDATE: "The item offers nothing to change of {} here.",
    "upgrade": "There is nothing newer for {}.",
    Kind.DESTROY: "The item does not offer to remove {} here: ask the platform team.",
}


def deployment_list(request: SignedIn) -> HttpResponse:
    rows = DeploymentFilter(
        request.GET, queryset=_visible(request).defer(*LARGE).order_by("-created_at", "-pk"), request=request
    )
    page = Paginator(rows.qs, PER_PAGE).get_page(request.GET.get("page"))
    context = {"nav": "deployments", "filter": rows, "page": page}
    part = "requests_app/parts/deployment_rows.html"
    return render(request, part if request.htmx else "requests_app/deployments.html", context)


def deployment_page(request: SignedIn, pk: UUID) -> HttpResponse:
    deployment = get_object_or_404(_visible(request).select_related("item__replaced_by"), pk=pk)
    return render(request, "requests_app/deployment.html", _whole(request, deployment))


def _whole(request: SignedIn, deployment: Deployment) -> dict[str, Any]:
    version, changes = deployment.item_version, services.changes_for(deployment, request.user)
    history = deployment.requests.select_related("requester").order_by("-submitted_at", "-pk")[:MOST_HISTORY]
    return {
        "nav": "deployments",
        "deployment": deployment,
        "changes": changes,
        "operations": _operations(deployment) if Kind.UPDATE in changes else [],
        "newer": _newer(request, deployment) if deployment.is_live else None,
        "ttl": version.parsed.ttl_in(deployment.environment),
        "open_request": deployment.open_request,
        "failed_removal": deployment.failed_removal,
        "parameters": parameters(version, deployment.parameters),
        "outputs": _outputs(deployment),
        "history": history,
    }


@require_POST
def deployment_extend(request: SignedIn, pk: UUID) -> HttpResponse:
    deployment = get_object_or_404(_visible(request), pk=pk)
    days = request.POST.get("ttl_days", "")
    try:
        lifetime.extend(deployment, actor=request.user, ttl_days=read_days(days))
    except (InvalidInput, PolicyRefused) as error:
        context = {**_whole(request, deployment), "refused": _why(error), "days": days}
        return render(request, "requests_app/deployment.html", context, status=error.status)
    messages.success(request, f"{deployment.name} stays until {deployment.expires_at:%-d %b %Y}.")
    return redirect(deployment)


def deployment_change(request: SignedIn, pk: UUID) -> HttpResponse:
    """Everything that can be changed; ?operation=… the fields of one operation, ?upgrade=1 the newest version."""
    upgrade = request.GET.get("upgrade") == "1"
    deployment = _changeable(request, pk, "upgrade" if upgrade else Kind.UPDATE)
    newest = changing.newer_version(deployment, request.user) if upgrade else None
    operation = _operation(deployment, request.GET.get("operation", "")) if not upgrade else None
    form = ChangeForm(
        newest or deployment.item_version,
        deployment,
        operation=operation,
        data=request.POST if request.method == "POST" else None,
    )
    ask = partial(services.preview_update, requester=request.user, deployment=deployment)
    if request.method == "POST" and request.htmx:
        return panel_answer(request, form, panel.look(form, ask))
    status = 200
    if request.method == "POST" and ONLY_LOOK not in request.POST:
        try:
            form.check_readable()
            asked = services.submit_update(requester=request.user, deployment=deployment, **form.wanted())
        except (InvalidInput, PolicyRefused) as error:
            form.refuse(error)
            status = error.status
        else:
            messages.success(request, f"{asked.ref} was submitted.")
            return redirect(asked)
    context = {
        "nav": "deployments",
        "deployment": deployment,
        "operation": operation,
        "newer": difference(deployment.item_version, newest) if newest else None,
        "form": form,
        "panel": panel.look(form, ask),
    }
    return render(request, "requests_app/deployment_change.html", context, status=status)


def deployment_destroy(request: SignedIn, pk: UUID) -> HttpResponse:
    deployment = _changeable(request, pk, Kind.DESTROY)
    operations = deployment.item_version.parsed.operations_of(Kind.DESTROY, deployment.environment)
    type_name = any(operation.confirm == "type-name" for operation in operations)
    form = DestroyForm(
        deployment, type_name=type_name, data=request.POST if request.method == "POST" else None
    )
    status = 200
    if request.method == "POST":
        try:
            asked = services.submit_destroy(
                requester=request.user, deployment=deployment, justification=form.confirmed()
            )
        except (InvalidInput, PolicyRefused) as error:
            form.refuse(error)
            status = error.status
        else:
            messages.success(request, f"{asked.ref} was submitted.")
            return redirect(asked)
    looked = panel.made(form, services.preview_destroy(requester=request.user, deployment=deployment))
    context = {"nav": "deployments", "deployment": deployment, "form": form, "panel": looked}
    return render(request, "requests_app/deployment_destroy.html", context, status=status)


def _visible(request: SignedIn) -> DeploymentQuerySet:
    return Deployment.objects.visible_to(request.user).with_names()


def _changeable(request: SignedIn, pk: UUID, kind: str) -> Deployment:
    deployment = get_object_or_404(_visible(request), pk=pk)
    if kind in services.changes_for(deployment, request.user):
        return deployment
    if open_request := deployment.open_request:
        raise WrongState(
            f"{deployment.name} has an open request ({open_request.ref}): wait for it, or cancel it."
        )
    if not deployment.is_live:
        raise WrongState(f"{deployment.name} is {deployment.get_state_display().lower()}.")
    if request.user.can(Permission.REQUEST_CREATE, deployment.business_unit_id):
        raise WrongState(NOT_POSSIBLE[kind].format(deployment.name))
    raise NotAllowed(
        f"You cannot change {deployment.name}: that is for requesters of {deployment.business_unit}."
    )


def _operations(deployment: Deployment) -> list[Operation]:
    return deployment.item_version.parsed.operations_of(Kind.UPDATE, deployment.environment)


def _operation(deployment: Deployment, wanted: str) -> Operation | None:
    if not wanted:
        return None
    for operation in _operations(deployment):
        if operation.id == wanted:
            return operation
    raise Http404


def _newer(request: SignedIn, deployment: Deployment) -> Difference | None:
    newest = changing.newer_version(deployment, request.user)
    return difference(deployment.item_version, newest) if newest else None


def _why(error: PortalError) -> str:
    return " ".join(error.problems.values()) or str(error)


def _outputs(deployment: Deployment) -> list[dict[str, Any]]:
    """Those that the item explains, first and in its words."""
    explained = {output.name: output for output in deployment.item_version.parsed.outputs}
    names = [name for name in explained if name in deployment.outputs]
    return [
        {
            "title": explained[name].label,
            "value": (value := in_words(deployment.outputs[name])),
            "is_link": explained[name].role == "link" and value.startswith("https://"),
        }
        for name in names
    ]
