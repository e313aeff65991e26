from collections.abc import Callable
from typing import Any

import pytest

from portal import audit
from portal.models import Event
from portal.webhooks import services
from portal.webhooks.models import Webhook


@pytest.fixture(autouse=True)
def on_loopback(settings: Any) -> None:
    settings.WEBHOOKS_PRIVATE = True


@pytest.fixture
def hook(people: Any) -> Callable[..., Webhook]:
    """A webhook of payments, made by emil."""

    def make(url: str, **wanted: Any) -> Webhook:
        unit = wanted.pop("business_unit", people.payments)
        return services.create(actor=people.olga, business_unit=unit, url=url, **wanted)[0]

    return make


@pytest.fixture
def happens(people: Any) -> Callable[..., Event]:
    """Something happens to a request of payments."""

    def record(step: str = "approve", subject: str = "REQ-12", **facts: Any) -> Event:
        said = {"state": "approved", "kind": "create", "name": "orders", "attempt": 1}
        unit = facts.pop("business_unit", people.payments)
        return audit.record(
            f"request.{step}", subject, actor=people.bert, business_unit=unit, data=said, **facts
        )

    return record
