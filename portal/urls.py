from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

from portal import health, views
from portal.identity import api

urlpatterns = [
    path("healthz/", health.live, name="healthz"),
    path("healthz/ready/", health.ready, name="healthz_ready"),
    path("accounts/", include("portal.identity.urls")),
    path("admin/", admin.site.urls),
    path("audit/", views.audit, name="audit"),
    path("api/v1/schema/", login_not_required(SpectacularAPIView.as_view()), name="schema"),
    path("api/v1/me/", api.Me.as_view(), name="api-me"),
    path("api/v1/", include("catalog_app.api")),
    path("api/v1/", include("requests_app.api")),
    path("api/v1/", include("consumer.urls")),
    path("", include("catalog_app.urls")),
    path("", include("requests_app.urls")),
]

handler400 = "portal.views.bad_request"
handler403 = "portal.views.permission_denied"
handler404 = "portal.views.page_not_found"
handler500 = "portal.views.server_error"
