import logging
import signal
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import close_old_connections

from consumer.handler import handle
from portal import ports
from portal.errors import OutsideError
from portal.ports import Delivery

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Take requests off the queue and start their runs, until told to stop."

    stopping = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--until-empty", action="store_true", help="Stop when the queue is empty.")
        parser.add_argument("--wait", type=float, default=5, help="Seconds to wait for a delivery.")

    def handle(self, *, until_empty: bool, wait: float, **options: Any) -> None:
        signal.signal(signal.SIGTERM, self.stop)
        signal.signal(signal.SIGINT, self.stop)
        while not self.stopping:
            try:
                delivery = ports.queue().receive(min(wait, 1))
            except OutsideError as error:
                logger.warning("The queue gives nothing: %s", error)
                time.sleep(1)
                continue
            if delivery:
                self.take(delivery)
            elif until_empty:
                break
            close_old_connections()

    def take(self, delivery: Delivery) -> None:
        try:
            handle(delivery)
        except Exception:
            # One bad delivery must not stop the rest. It was not completed, so it comes back.
            logger.exception("The delivery of %s failed", delivery.run_key)

    def stop(self, *args: Any) -> None:
        self.stopping = True  # after the delivery at hand
