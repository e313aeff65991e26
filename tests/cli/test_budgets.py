"""What the client says of costs and budgets."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from billing_app.models import Budget
from portal.identity.models import User
from requests_app import services
from requests_app.models import ServiceRequest
from tests.cli.conftest import PRIVATE, SUBMIT, Groundwork
from tests.conftest import People

ORDERS = (*SUBMIT, "--name", "orders", "-p", f"private_endpoint={PRIVATE}", "-p", "sku=B_Standard_B2s")


@pytest.fixture
def anna(signed_in: Callable[[User], Groundwork], people: People) -> Groundwork:
    return signed_in(people.anna)


def set_budget(people: People, amount: str, action: str) -> None:
    Budget.objects.create(
        business_unit=people.payments,
        environment="staging",
        amount=Decimal(amount),
        currency="USD",
        action=action,
    )


def test_a_check_shows_the_effect_on_the_budget(anna: Groundwork, people: People) -> None:
    set_budget(people, "200.00", "block")

    answer = anna(*ORDERS, "--check")

    assert answer.code == 0
    assert "Budget: 200.00 USD a month" in answer.out
    for name, amount in (("spent", "0.00"), ("with this", "63.91"), ("left then", "136.09")):
        assert f"{name:9}  {amount}" in answer.out.replace("asked for", "")


def test_a_budget_that_warns_says_so_among_the_rules(anna: Groundwork, people: People) -> None:
    set_budget(people, "10.00", "warn")

    answer = anna(*ORDERS, "--check")

    assert answer.code == 0
    assert "It can be asked for all the same." in answer.out


def test_a_budget_that_blocks_ends_the_check_like_the_request(anna: Groundwork, people: People) -> None:
    set_budget(people, "10.00", "block")

    checked, asked = anna(*ORDERS, "--check"), anna(*ORDERS)

    assert (checked.code, asked.code) == (1, 1)
    for answer in (checked, asked):
        assert "business_unit: This costs 63.91 USD a month more." in answer.err
        assert "ask the platform team for a larger budget" in answer.err
    assert anna(*ORDERS, "--json").json["code"] == "BudgetExceeded"
    assert not ServiceRequest.objects.exists()


def test_a_change_says_what_it_costs_more(anna: Groundwork, people: People) -> None:
    anna(*ORDERS)
    first = ServiceRequest.objects.get()
    services.approve(first, actor=people.bert)
    services.start(first.run_key)
    first.refresh_from_db()
    services.succeed(first, outputs={}, resources=[])

    checked = anna("change", "orders", "-p", "sku=GP_Standard_D2ds_v5", "--check")
    asked = anna("change", "orders", "-p", "sku=GP_Standard_D2ds_v5")

    assert "Estimate: 155.89 USD a month" in checked.out
    for answer in (checked, asked):
        assert "It costs 63.91 a month now: 91.98 more." in answer.out
