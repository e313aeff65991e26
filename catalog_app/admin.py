from django.contrib import admin

from catalog_app.models import Item, ItemVersion
from portal.admin import LookOnly


class VersionInline(admin.TabularInline):
    model = ItemVersion
    fields = readonly_fields = ("version", "digest", "created_at")
    show_change_link = True
    can_delete = False
    extra = 0


@admin.register(Item)
class ItemAdmin(LookOnly):
    list_display = ["title", "slug", "category", "lifecycle", "is_offered", "current"]
    list_filter = ["is_offered", "category", "lifecycle"]
    list_select_related = ["current__item"]
    search_fields = ["slug", "title", "summary"]
    inlines = [VersionInline]


@admin.register(ItemVersion)
class ItemVersionAdmin(LookOnly):
    list_display = ["item", "version", "digest", "created_at"]
    list_filter = ["item"]
    list_select_related = ["item"]
    search_fields = ["item__slug", "version", "digest"]
    fields = ["item", "version", "digest", "created_at", "manifest", "schema", "server_checks", "files"]
