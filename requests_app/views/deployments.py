"""Deployments: what the business units run, and the forms that change and remove it."""

from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from catalog_app import services as catalog
from catalog_app.models import ItemVersion
from portal.errors import InvalidInput, NotAllowed, PolicyRefused, WrongState
from portal.http import SignedIn
from requests_app import panel, services
from requests_app.describe import in_words, parameters
from requests_app.filters import DeploymentFilter
from requests_app.forms import ChangeForm, DestroyForm
from requests_app.models import Deployment, DeploymentQuerySet
from requests_app.states import Kind
from requests_app.views.asking import panel_answer
from requests_app.views.requests import LARGE, PER_PAGE

MOST_HISTORY = 25


def deployment_list(request: SignedIn) -> HttpResponse:
    rows = DeploymentFilter(
        request.GET, queryset=_visible(request).defer(*LARGE).order_by("-created_at", "-pk"), request=request
    )
    page = Paginator(rows.qs, PER_PAGE).get_page(request.GET.get("page"))
    context = {"nav": "deployments", "filter": rows, "page": page}
    part = "requests_app/parts/deployment_rows.html"
    return render(request, part if request.htmx else "requests_app/deployments.html", context)


def deployment_page(request: SignedIn, pk: UUID) -> HttpResponse:
    deployment = get_object_or_404(_visible(request), pk=pk)
    version = deployment.item_version
    history = deployment.requests.select_related("requester").order_by("-submitted_at", "-pk")[:MOST_HISTORY]
    context = {
        "nav": "deployments",
        "deployment": deployment,
        "changes": services.changes_for(deployment, request.user),
        "open_request": deployment.open_request,
        "parameters": parameters(version, deployment.parameters),
        "outputs": _outputs(deployment),
        "history": history,
    }
    return render(request, "requests_app/deployment.html", context)


def deployment_change(request: SignedIn, pk: UUID) -> HttpResponse:
    deployment = _changeable(request, pk, Kind.UPDATE)
    form = ChangeForm(_version(deployment), deployment, request.POST if request.method == "POST" else None)
    ask = partial(services.preview_update, requester=request.user, deployment=deployment)
    _hide_pointless(form)
    if request.method == "POST" and request.htmx:
        return panel_answer(request, form, panel.look(form, ask, deployment.monthly_cost))
    status = 200
    if request.method == "POST":
        try:
            form.check_readable()
            asked = services.submit_update(requester=request.user, deployment=deployment, **form.wanted())
        except (InvalidInput, PolicyRefused) as error:
            form.refuse(error)
            status = error.status
        else:
            messages.success(request, f"{asked.ref} was submitted.")
            return redirect(asked)
    looked = panel.look(form, ask, deployment.monthly_cost)
    context = {"nav": "deployments", "deployment": deployment, "form": form, "panel": looked}
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
    return Deployment.objects.visible_to(request.user).with_names().select_related("item__current__item")


def _changeable(request: SignedIn, pk: UUID, kind: Kind) -> Deployment:
    deployment = get_object_or_404(_visible(request), pk=pk)
    if kind in services.changes_for(deployment, request.user):
        return deployment
    if open_request := deployment.open_request:
        raise WrongState(
            f"{deployment.name} has an open request ({open_request.ref}): wait for it, or cancel it."
        )
    if not deployment.is_live:
        raise WrongState(f"{deployment.name} is {deployment.get_state_display().lower()}.")
    raise NotAllowed(
        f"You cannot change {deployment.name}: that is for requesters of {deployment.business_unit}."
    )


def _version(deployment: Deployment) -> ItemVersion:
    """What a change is made with: the newest, as long as the item is offered."""
    offered = deployment.item.current if deployment.item.is_offered else None
    return offered or deployment.item_version


def _hide_pointless(form: ChangeForm) -> None:
    deployment = form.deployment
    values = {**deployment.parameters, **form.parameters()}
    visible = catalog.visible(
        form.version, values, environment=deployment.environment, region=deployment.region
    )
    form.hide_all_but(visible)


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
