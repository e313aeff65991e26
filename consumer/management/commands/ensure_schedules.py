from typing import Any

from django.core.management.base import BaseCommand
from django_q.models import Schedule

EVERY_MINUTE = {
    "send approved requests": "requests_app.tasks.enqueue_approved",
    "expire undecided requests": "requests_app.tasks.expire_undecided",
    "look after running requests": "consumer.tasks.reconcile",
}


class Command(BaseCommand):
    help = "Make the schedules of the background cluster what this release needs. Safe to repeat."

    def handle(self, **options: Any) -> None:
        for name, function in EVERY_MINUTE.items():
            Schedule.objects.update_or_create(
                name=name,
                defaults={"func": function, "schedule_type": Schedule.MINUTES, "minutes": 1, "repeats": -1},
            )
        Schedule.objects.exclude(name__in=EVERY_MINUTE).delete()
