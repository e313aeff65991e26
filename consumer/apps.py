from django.apps import AppConfig


class ConsumerConfig(AppConfig):
    name = "consumer"
    verbose_name = "Terraform states"
