from django.contrib import admin

from consumer.models import StateLock, StateVersion
from portal.admin import LookOnly


@admin.register(StateVersion)
class StateVersionAdmin(LookOnly):
    """Without the body: a state holds secrets."""

    list_display = ["deployment", "serial", "run_key", "created_at"]
    list_select_related = ["deployment"]
    fields = ["deployment", "serial", "run_key", "created_at"]


@admin.register(StateLock)
class StateLockAdmin(LookOnly):
    list_display = ["deployment", "run_key", "since"]
    list_select_related = ["deployment"]
    fields = ["deployment", "run_key", "since"]
