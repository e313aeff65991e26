"""The ledger by itself: what the database takes, and how the accounts add up."""

import uuid
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing_app import budgets, ledger
from billing_app.ledger import Purpose
from billing_app.models import Account, Action, Budget, Transfer
from portal.errors import BudgetExceeded

ACCOUNTS = st.sampled_from(list(Account))
CENTS = st.decimals(Decimal("0.01"), Decimal("99999.99"), places=2)


@pytest.fixture
def purpose(people):
    return Purpose(people.payments, "dev", 1, 1, uuid.uuid4(), "orders", "postgresql")


@pytest.fixture
def line(purpose):
    ledger.move(purpose, Account.FREE, Account.HELD, Decimal("12.34"))
    return Transfer.objects.get()


def test_a_line_of_the_ledger_is_never_changed(line):
    with pytest.raises(DatabaseError, match="a line of the ledger is never changed"), transaction.atomic():
        Transfer.objects.update(amount=1)
    if connection.vendor == "postgresql":
        with (
            pytest.raises(DatabaseError, match="a line of the ledger is never changed"),
            transaction.atomic(),
        ):
            Transfer.objects.all().delete()


@pytest.mark.parametrize(
    "wrong",
    [{"amount": 0}, {"amount": -1}, {"target": "free"}, {"source": "pocket"}, {"environment": "moon"}],
)
def test_a_line_that_makes_no_sense_is_refused_by_the_database(line, wrong):
    values = {
        **{f.attname: getattr(line, f.attname) for f in Transfer._meta.fields},
        "id": None,
        "attempt": 9,
    }

    with pytest.raises(DatabaseError), transaction.atomic():
        Transfer.objects.create(**{**values, **wrong})


def test_money_of_an_attempt_moves_once(line):
    line.pk = None

    with pytest.raises(DatabaseError), transaction.atomic():
        line.save(force_insert=True)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(ACCOUNTS, ACCOUNTS, CENTS), max_size=12))
def test_the_accounts_are_zero_together_whatever_moves(purpose, moves):
    with transaction.atomic():
        for source, target, amount in moves:
            if source != target:
                ledger.move(purpose, source, target, amount, is_correction=True)

        found = ledger.balances()
        transaction.set_rollback(True)

    assert sum(found.values()) == 0
    for account in Account:
        into = sum((amount for source, target, amount in moves if target == account != source), Decimal(0))
        out_of = sum((amount for source, target, amount in moves if source == account != target), Decimal(0))
        assert found[account] == into - out_of


def test_cents_stay_cents_however_many_there_are(purpose):
    for _ in range(300):
        ledger.move(purpose, Account.FREE, Account.HELD, Decimal("0.10"), is_correction=True)

    assert ledger.held_for(1) == Decimal("30.00")


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.decimals(Decimal("0.00"), Decimal("900.00"), places=2), min_size=1, max_size=8))
def test_a_budget_that_blocks_is_never_overspent(people, wanted):
    with transaction.atomic():
        Budget.objects.create(
            business_unit=people.payments, environment="dev", amount=1000, currency="USD", action=Action.BLOCK
        )
        held = Decimal(0)
        for number, amount in enumerate(wanted):
            purpose = Purpose(people.payments, "dev", number, 1, uuid.uuid4(), "app", "thing")
            try:
                budgets.hold(purpose, amount)
                held += amount
            except BudgetExceeded:
                assert held + amount > 1000
        found = budgets.standing(people.payments, "dev")
        transaction.set_rollback(True)

    assert (found.held, found.remaining) == (held, 1000 - held)
    assert found.remaining >= 0


@pytest.mark.parametrize(
    ("held", "before", "monthly", "after", "free_again"),
    [
        ("10.00", "0.00", "10.00", "10.00", "0.00"),  # as estimated
        ("10.00", "0.00", "4.00", "4.00", "6.00"),  # less than was held
        ("10.00", "0.00", "15.00", "15.00", "0.00"),  # more than was held
        ("5.00", "10.00", "15.00", "15.00", "0.00"),  # a change
        ("0.00", "10.00", "4.00", "4.00", "6.00"),  # a smaller one
        ("0.00", "10.00", "0.00", "0.00", "10.00"),  # a removal
        ("5.00", "10.00", None, "15.00", "0.00"),  # half-way: all that was held
        ("0.00", "10.00", None, "10.00", "0.00"),
    ],
)
def test_what_is_committed_is_what_it_costs_and_nothing_stays_held(
    purpose, held, before, monthly, after, free_again
):
    ledger.move(purpose, Account.FREE, Account.COMMITTED, Decimal(before), is_correction=True)
    ledger.move(purpose, Account.FREE, Account.HELD, Decimal(held))

    ledger.commit(purpose, None if monthly is None else Decimal(monthly))

    assert ledger.held_for(1) == 0
    assert ledger.committed_to(purpose.deployment) == Decimal(after)
    back = Transfer.objects.filter(target=Account.FREE)
    assert sum((line.amount for line in back), Decimal(0)) == Decimal(free_again)
    ledger.release(purpose)  # there is nothing left to give back
    assert ledger.committed_to(purpose.deployment) == Decimal(after)


def test_a_budget_in_words_and_numbers(people, purpose):
    assert budgets.budget_facts(people.payments, "dev", 12.5) == {
        "exists": False, "monthly": 0.0, "currency": "USD", "held": 0.0, "committed": 0.0, "remaining": 0.0,
        "extra": 12.5, "after": 0.0, "action": "none", "exceeded": False, "message": "",
    }  # fmt: skip
    Budget.objects.create(
        business_unit=people.payments, environment="dev", amount=20, currency="USD", action=Action.WARN
    )
    ledger.move(purpose, Account.FREE, Account.HELD, Decimal("10.00"))

    facts = budgets.budget_facts(people.payments, "dev", Decimal("12.50"))

    assert facts["message"] == (
        "This costs 12.50 USD a month more. Payments has a budget of 20.00 USD a month for development, and "
        "10.00 USD of it is left. It can be asked for all the same."
    )
    assert (facts["after"], facts["action"], facts["exceeded"]) == (-2.5, "warn", True)
