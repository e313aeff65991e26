"""Accounts, business units and tokens for the platform team. Roles are given on the page People, not here."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.debug import sensitive_variables

from portal import audit
from portal.admin import ByOperators, BySuperusers, LookOnly, Recorded
from portal.errors import InvalidInput
from portal.identity import tokens
from portal.identity.forms import TokenForm
from portal.identity.models import (
    ApiToken,
    BusinessUnit,
    EntraMapping,
    LandingZone,
    Membership,
    ServiceAccount,
    Session,
    User,
)


class MembershipInline(ByOperators, admin.TabularInline):
    """To look at: who may give roles, and what is written down about it, is in people.py."""

    model = Membership
    fk_name = "user"
    fields = readonly_fields = ("business_unit", "role", "origin", "granted_by", "expires_at")
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class OneTimePasswordForm(AdminPasswordChangeForm):
    """Whoever gives somebody a password knows it, so it can only be replaced."""

    def save(self, commit: bool = True) -> User:
        user: User = super().save(commit=False)
        if user.has_usable_password():
            user.set_one_time_password(self.cleaned_data["password1"])
        user.save()
        return user


@admin.register(User)
class UserAdmin(BySuperusers, Recorded, DjangoUserAdmin):
    list_display = ["username", "first_name", "last_name", "auth_source", "is_active", "is_staff"]
    list_filter = ["auth_source", "is_active", "is_staff"]
    inlines = [MembershipInline]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        ("Person", {"fields": ["first_name", "last_name", "email"]}),
        ("Rights", {"fields": ["is_active", "is_staff", "is_superuser"]}),
        ("Sign-in", {"fields": ["auth_source", "entra_tid", "entra_oid", "claims_synced_at", "last_login"]}),
    ]
    filter_horizontal = ()
    actions = ["end_sessions"]
    change_password_form = OneTimePasswordForm
    fixed = ("auth_source", "entra_tid", "entra_oid", "claims_synced_at", "last_login")
    from_entra = ("username", "first_name", "last_name", "email", "is_staff", "is_superuser")

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Nobody changes their own rights, and a machine has none on the platform."""
        if obj is None:
            return ()
        if obj.pk == request.user.pk:
            return (*self.fixed, "is_active", "is_staff", "is_superuser")
        if obj.auth_source == User.Source.ENTRA:
            return (*self.fixed, *self.from_entra)  # the next renewal would undo a change
        is_machine = obj.auth_source == User.Source.SERVICE
        return (*self.fixed, "is_staff", "is_superuser") if is_machine else self.fixed

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # the audit trail names them: close the account instead

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        account = self.get_object(request, id)
        if account is None or not account.is_local:
            raise PermissionDenied
        return super().user_change_password(request, id, form_url)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if not change and obj.has_usable_password():
            obj.set_one_time_password(form.cleaned_data["password1"])
        super().save_model(request, obj, form, change)
        if not obj.is_active:
            Session.objects.filter(user=obj).delete()

    @admin.action(description="End all sessions", permissions=["view"])
    def end_sessions(self, request: Any, chosen: QuerySet[User]) -> None:
        ended, _ = Session.objects.filter(user__in=chosen).delete()
        for user in chosen:
            audit.record("identity.end_sessions", f"account {user.username}"[:80], actor=request.user)
        self.message_user(request, f"{ended} session{'' if ended == 1 else 's'} ended.", messages.SUCCESS)


# allauth's page would let somebody move a second factor to another account; its addresses mean nothing here.
admin.site.unregister(Authenticator)
admin.site.unregister(EmailAddress)


@admin.register(Authenticator)
class AuthenticatorAdmin(LookOnly):
    """Who has which second factor, and not what it is."""

    list_display = ["user", "type", "created_at", "last_used_at"]
    list_select_related = ["user"]
    fields = ["user", "type", "created_at", "last_used_at"]


@admin.register(ServiceAccount)
class ServiceAccountAdmin(ByOperators, Recorded):
    """Accounts of machines. An administrator of a business unit gives them a role, the page API tokens a token."""

    list_display = ["username", "first_name", "is_active", "entra_oid"]
    list_filter = ["is_active"]
    search_fields = ["username", "first_name"]
    fields = ["username", "first_name", "is_active", "entra_tid", "entra_oid"]
    inlines = [MembershipInline]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field and db_field.name == "first_name":
            field.label, field.help_text = "What it does", "Shown where the name of a person would be."
        return field

    def save_model(self, request: HttpRequest, obj: ServiceAccount, form: Any, change: bool) -> None:
        if not change:
            obj.auth_source = User.Source.SERVICE
            obj.set_unusable_password()
        super().save_model(request, obj, form, change)


class LandingZoneInline(ByOperators, admin.StackedInline):
    model = LandingZone
    extra = 0


@admin.register(BusinessUnit)
class BusinessUnitAdmin(ByOperators, Recorded):
    list_display = ["name", "slug", "cost_center", "is_active"]
    search_fields = ["name", "slug", "cost_center"]
    inlines = [LandingZoneInline]


class EntraMappingAdmin(BySuperusers, Recorded):
    list_display = ["source", "business_unit", "role", "grants_staff"]
    list_filter = ["role", "grants_staff", "business_unit"]
    list_select_related = ["business_unit"]
    search_fields = ["group_oid", "app_role", "business_unit__name"]

    @admin.display(description="Group or app role", ordering="app_role")
    def source(self, mapping: EntraMapping) -> str:
        return str(mapping)


if settings.ENTRA:
    admin.site.register(EntraMapping, EntraMappingAdmin)


class MachineTokenForm(TokenForm):
    owner = forms.ModelChoiceField(ServiceAccount.objects.filter(is_active=True), label="Service account")
    field_order = ["owner"]


@admin.register(ApiToken)
class ApiTokenAdmin(LookOnly):
    """All tokens, to look at and to revoke. New ones are made here for service accounts only."""

    list_display = ["name", "hint", "user", "business_unit", "expires_at", "last_used_at", "revoked_at"]
    list_select_related = ["user", "business_unit"]
    search_fields = ["name", "hint", "user__username"]
    exclude = ["digest"]
    actions = ["revoke"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_module_permission(request)

    @sensitive_variables("plain")
    def add_view(self, request: Any, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """The answer shows the token, this once. No redirect: a message would be kept in the session."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        given = request.POST if request.method == "POST" else None
        form = MachineTokenForm(given, units=BusinessUnit.objects.all(), most=tokens.SERVICE_MAX_DAYS)
        made, plain = None, ""
        try:
            if form.is_valid():
                made, plain = tokens.create(actor=request.user, **form.wanted())
        except InvalidInput as error:
            form.refuse(error)
        context = {
            **self.admin_site.each_context(request),
            "title": "New token of a service account", "opts": self.opts, "form": form, "made": made, "plain": plain,
        }  # fmt: skip
        return TemplateResponse(request, "admin/token_add.html", context)

    @admin.action(description="Revoke the selected tokens")
    def revoke(self, request: Any, chosen: QuerySet[ApiToken]) -> None:
        for token in chosen.select_related("user", "business_unit"):
            tokens.revoke(token, actor=request.user)
        self.message_user(request, "The selected tokens open nothing any more.", messages.SUCCESS)
