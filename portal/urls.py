from django.conf import settings
from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

from portal import health, views
from portal.identity import api, pages

urlpatterns = [
    path("healthz/", health.live, name="healthz"),
    path("healthz/ready/", health.ready, name="healthz_ready"),
    path("accounts/", include("portal.identity.urls")),
    *([path("oidc/", include("portal.identity.entra_urls"))] if settings.ENTRA else []),
    path("account/permissions/", pages.permissions_page, name="account_permissions"),
    path("account/tokens/", pages.tokens_page, name="account_tokens"),
    path("account/tokens/<uuid:pk>/revoke/", pages.token_revoke, name="account_token_revoke"),
    path("units/", pages.units_page, name="units"),
    path("units/<slug:slug>/people/", pages.unit_people, name="unit_people"),
    path("units/<slug:slug>/people/<int:pk>/", pages.unit_person, name="unit_person"),
    path("units/<slug:slug>/people/<int:pk>/remove/", pages.unit_person_remove, name="unit_person_remove"),
    path("admin/", admin.site.urls),
    path("audit/", views.audit, name="audit"),
    path("api/v1/schema/", login_not_required(SpectacularAPIView.as_view()), name="schema"),
    path("api/v1/me/", api.Me.as_view(), name="api-me"),
    path("api/v1/me/permissions/", api.MyPermissions.as_view(), name="api-me-permissions"),
    path("api/v1/", include("portal.webhooks.api")),
    path("api/v1/", include("catalog_app.api")),
    path("api/v1/", include("billing_app.api")),
    path("api/v1/", include("requests_app.api")),
    path("api/v1/", include("consumer.urls")),
    path("", include("catalog_app.urls")),
    path("", include("billing_app.urls")),
    path("", include("requests_app.urls")),
]

handler400 = "portal.views.bad_request"
handler403 = "portal.views.permission_denied"
handler404 = "portal.views.page_not_found"
handler500 = "portal.views.server_error"
