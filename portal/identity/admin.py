from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin

from portal.admin import LookOnly
from portal.identity.models import ApiToken, BusinessUnit, LandingZone, Membership, User


class MembershipInline(admin.TabularInline):
    model = Membership
    fk_name = "user"
    fields = ["business_unit", "role", "expires_at"]
    extra = 0


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    list_display = ["username", "first_name", "last_name", "auth_source", "is_active", "is_staff"]
    list_filter = ["auth_source", "is_active", "is_staff"]
    inlines = [MembershipInline]


class LandingZoneInline(admin.StackedInline):
    model = LandingZone
    extra = 0


@admin.register(BusinessUnit)
class BusinessUnitAdmin(admin.ModelAdmin):
    list_display = ["name", "slug", "cost_center", "is_active"]
    search_fields = ["name", "slug", "cost_center"]
    inlines = [LandingZoneInline]


@admin.register(ApiToken)
class ApiTokenAdmin(LookOnly):
    list_display = [
        "name",
        "hint",
        "user",
        "business_unit",
        "created_at",
        "expires_at",
        "last_used_at",
        "revoked_at",
    ]
    list_select_related = ["user", "business_unit"]
    search_fields = ["name", "hint", "user__username"]
