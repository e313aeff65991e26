from functools import cached_property

from django.db import models

from catalog_app.manifest import Manifest


class ItemQuerySet(models.QuerySet["Item"]):
    def offered(self) -> "ItemQuerySet":
        """What people can ask for now, with the version they get."""
        return self.filter(is_offered=True, current__isnull=False).select_related("current").order_by("title")


class Item(models.Model):
    """One thing that people can ask for. A copy of what the newest item.yaml says of it."""

    slug = models.SlugField(unique=True)
    title = models.CharField(max_length=60)
    summary = models.CharField(max_length=200)
    category = models.CharField(max_length=40)
    icon = models.CharField(max_length=40)
    lifecycle = models.CharField(max_length=20)
    is_offered = models.BooleanField(default=True)
    # What a new request gets. Deployments keep the version they were made with.
    current = models.ForeignKey(
        "ItemVersion", on_delete=models.PROTECT, null=True, blank=True, related_name="current_of"
    )

    objects = ItemQuerySet.as_manager()

    class Meta:
        ordering = ["title"]

    def __str__(self) -> str:
        return self.title


class ItemVersion(models.Model):
    """One state of a module and its manifest. Written by the sync of the catalog, and never changed."""

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="versions")
    version = models.CharField(max_length=40)
    # SHA-256 over the files; the worker checks it before it runs them.
    digest = models.CharField(max_length=64)
    manifest = models.JSONField()
    # Made from variables.tf: all variables of the module, and what only Terraform can check.
    schema = models.JSONField()
    server_checks = models.JSONField(default=list)
    # {path: text} of what is needed to run the module, so that old deployments can be changed and destroyed.
    files = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["item", "-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["item", "version"], name="item_version_is_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.item.slug} {self.version}"

    @cached_property
    def parsed(self) -> Manifest:
        return Manifest.model_validate(self.manifest)
