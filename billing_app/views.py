"""The page of the budgets."""

from django.http import HttpResponse
from django.shortcuts import render

from billing_app import budgets
from portal.http import SignedIn


def budget_list(request: SignedIn) -> HttpResponse:
    context = {"nav": "budgets", "overviews": budgets.overviews(request.user)}
    return render(request, "billing_app/budgets.html", context)
