"""Work of the background cluster: names that schedules use."""

from consumer import sweep


def reconcile() -> None:
    sweep.reconcile()
