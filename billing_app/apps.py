from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "billing_app"
    verbose_name = "Billing"
