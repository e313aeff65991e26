"""The form of a new request, and the panel beside it."""

import json
from functools import partial

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from catalog_app.models import Item
from portal.errors import InvalidInput, PolicyRefused, WrongState
from portal.http import SignedIn
from requests_app import panel, services
from requests_app.forms import RequestForm
from requests_app.item_form import ItemForm

ONLY_LOOK = "look"  # the button that shows the form again for what is in it, where there is no script


def request_new(request: SignedIn, slug: str) -> HttpResponse:
    item = _requestable(request, slug)
    assert item.current  # visible
    form = RequestForm(item.current, request.user, request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST" and ONLY_LOOK not in request.POST:
        try:
            form.check_readable()
            service_request = services.submit(requester=request.user, item=slug, **form.wanted())
        except (InvalidInput, PolicyRefused) as error:
            form.refuse(error)
            status = error.status
        else:
            messages.success(request, f"{service_request.ref} was submitted.")
            return redirect(service_request)
    ask = partial(services.preview, requester=request.user, item=slug)
    context = {"nav": "catalog", "item": item, "form": form, "panel": panel.look(form, ask)}
    return render(request, "requests_app/request_new.html", context, status=status)


@require_POST
def request_check(request: SignedIn, slug: str) -> HttpResponse:
    """The panel for what is in the form now; changes nothing."""
    item = _requestable(request, slug)
    assert item.current  # visible
    form = RequestForm(item.current, request.user, request.POST)
    ask = partial(services.preview, requester=request.user, item=slug)
    return panel_answer(request, form, panel.look(form, ask))


def _requestable(request: SignedIn, slug: str) -> Item:
    item = get_object_or_404(Item.objects.visible_to(request.user), slug=slug)
    if item.lifecycle == "retired":
        instead = f" Use {item.replaced_by} for new work." if item.replaced_by else ""
        raise WrongState(f"{item} is retired and takes no new requests.{instead}")
    return item


def panel_answer(request: SignedIn, form: ItemForm, looked: panel.Panel) -> HttpResponse:
    context = {"panel": looked, "form": form, "live": True}
    response = render(request, "requests_app/parts/panel.html", context)
    response.headers["HX-Trigger"] = json.dumps({"fields": form.as_event()})
    return response
