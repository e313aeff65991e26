from collections.abc import Iterable
from functools import cached_property
from typing import Any, Self

from django.db import models
from django.db.models import Case, Q, Value, When
from django.utils.timezone import now

from catalog_app.manifest import EVERY_UNIT, Manifest
from portal.identity.models import BusinessUnit
from portal.identity.roles import Permission


def listed(units: Iterable[str]) -> str:
    """Slugs as one text, in which each can be searched for."""
    return f",{','.join(units)},"


EVERYBODY = listed([EVERY_UNIT])


class ItemQuerySet(models.QuerySet["Item"]):
    def visible_to(self, user: Any) -> Self:
        """Those that the user's business units are or were offered; for an operator all, with the drafts."""
        found = self.filter(current__isnull=False).select_related("current", "replaced_by")
        if user.is_operator:
            return found
        units = BusinessUnit.objects.for_user(user, Permission.REQUEST_VIEW).values_list("slug", flat=True)
        theirs = Q(business_units=EVERYBODY)
        for unit in units:
            theirs |= Q(business_units__contains=listed([unit]))
        return found.filter(theirs).exclude(lifecycle="draft")

    def offered_to(self, user: Any) -> Self:
        """What this person can ask for now, with the version they get; what is retiring comes last."""
        last = Case(When(lifecycle="deprecated", then=Value(1)), default=Value(0))
        return self.visible_to(user).exclude(lifecycle="retired").order_by(last, "title")


class Item(models.Model):
    """One thing that people can ask for. A copy of what the newest item.yaml says of it."""

    slug = models.SlugField(unique=True)
    title = models.CharField(max_length=60)
    summary = models.CharField(max_length=200)
    category = models.CharField(max_length=40)
    icon = models.CharField(max_length=40)
    lifecycle = models.CharField(max_length=20)  # retired, too, when its module is gone
    is_offered = models.BooleanField(default=True)  # to everybody, and not only to operators
    replaced_by = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    business_units = models.TextField(default=EVERYBODY, db_default=EVERYBODY)
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


class CatalogSync(models.Model):
    """One time that the catalog was made equal to the files, or could not be."""

    at = models.DateTimeField(default=now)
    by = models.CharField(max_length=80, blank=True)  # the account that ran it
    commit = models.CharField(max_length=64, blank=True)  # of the files, where they are in git
    items = models.PositiveIntegerField(default=0)
    created = models.JSONField(default=list)  # versions: `postgresql 1.1.0`
    withdrawn = models.JSONField(default=list)  # slugs of items whose module is gone
    problems = models.TextField(blank=True)  # why nothing was changed; empty when it worked

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["-at", "-id"], name="sync_newest")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} UTC"
