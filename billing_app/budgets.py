"""Budgets: how they stand, what a request would do to them, and the money that is set aside for it."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from billing_app import ledger
from billing_app.ledger import ZERO, Purpose
from billing_app.models import Account, Action, Budget
from billing_app.units import CENT
from portal import audit
from portal.errors import BudgetExceeded
from portal.identity.models import BusinessUnit, Environment, User

NO_ACTION = "none"  # of a budget that does not exist
WHAT_TO_DO = {
    Action.BLOCK: (
        "Choose something smaller, remove what is no longer needed, or ask the platform team for a larger budget."
    ),
    Action.REQUIRE_APPROVAL: "An approver has to agree.",
    Action.WARN: "It can be asked for all the same.",
}


@dataclass(frozen=True)
class Standing:
    """How a budget stands, and how it would with `extra` more a month."""

    business_unit: str
    environment: str
    currency: str
    amount: Decimal | None  # None: there is no budget, and no limit
    action: str
    committed: Decimal
    held: Decimal
    extra: Decimal = ZERO
    other_currency: str = ""  # of a budget that was set before the currency of the portal was changed

    @property
    def remaining(self) -> Decimal:
        """Below zero where too much is spent already; zero without a budget, and so is `after`."""
        return ZERO if self.amount is None else self.amount - self.committed - self.held

    @property
    def after(self) -> Decimal:
        """What would remain then; below zero where it does not fit."""
        return ZERO if self.amount is None else self.remaining - self.extra

    @property
    def exceeded(self) -> bool:
        """Less is always possible, also where too much is spent already."""
        return self.extra > 0 and (self.after < 0 or bool(self.other_currency))

    @property
    def blocks(self) -> bool:
        return self.exceeded and self.action == Action.BLOCK

    @property
    def asks_for_approval(self) -> bool:
        return self.exceeded and self.action == Action.REQUIRE_APPROVAL

    @property
    def message(self) -> str:
        """What is wrong and what to do; empty while it fits."""
        if not self.exceeded:
            return ""
        if self.other_currency:
            return (
                f"The budget of {self.business_unit} for {self.environment} is in {self.other_currency}, and "
                f"costs are in {self.currency}. Ask the platform team to set it anew."
            )
        left = (
            f"{self._money(self.remaining)} of it is left" if self.remaining > 0 else "nothing of it is left"
        )
        return (
            f"This costs {self._money(self.extra)} a month more. {self.business_unit} has a budget of "
            f"{self._money(self.amount)} a month for {self.environment}, and {left}. "
            f"{WHAT_TO_DO[Action(self.action)]}"
        )

    @property
    def shares(self) -> list[int]:
        """Committed, held and extra in per cent of the budget, or of their sum where that is more; for a bar."""
        parts = [self.committed, self.held, max(self.extra, ZERO)]
        whole = max(self.amount or ZERO, sum(parts))
        return [int(part / whole * 100) if whole else 0 for part in parts]

    def as_json(self) -> dict[str, Any]:
        """Every amount is a number."""
        return {
            "exists": self.amount is not None,
            "monthly": float(self.amount or 0),
            "currency": self.currency,
            "held": float(self.held),
            "committed": float(self.committed),
            "remaining": float(self.remaining),
            "extra": float(self.extra),
            "after": float(self.after),
            "action": self.action,
            "exceeded": self.exceeded,
            "message": self.message,
        }

    def _money(self, amount: Decimal | None) -> str:
        return f"{amount:,.2f} {self.currency}"


def standing(business_unit: BusinessUnit, environment: str, extra: Decimal = ZERO) -> Standing:
    """Looks and sets nothing aside: somebody else may be quicker."""
    budget = Budget.objects.of(business_unit, environment).first()
    return _standing(budget, business_unit, environment, extra)


def budget_facts(business_unit: BusinessUnit, environment: str, monthly: Decimal | float) -> dict[str, Any]:
    """What rules may look at. The argument is what a request costs more a month, the result's `monthly` the budget.

    exists, monthly, currency, held, committed, remaining, extra, after, action (none, warn, require_approval or
    block), exceeded, message. Amounts are floats; without a budget monthly, remaining and after are 0.
    """
    return standing(business_unit, environment, Decimal(str(monthly)).quantize(CENT)).as_json()


def _standing(
    budget: Budget | None,
    unit: BusinessUnit,
    environment: str,
    extra: Decimal = ZERO,
    spent: tuple[Decimal, Decimal] | None = None,
) -> Standing:
    """spent: held and committed, where they are added up already."""
    held, committed = spent or ledger.held_and_committed(ledger.lines().of(unit, environment))
    usable = budget is None or budget.currency == settings.CURRENCY
    return Standing(
        business_unit=unit.name,
        environment=Environment(environment).label.lower(),
        currency=settings.CURRENCY,
        amount=(budget.amount if usable else ZERO) if budget else None,
        action=budget.action if budget else NO_ACTION,
        committed=committed,
        held=held,
        extra=extra,
        other_currency="" if usable or budget is None else budget.currency,
    )


@transaction.atomic
def hold(purpose: Purpose, extra: Decimal) -> Standing:
    """Set `extra` a month aside for a request, in the transaction of the request. BudgetExceeded.

    No two requests get the same money: the row of the budget stays locked until the transaction ends. (SQLite
    has no such lock; there every transaction that writes has the whole database, from its start.) Take this lock
    before the one of the audit trail, as everybody does.
    """
    found = Budget.objects.select_for_update().of(purpose.business_unit, purpose.environment).first()
    stands = _standing(found, purpose.business_unit, purpose.environment, extra)
    if stands.blocks:
        raise BudgetExceeded(stands.message)
    ledger.move(purpose, Account.FREE, Account.HELD, extra)
    return stands


# ── setting them ────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def set_budget(budget: Budget, *, actor: User | None) -> None:
    """Keep a new or changed budget, with an event in the audit trail. What is spent already stays."""
    was = _locked(budget)
    budget.save()
    _record("budget.set", budget, actor, was=was, now=_terms(budget))


@transaction.atomic
def remove_budget(budget: Budget, *, actor: User | None) -> None:
    """From now on there is no limit."""
    _record("budget.remove", budget, actor, was=_locked(budget), now={})
    budget.delete()


def _locked(budget: Budget) -> dict[str, str]:
    """Its terms so far; empty for a new one. Locked before the audit trail, as in `hold`."""
    before = Budget.objects.select_for_update().filter(pk=budget.pk).first()
    return _terms(before) if before else {}


def _record(
    action: str, budget: Budget, actor: User | None, was: dict[str, str], now: dict[str, str]
) -> None:
    audit.record(
        action,
        budget.subject,
        actor=actor,
        business_unit=budget.business_unit,
        note=" ".join(now.values()),
        data={"was": was, "is": now, "environment": budget.environment},
    )


def _terms(budget: Budget) -> dict[str, str]:
    return {
        "amount": f"{budget.amount:.2f}",
        "currency": budget.currency,
        "action": str(budget.action),
    }


# ── looking at them ─────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Spent:
    """What one deployment costs a month: what is there, and what is asked for."""

    deployment: UUID
    name: str
    item: str
    committed: Decimal
    held: Decimal


@dataclass(frozen=True)
class Overview:
    """A business unit's environment, with or without a budget."""

    business_unit: BusinessUnit
    environment: str
    standing: Standing
    deployments: list[Spent]  # the most expensive first


def overviews(user: User, *, business_unit: str = "", environment: str = "") -> list[Overview]:
    """What this person may see: wherever there is a budget, or something that costs. Three queries."""
    budgets = {
        (budget.business_unit_id, budget.environment): budget for budget in Budget.objects.visible_to(user)
    }
    spent = _spent(user)
    units = BusinessUnit.objects.in_bulk({unit for unit, _ in [*budgets, *spent]})
    order = list(Environment.values)
    places = sorted({*budgets, *spent}, key=lambda at: (units[at[0]].name, order.index(at[1])))
    return [
        _overview(units[unit], env, budgets.get((unit, env)), spent.get((unit, env), []))
        for unit, env in places
        if business_unit in ("", units[unit].slug) and environment in ("", env)
    ]


def _spent(user: User) -> dict[tuple[int, str], list[Spent]]:
    rows = (
        ledger.lines()
        .visible_to(user)
        .values("business_unit", "environment", "deployment")
        .annotate(
            named=Max("name"), made_of=Max("item"),
            committed=ledger.net(Account.COMMITTED), held=ledger.net(Account.HELD),
        )
        .order_by()
    )  # fmt: skip
    found: dict[tuple[int, str], list[Spent]] = defaultdict(list)
    for row in rows:
        committed, held = ledger.cents(row["committed"]), ledger.cents(row["held"])
        if committed or held:
            spent = Spent(row["deployment"], row["named"], row["made_of"], committed, held)
            found[row["business_unit"], row["environment"]].append(spent)
    return found


def _overview(unit: BusinessUnit, environment: str, budget: Budget | None, spent: list[Spent]) -> Overview:
    stands = _standing(budget, unit, environment, spent=_total(spent))
    return Overview(unit, environment, stands, sorted(spent, key=lambda each: -(each.committed + each.held)))


def _total(spent: list[Spent]) -> tuple[Decimal, Decimal]:
    return sum((each.held for each in spent), ZERO), sum((each.committed for each in spent), ZERO)
