from django.contrib import admin

from billing_app.models import Price
from portal.admin import LookOnly


@admin.register(Price)
class PriceAdmin(LookOnly):
    list_display = ["key", "region", "price", "currency", "unit", "tier_minimum", "source", "as_of"]
    list_filter = ["region", "currency", "source"]
    search_fields = ["key", "meter"]
