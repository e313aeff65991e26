"""Work of the background cluster: names that schedules and async_task use."""

from requests_app import lifetime, services


def enqueue_approved() -> None:
    services.enqueue_approved()


def expire_undecided() -> None:
    services.expire_undecided()


def remove_expired() -> None:
    lifetime.remove_expired()
