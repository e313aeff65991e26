from django.apps import AppConfig
from django.contrib.admin import apps as admin


class PortalConfig(AppConfig):
    name = "portal"
    default = True


class GroundworkAdminConfig(admin.AdminConfig):
    """Django's own admin, with our site."""

    default = False
    default_site = "portal.admin_site.GroundworkAdminSite"
