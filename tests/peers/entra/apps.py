from django.apps import AppConfig


class EntraConfig(AppConfig):
    name = "tests.peers.entra"
    label = "entra"
