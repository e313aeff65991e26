from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class PortalConfig(AppConfig):
    name = "portal"
    default = True


class GroundworkAdminConfig(AdminConfig):
    """Django's own admin, with our site."""

    default = False
    default_site = "portal.admin_site.GroundworkAdminSite"
