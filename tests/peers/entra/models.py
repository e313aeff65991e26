from django.contrib.auth.models import AbstractUser
from django.db import models


class Person(AbstractUser):
    oid = models.UUIDField(unique=True)
    app_roles = models.JSONField(default=list)
    groups = models.JSONField(default=list)  # as Graph would tell
    is_guest = models.BooleanField(default=False)
