"""Where Entra ID sends browsers back to. Only with a tenant, under the names that mozilla-django-oidc looks for."""

from django.urls import path

from portal.identity import oidc

urlpatterns = [
    path("authenticate/", oidc.SignIn.as_view(), name="oidc_authentication_init"),
    path("callback/", oidc.Callback.as_view(), name="oidc_authentication_callback"),
    path("frontchannel-logout", oidc.frontchannel_logout, name="oidc_frontchannel_logout"),
]
