"""
The ledger of budgets: what is set aside for requests on their way, and what is spent on what is there.

All amounts are of one month and of `settings.CURRENCY`. The ledger itself is the truth: nothing is added up twice.
"""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Case, DecimalField, F, Sum, When
from django.utils.timezone import now

from billing_app.models import Account, Transfer, TransferQuerySet
from billing_app.units import CENT
from portal.identity.models import BusinessUnit

ZERO = Decimal("0.00")


@dataclass(frozen=True)
class Purpose:
    """What an amount is for: the attempt of a request, and the deployment that it is about."""

    business_unit: BusinessUnit
    environment: str
    request: int
    attempt: int
    deployment: UUID
    name: str
    item: str


# ── moving money ────────────────────────────────────────────────────────────────────────────────────────────


def release(purpose: Purpose) -> None:
    """Nothing came of the attempt: what it holds is free again."""
    move(purpose, Account.HELD, Account.FREE, held_for(purpose.request))


@transaction.atomic
def commit(purpose: Purpose, monthly: Decimal | None = None) -> None:
    """The deployment costs `monthly` from now on; None: what it did, and what is held for it.

    What is held and not needed is free again, and so is what the deployment no longer costs.
    """
    held, before = held_for(purpose.request), committed_to(purpose.deployment)
    target = before + held if monthly is None else monthly
    used = min(held, max(target - before, ZERO))
    move(purpose, Account.HELD, Account.COMMITTED, used)
    move(purpose, Account.HELD, Account.FREE, held - used)
    move(purpose, Account.FREE, Account.COMMITTED, target - before - used)
    move(purpose, Account.COMMITTED, Account.FREE, before - target)


@transaction.atomic
def correct(purpose: Purpose, *, held: Decimal = ZERO, committed: Decimal = ZERO) -> None:
    """Add so much (or take away, below zero) to what is held for the request and committed to the deployment."""
    for account, difference in ((Account.HELD, held), (Account.COMMITTED, committed)):
        move(purpose, Account.FREE, account, difference, is_correction=True)
        move(purpose, account, Account.FREE, -difference, is_correction=True)


def move(
    purpose: Purpose, source: Account, target: Account, amount: Decimal, *, is_correction: bool = False
) -> None:
    """Nothing where there is nothing to move."""
    if amount > 0:
        Transfer.objects.create(
            at=now(),
            business_unit=purpose.business_unit,
            environment=purpose.environment,
            source=source,
            target=target,
            amount=amount,
            currency=settings.CURRENCY,
            request=purpose.request,
            attempt=purpose.attempt,
            deployment=purpose.deployment,
            name=purpose.name,
            item=purpose.item,
            is_correction=is_correction,
        )


# ── adding up ───────────────────────────────────────────────────────────────────────────────────────────────


def committed_to(deployment: UUID) -> Decimal:
    """What the ledger has for it as long as it is there."""
    return held_and_committed(lines().filter(deployment=deployment))[1]


def held_for(request: int) -> Decimal:
    return held_and_committed(lines().filter(request=request))[0]


def balances(lines: TransferQuerySet | None = None) -> dict[Account, Decimal]:
    """Of the three accounts, over these lines or over everything. Their sum is zero."""
    moved = (Transfer.objects.all() if lines is None else lines).values_list("source", "target")
    found = dict.fromkeys(Account, ZERO)
    for source, target, amount in moved.annotate(Sum("amount")).order_by():
        found[Account(source)] -= cents(amount)
        found[Account(target)] += cents(amount)
    return found


def held_by_request() -> dict[int, Decimal]:
    rows = lines().values_list("request").annotate(held=net(Account.HELD)).order_by()
    return {request: cents(held) for request, held in rows if cents(held)}


def committed_by_deployment() -> dict[UUID, Decimal]:
    rows = lines().values_list("deployment").annotate(committed=net(Account.COMMITTED)).order_by()
    return {deployment: cents(amount) for deployment, amount in rows if cents(amount)}


def lines() -> TransferQuerySet:
    return Transfer.objects.filter(currency=settings.CURRENCY)


def held_and_committed(lines: TransferQuerySet) -> tuple[Decimal, Decimal]:
    found = balances(lines)
    return found[Account.HELD], found[Account.COMMITTED]


def net(account: Account) -> Sum:
    """What went into the account, without what came out of it."""
    moved = Case(
        When(target=account, then=F("amount")), When(source=account, then=-F("amount")), default=ZERO
    )
    return Sum(moved, output_field=DecimalField(max_digits=20, decimal_places=2))


def cents(amount: Decimal | None) -> Decimal:
    """SQLite adds up floats; to the cent they are right."""
    return (amount or ZERO).quantize(CENT)
