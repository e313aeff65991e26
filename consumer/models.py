from django.db import models

from requests_app.models import Deployment


class StateVersion(models.Model):
    """One version of a deployment's Terraform state, encrypted. Never changed."""

    deployment = models.ForeignKey(Deployment, on_delete=models.PROTECT, related_name="state_versions")
    run_key = models.CharField(max_length=40)
    serial = models.BigIntegerField()  # Terraform's own count
    body = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["deployment", "-id"], name="state_newest")]

    def __str__(self) -> str:
        return f"{self.deployment_id} serial {self.serial}"


class StateLock(models.Model):
    """Who may write the state of a deployment now."""

    deployment = models.OneToOneField(
        Deployment, primary_key=True, on_delete=models.PROTECT, related_name="+"
    )
    lock_id = models.CharField(max_length=80)
    run_key = models.CharField(max_length=40)
    info = models.JSONField()  # as Terraform sent it, to be shown to others who want the lock
    since = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.deployment_id} by {self.run_key}"
