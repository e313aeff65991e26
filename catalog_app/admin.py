from collections.abc import Sequence

from django.contrib import admin
from django.urls import reverse
from django.utils.safestring import SafeString

from catalog_app.models import CatalogSync, Item, ItemVersion
from portal.admin import LookOnly
from portal.admin_site import Block, Card
from portal.templatetags.ui import age, state_badge

LONGEST_NOTE = 120


class VersionInline(admin.TabularInline):
    model = ItemVersion
    fields = readonly_fields = ("version", "digest", "created_at")
    show_change_link = True
    can_delete = False
    extra = 0


@admin.register(Item)
class ItemAdmin(LookOnly):
    list_display = ["title", "slug", "category", "shown_lifecycle", "replaced_by", "current", "digest"]
    list_filter = ["lifecycle", "category"]
    list_select_related = ["current__item", "replaced_by"]
    search_fields = ["slug", "title", "summary"]
    inlines = [VersionInline]

    @admin.display(description="Lifecycle", ordering="lifecycle")
    def shown_lifecycle(self, row: Item) -> SafeString:
        return state_badge(row.lifecycle)

    @admin.display(description="Digest")
    def digest(self, row: Item) -> str:
        return row.current.digest[:12] if row.current else ""


@admin.register(ItemVersion)
class ItemVersionAdmin(LookOnly):
    list_display = ["item", "version", "digest", "created_at"]
    list_filter = ["item"]
    list_select_related = ["item"]
    search_fields = ["item__slug", "version", "digest"]
    fields = ["item", "version", "digest", "created_at", "manifest", "schema", "server_checks", "files"]


@admin.register(CatalogSync)
class CatalogSyncAdmin(LookOnly):
    list_display = ["at", "by", "commit", "items", "what_changed"]
    fields = ["at", "by", "commit", "items", "created", "withdrawn", "problems"]
    date_hierarchy = "at"
    show_full_result_count = False

    @admin.display(description="What changed")
    def what_changed(self, row: CatalogSync) -> str:
        return _in_words(row)

    def cards(self) -> Sequence[Card]:
        last = CatalogSync.objects.first()
        if last is None:
            return [Card("Catalog sync", "Never", "The catalog is empty", "refresh-cw", tone="warn")]
        note = " · ".join(filter(None, [last.commit, _in_words(last)]))[:LONGEST_NOTE]
        url = reverse("admin:catalog_app_catalogsync_changelist")
        tone = "bad" if last.problems else ""
        return [Card("Catalog sync", f"{age(last.at)} ago", note, "refresh-cw", url, tone)]

    def blocks(self) -> Sequence[Block]:
        return []


def _in_words(row: CatalogSync) -> str:
    if row.problems:
        return f"Failed: {row.problems}"
    parts = [
        *(f"new: {version}" for version in row.created),
        *(f"withdrawn: {slug}" for slug in row.withdrawn),
    ]
    return ", ".join(parts) or "Nothing"
