"""Work of the background cluster: names that schedules and async_task use."""

from portal.webhooks import services


def deliver() -> None:
    services.deliver_due()


def tidy_up() -> None:
    services.tidy_up()
