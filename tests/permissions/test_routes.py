"""The table holds every address with every method, and what is not in it does nothing."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

from tests.permissions.table import ENTRIES
from tests.permissions.test_matrix import address
from tests.permissions.world import ACTORS, OWN, leaks

pytestmark = pytest.mark.django_db

METHODS = ("get", "post", "put", "patch", "delete")
# allauth's own: what they do is not a question of roles, and its views have more methods than they use.
ALLAUTH = ("account_", "mfa_")


def patterns(resolver: Any, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for each in resolver.url_patterns:
        if isinstance(each, URLResolver):
            if each.namespace != "admin":
                yield from patterns(each, prefix + str(each.pattern))
        else:
            yield prefix + str(each.pattern), each


ADDRESSES = {pattern.name or path: pattern for path, pattern in patterns(get_resolver())}


def methods_of(pattern: URLPattern) -> set[str]:
    """Those that the view says it has; of a function nothing is known."""
    view: Any = pattern.callback
    if actions := getattr(view, "actions", None):
        return set(actions) & set(METHODS)
    shape = getattr(view, "view_class", None) or getattr(view, "cls", None)
    return {name for name in METHODS if hasattr(shape, name)} if shape else set()


def test_every_address_is_in_the_table():
    known = {entry.route for entry in ENTRIES}

    missing = sorted(set(ADDRESSES) - known)
    assert not missing, f"say in tests/permissions/table.py who may use: {', '.join(missing)}"
    assert not known - set(ADDRESSES), "these are in the table and nowhere else"


def test_every_method_of_the_api_is_in_the_table():
    known = {(entry.route, entry.method) for entry in ENTRIES}

    missing = [
        f"{method} {route}"
        for route, pattern in ADDRESSES.items()
        if not route.startswith(ALLAUTH)
        for method in sorted(methods_of(pattern))
        if (route, method) not in known
    ]
    assert not missing, f"say in tests/permissions/table.py who may: {', '.join(missing)}"


@pytest.mark.parametrize("route", sorted({e.route for e in ENTRIES if not e.route.startswith(ALLAUTH)}))
def test_a_method_that_is_not_in_the_table_changes_nothing(route, world):
    """As the strongest of all: an operator."""
    entries = [entry for entry in ENTRIES if entry.route == route]
    known = {entry.method for entry in entries}

    for method in set(METHODS) - known:
        with CaptureQueriesContext(connection) as queries:
            answer = getattr(world.signed_in("operator"), method)(address(entries[0], world.sides[OWN]))
        written = [each["sql"] for each in queries.captured_queries if is_write(each["sql"])]
        assert answer.status_code < 500
        assert not written, f"{method} {route} writes: {written[0][:200]}"


def is_write(sql: str) -> bool:
    return sql.startswith(("INSERT", "UPDATE", "DELETE")) and "identity_session" not in sql


# ── the admin ───────────────────────────────────────────────────────────────────────────────────────────────


def admin_addresses(world: Any) -> list[str]:
    found = [reverse("admin:index"), reverse("admin:jsi18n"), reverse("admin:autocomplete")]
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        row = model._default_manager.order_by("pk").first()
        found += [reverse(f"{name}_changelist"), reverse(f"{name}_add")]
        if row is not None:
            found += [reverse(f"{name}_{page}", args=[row.pk]) for page in ("change", "delete", "history")]
    for app in apps.get_app_configs():
        try:
            found.append(reverse("admin:app_list", args=[app.label]))
        except NoReverseMatch:
            continue
    return found


def test_nobody_but_operators_opens_a_page_of_the_admin(world):
    pages = admin_addresses(world)
    assert len(pages) > 40

    for page in pages:
        assert Client().get(page).status_code == 302
        for actor in ACTORS:
            if actor.is_operator or actor.is_machine:
                continue
            answer = world.signed_in(actor.name).get(page)
            assert answer.status_code in {302, 403}, f"{actor.name} opens {page}"
            assert not leaks(actor, answer.content.decode())


def test_the_admin_takes_no_token(world):
    for page in admin_addresses(world):
        answer = Client().get(page, headers={"Authorization": f"Bearer {world.tokens['operator']}"})
        assert answer.status_code == 302
