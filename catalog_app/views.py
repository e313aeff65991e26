"""The catalog: what can be asked for."""

from collections.abc import Iterable
from itertools import groupby
from pathlib import PurePath
from typing import Any

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render

from catalog_app import policy, services
from catalog_app.explain import in_plain_words
from catalog_app.models import Item
from catalog_app.problems import CatalogProblems
from catalog_app.rules import Rule, RuleSet
from portal.http import SignedIn


def catalog(request: SignedIn) -> HttpResponse:
    words, category = request.GET.get("q", "").strip(), request.GET.get("category", "")
    offered = Item.objects.offered_to(request.user).defer(
        "current__files", "current__schema", "current__server_checks"
    )
    categories = sorted(set(offered.values_list("category", flat=True).order_by()))
    items = offered.filter(category=category) if category else offered
    if words:
        items = items.filter(
            Q(title__icontains=words) | Q(summary__icontains=words) | Q(slug__icontains=words)
        )
    context = {
        "nav": "catalog",
        "items": items,
        "words": words,
        "category": category,
        "categories": [(name, name.capitalize()) for name in categories],
    }
    part = "catalog_app/parts/results.html"
    return render(request, part if request.htmx else "catalog_app/catalog.html", context)


def item_page(request: SignedIn, slug: str) -> HttpResponse:
    """Also of a retired item: deployments lead here, and it names what takes its place."""
    item = get_object_or_404(Item.objects.visible_to(request.user), slug=slug)
    assert item.current  # visible
    context = {
        "nav": "catalog",
        "item": item,
        "manifest": item.current.parsed,
        "sections": services.form_fields(item.current),
    }
    return render(request, "catalog_app/item.html", context)


def policies(request: SignedIn) -> HttpResponse:
    """Every rule that counts, in plain words; those that are only tried out are for the platform team."""
    problem = False
    try:
        rules = policy.active_rules()
    except CatalogProblems:
        rules, problem = RuleSet(), True
    shown = [rule for rule in rules.rules if rule.text.mode == "enforce" or request.user.is_operator]
    context = {"nav": "policies", "groups": _groups(shown, rules), "problem": problem}
    return render(request, "catalog_app/policies.html", context)


def _groups(shown: Iterable[Rule], rules: RuleSet) -> list[tuple[str, list[dict[str, Any]]]]:
    """By the file that they are in."""
    context = rules.context()
    return [
        (
            PurePath(file).stem.replace("-", " ").capitalize(),
            [{"rule": rule, "message": in_plain_words(rule, context)} for rule in group],
        )
        for file, group in groupby(shown, key=lambda rule: rule.file)
    ]
