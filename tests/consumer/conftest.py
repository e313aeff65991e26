"""A consumer with a runner that only notes what it is told."""

from collections.abc import Callable
from typing import Any

import pytest

from portal import ports
from portal.errors import Unavailable
from portal.ports import Delivery, Liveness, Run
from requests_app import services
from requests_app.models import ServiceRequest


class NotingRunner:
    """Tokens and liveness by run key; `refuse` is raised by the next dispatches."""

    tokens: dict[str, str] = {}
    dispatched: list[str] = []
    alive: set[str] = set()
    stopped: list[str] = []
    refuse: list[Exception] = []

    def dispatch(self, key: str, token: str) -> None:
        if self.refuse:
            raise self.refuse.pop(0)
        self.dispatched.append(key)
        self.tokens[key] = token
        self.alive.add(key)

    def find(self, key: str) -> Run | None:
        if key not in self.tokens:
            return None
        return Run(key, Liveness.ALIVE if key in self.alive else Liveness.ENDED)

    def stop(self, key: str) -> None:
        self.stopped.append(key)


@pytest.fixture
def runner(settings: Any) -> type[NotingRunner]:
    for noted in (NotingRunner.tokens, NotingRunner.dispatched, NotingRunner.alive, NotingRunner.stopped):
        noted.clear()
    NotingRunner.refuse.clear()
    settings.PORTS = {**settings.PORTS, "runner": {"BACKEND": f"{__name__}.NotingRunner"}}
    return NotingRunner


@pytest.fixture
def approved(people: Any, catalog: None, postgres_for_staging: dict[str, Any]) -> ServiceRequest:
    service_request = services.submit(requester=people.anna, **postgres_for_staging)
    services.approve(service_request, actor=people.bert)
    return service_request


@pytest.fixture
def delivery(approved: ServiceRequest, runner: type[NotingRunner]) -> Delivery:
    services.enqueue_approved()
    received = ports.queue().receive(0)
    assert received
    return received


@pytest.fixture
def away() -> Callable[[], Unavailable]:
    return lambda: Unavailable("the runner is away")
