from django.urls import path

from portal.views import theme
from requests_app.views import asking, deployments, requests, shell

urlpatterns = [
    path("theme/", theme, name="theme"),
    path("search/", shell.search, name="search"),
    path("catalog/<slug:slug>/request/", asking.request_new, name="request_new"),
    path("catalog/<slug:slug>/request/check/", asking.request_check, name="request_check"),
    path("requests/", requests.request_list, name="requests"),
    path("requests/<int:pk>/", requests.request_page, name="request"),
    path("requests/<int:pk>/progress/", requests.request_progress, name="request_progress"),
    path("requests/<int:pk>/permissions/", requests.request_permissions, name="request_permissions"),
    path("requests/<int:pk>/<slug:step>/", requests.request_step, name="request_step"),
    path("approvals/", requests.approvals, name="approvals"),
    path("resources/", deployments.deployment_list, name="deployments"),
    path("resources/<uuid:pk>/", deployments.deployment_page, name="deployment"),
    path("resources/<uuid:pk>/change/", deployments.deployment_change, name="deployment_change"),
    path("resources/<uuid:pk>/extend/", deployments.deployment_extend, name="deployment_extend"),
    path("resources/<uuid:pk>/destroy/", deployments.deployment_destroy, name="deployment_destroy"),
]
