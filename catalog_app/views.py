"""The catalog: what can be asked for."""

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render

from catalog_app import services
from catalog_app.models import Item
from portal.http import SignedIn


def catalog(request: SignedIn) -> HttpResponse:
    words, category = request.GET.get("q", "").strip(), request.GET.get("category", "")
    offered = Item.objects.offered().defer("current__files", "current__schema", "current__server_checks")
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
    item = get_object_or_404(Item.objects.offered(), slug=slug)
    assert item.current  # offered
    context = {
        "nav": "catalog",
        "item": item,
        "manifest": item.current.parsed,
        "sections": services.form_fields(item.current),
    }
    return render(request, "catalog_app/item.html", context)
