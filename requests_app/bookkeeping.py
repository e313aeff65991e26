"""Whether the ledger of budgets is what follows from the requests, and how it is put right."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from billing_app import ledger
from billing_app.ledger import ZERO
from requests_app import money
from requests_app.models import ServiceRequest
from requests_app.states import OPEN, SETTLED, State

READ = (
    "kind", "state", "estimate", "finished_at", "half_done_at", "attempt", "environment", "business_unit",
    "deployment__name", "deployment__state", "item_version__item__slug",
)  # fmt: skip


@dataclass(frozen=True)
class Difference:
    """What the ledger has too much of, or too little."""

    account: str  # held | committed
    request: ServiceRequest  # that it is about; of a deployment, the newest one
    in_ledger: Decimal
    expected: Decimal

    def __str__(self) -> str:
        at = f"{self.request.business_unit.slug}/{self.request.environment}"
        subject = self.request.ref if self.account == "held" else f"{self.request.name} in {at}"
        return f"{subject}: {self.in_ledger:.2f} a month is {self.account}, and should be {self.expected:.2f}"


def differences() -> list[Difference]:
    """Empty when the ledger is right. Reads every request, and works out anew what each has held and spent."""
    held, committed = ledger.held_by_request(), ledger.committed_by_deployment()
    found = []
    for deployment, requests in _by_deployment():
        spent = _spent(requests)
        if committed.get(deployment, ZERO) != spent:
            found.append(Difference("committed", requests[-1], committed.get(deployment, ZERO), spent))
        for each in requests:
            wanted = max(each.cost_after - spent, ZERO) if each.state in OPEN else ZERO
            if held.get(each.pk, ZERO) != wanted:
                found.append(Difference("held", each, held.get(each.pk, ZERO), wanted))
    return found


@transaction.atomic
def correct() -> list[Difference]:
    """Book what is missing, as corrections. No budget is asked: what is there is there."""
    found = differences()
    for each in found:
        ledger.correct(money.purpose(each.request), **{each.account: each.expected - each.in_ledger})
    return found


def _by_deployment() -> Iterator[tuple[UUID, list[ServiceRequest]]]:
    rows: QuerySet[ServiceRequest] = ServiceRequest.objects.select_related(
        "deployment", "business_unit", "item_version__item"
    )
    rows = rows.only(*READ, "business_unit__slug").order_by("deployment_id", "pk")
    for deployment, requests in groupby(rows.iterator(chunk_size=1000), lambda each: each.deployment_id):
        yield deployment, list(requests)


def _spent(requests: list[ServiceRequest]) -> Decimal:
    """What a deployment costs, from everything that happened to it."""
    if requests[0].deployment.state not in SETTLED:
        return ZERO
    spent = ZERO
    for _, amount, is_done in sorted(_turns(requests)):
        spent = amount if is_done else max(spent, amount)
    return spent


def _turns(requests: list[ServiceRequest]) -> Iterator[tuple[datetime, Decimal, bool]]:
    """When the costs changed, to how much, and whether that is all, or at least so much."""
    for each in requests:
        if each.half_done_at:
            yield each.half_done_at, each.cost_after, False
        if each.state == State.SUCCEEDED and each.finished_at:
            yield each.finished_at, each.cost_after, True
