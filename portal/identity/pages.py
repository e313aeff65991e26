"""Pages about rights: one's own permissions and tokens, and the people of a business unit."""

from collections.abc import Mapping
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.timezone import now
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST

from portal.errors import InvalidInput
from portal.http import SignedIn
from portal.identity import people, tokens, why
from portal.identity.forms import AddForm, RoleForm, TokenForm
from portal.identity.models import BusinessUnit, Membership
from portal.identity.roles import OPERATORS, Permission

PER_PAGE = 25


def permissions_page(request: SignedIn) -> HttpResponse:
    context = {
        "rights": why.everywhere(request.user),
        "everywhere": [each.label for each in Permission if each in OPERATORS]
        if request.user.is_operator
        else [],
    }
    return render(request, "portal/account_permissions.html", context)


@sensitive_variables("plain")
def tokens_page(request: SignedIn) -> HttpResponse:
    """The answer to the form is the only place that ever shows the token: no redirect, so that nothing keeps it."""
    form = TokenForm.of(request.user, request.POST if request.method == "POST" else None)
    made, plain, status = None, "", 200
    if request.method == "POST":
        try:
            if form.is_valid():
                made, plain = tokens.create(actor=request.user, owner=request.user, **form.wanted())
                form = TokenForm.of(request.user)
        except InvalidInput as error:
            form.refuse(error)
        status = 200 if made else 400
    rows = request.user.api_tokens.select_related("business_unit")
    context = {"form": form, "made": made, "plain": plain, "tokens": rows}
    return render(request, "portal/account_tokens.html", context, status=status)


@require_POST
def token_revoke(request: SignedIn, pk: UUID) -> HttpResponse:
    token = get_object_or_404(request.user.api_tokens, pk=pk)
    tokens.revoke(token, actor=request.user)
    messages.success(request, f"The token {token.name} was revoked.")
    return redirect("account_tokens")


def units_page(request: SignedIn) -> HttpResponse:
    """Those whose people this person manages; straight to the only one."""
    units = BusinessUnit.objects.for_user(request.user, Permission.MEMBERSHIP_MANAGE)
    ended = Q(memberships__expires_at__lte=now())
    units = units.annotate(people=Count("memberships__user", filter=~ended, distinct=True))
    if len(units) == 1:
        return redirect("unit_people", units[0].slug)
    return render(request, "portal/units.html", {"nav": "people", "units": units})


def unit_people(request: SignedIn, slug: str) -> HttpResponse:
    unit = _managed(request, slug)
    form = AddForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            person = form.person()
            people.grant(
                actor=request.user, user=person, business_unit=unit, role=form.cleaned_data["role"],
                expires_at=form.ends(),
            )  # fmt: skip
        except InvalidInput as error:
            form.refuse(error)
        else:
            messages.success(request, f"{person} has the role now.")
            return _back(request, unit)
    return _people(request, unit, form, refused=request.method == "POST")


@require_POST
def unit_person(request: SignedIn, slug: str, pk: int) -> HttpResponse:
    """Another role or another end."""
    unit = _managed(request, slug)
    membership = _row(unit, pk)
    form = RoleForm(request.POST, of=membership)
    try:
        if form.is_valid():
            people.change(
                membership, actor=request.user, role=form.cleaned_data["role"], expires_at=form.ends()
            )
            messages.success(request, f"The role of {membership.user} was changed.")
            return _back(request, unit)
    except InvalidInput as error:
        form.refuse(error)
    return _people(request, unit, AddForm(), refused=True, wrong={pk: form})


@require_POST
def unit_person_remove(request: SignedIn, slug: str, pk: int) -> HttpResponse:
    unit = _managed(request, slug)
    membership = _row(unit, pk)
    people.withdraw(membership, actor=request.user)
    messages.success(request, f"{membership.user} does not have the role any more.")
    return _back(request, unit)


def _back(request: SignedIn, unit: BusinessUnit) -> HttpResponse:
    """To the page of the list that the form stood on."""
    query = f"?{request.GET.urlencode()}" if request.GET else ""
    return redirect(reverse("unit_people", args=[unit.slug]) + query)


def _managed(request: SignedIn, slug: str) -> BusinessUnit:
    units = BusinessUnit.objects.for_user(request.user, Permission.MEMBERSHIP_MANAGE)
    return get_object_or_404(units, slug=slug)


def _row(unit: BusinessUnit, pk: int) -> Membership:
    return get_object_or_404(unit.memberships.select_related("user"), pk=pk)


def _people(
    request: SignedIn,
    unit: BusinessUnit,
    form: AddForm,
    *,
    refused: bool,
    wrong: Mapping[int, RoleForm] | None = None,
) -> HttpResponse:
    """wrong: a refused form, by its row."""
    rows = unit.memberships.select_related("user", "granted_by").order_by(
        "user__last_name", "user__first_name", "user__username", "role"
    )
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    forms = {row.pk: RoleForm(of=row) for row in page if _may_change(request, row)} | dict(wrong or {})
    context = {
        "nav": "people",
        "unit": unit,
        "form": form,
        "page": page,
        "rows": [(row, forms.get(row.pk)) for row in page],
    }
    return render(request, "portal/unit_people.html", context, status=400 if refused else 200)


def _may_change(request: SignedIn, row: Membership) -> bool:
    return row.origin == Membership.Origin.MANUAL and row.user_id != request.user.pk
