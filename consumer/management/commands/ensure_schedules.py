from typing import Any

from django.core.management.base import BaseCommand
from django_q.models import Schedule

EVERY_MINUTE = {
    "send approved requests": "requests_app.tasks.enqueue_approved",
    "expire undecided requests": "requests_app.tasks.expire_undecided",
    "remove what has expired": "requests_app.tasks.remove_expired",
    "look after running requests": "consumer.tasks.reconcile",
    "send what webhooks wait for": "portal.webhooks.tasks.deliver",
}
EVERY_HOUR = {
    "tidy up webhooks": "portal.webhooks.tasks.tidy_up",
    "forget old idempotency keys": "portal.idempotency.forget_old",
    "forget sessions that have ended": "portal.identity.sessions.forget_ended",
}
MINUTES = {**dict.fromkeys(EVERY_MINUTE, 1), **dict.fromkeys(EVERY_HOUR, 60)}


class Command(BaseCommand):
    help = "Make the schedules of the background cluster what this release needs. Safe to repeat."

    def handle(self, **options: Any) -> None:
        for name, function in {**EVERY_MINUTE, **EVERY_HOUR}.items():
            often = {"schedule_type": Schedule.MINUTES, "minutes": MINUTES[name], "repeats": -1}
            Schedule.objects.update_or_create(name=name, defaults={"func": function, **often})
        Schedule.objects.exclude(name__in=MINUTES).delete()
