"""What requests do to the budget of their business unit, from the first moment to the last."""

import io
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction
from django.utils.timezone import now

from billing_app import ledger
from billing_app.budgets import standing
from billing_app.models import Account, Budget, Transfer
from portal.errors import BudgetExceeded, InvalidInput, WrongState
from requests_app import bookkeeping, services
from requests_app.models import Deployment, ServiceRequest
from requests_app.states import ACTIVE, SETTLED, State
from tests.conftest import SUBNET

# B2s 730 x 0.072 = 52.56, storage 32 x 0.1265 = 4.05, private endpoint 730 x 0.01 = 7.30
COST = Decimal("63.91")
# D2ds_v5 730 x 0.198 = 144.54, with the same storage and endpoint
LARGER = Decimal("155.89")


@pytest.fixture
def budget(people):
    """A budget of payments."""

    def set_it(amount: str, action: str = "block", environment: str = "staging") -> Budget:
        return Budget.objects.create(
            business_unit=people.payments, environment=environment, amount=Decimal(amount), currency="USD",
            action=action,
        )  # fmt: skip

    return set_it


@pytest.fixture
def spent(people):
    """What is held and committed for payments in staging; the ledger is whole every time that somebody looks."""

    def look(environment: str = "staging") -> tuple[Decimal, Decimal]:
        assert sum(ledger.balances().values()) == 0
        assert bookkeeping.differences() == []
        found = standing(people.payments, environment)
        return found.held, found.committed

    return look


@pytest.fixture
def enlarge(people, ready):
    """Anna asks for a larger server."""

    def ask(sku: str = "GP_Standard_D2ds_v5") -> ServiceRequest:
        ready.refresh_from_db()
        return services.submit_update(requester=people.anna, deployment=ready, parameters={"sku": sku})

    return ask


# ── from submit to the end ──────────────────────────────────────────────────────────────────────────────────


def test_what_is_asked_for_is_held(submitted, spent):
    assert spent() == (COST, 0)
    line = Transfer.objects.get()
    assert (line.request, line.attempt, line.deployment) == (submitted.pk, 1, submitted.deployment.pk)
    assert (line.name, line.item, line.source, line.target) == ("orders", "postgresql", "free", "held")


def test_it_is_held_in_the_transaction_of_the_request(people, submitted, spent, postgres_for_staging):
    with pytest.raises(InvalidInput):  # the name is taken, which only the database knows for sure
        services.submit(requester=people.anna, **postgres_for_staging)

    assert spent() == (COST, 0)


def test_a_request_that_comes_to_nothing_gives_it_back(people, submitted, spent):
    services.reject(submitted, actor=people.bert, reason="no")

    assert spent() == (0, 0)


def test_a_cancelled_one_gives_it_back(people, submitted, spent):
    services.approve(submitted, actor=people.bert)
    services.cancel(submitted, actor=people.anna)

    assert spent() == (0, 0)


def test_an_expired_one_gives_it_back(submitted, spent):
    ServiceRequest.objects.update(decide_before=now() - timedelta(days=1))

    services.expire_undecided()

    assert spent() == (0, 0)


def test_a_run_holds_it_and_success_commits_it(running, spent):
    assert spent() == (COST, 0)

    services.succeed(running, outputs={}, resources=[{"address": "a"}])

    assert spent() == (0, COST)


def test_a_failure_that_made_nothing_gives_it_back(running, spent):
    services.fail(running, "no quota", changed=False)

    assert spent() == (0, 0)


def test_a_failure_that_left_nothing_behind_gives_it_back(running, spent):
    services.fail(running, "no quota", changed=True, resources=[])

    assert spent() == (0, 0)


def test_a_stopped_run_that_made_nothing_gives_it_back(people, running, spent):
    services.stop(running, actor=people.anna)
    services.stopped(running, changed=False)

    assert spent() == (0, 0)


@pytest.mark.parametrize("step", ["fail", "stopped"])
def test_what_ended_half_way_counts_as_spent_until_it_is_removed(people, running, end_of, spent, step):
    if step == "fail":
        services.fail(running, "it broke", changed=True, resources=[{"address": "a"}])
    else:
        services.stop(running, actor=people.anna)
        services.stopped(running, changed=True)
    assert spent() == (0, COST)

    end_of(services.submit_destroy(requester=people.anna, deployment=running.deployment), "succeed")

    assert spent() == (0, 0)


def test_another_attempt_holds_it_again(people, running, end_of, spent):
    services.fail(running, "no quota", changed=False)

    services.retry(running, actor=people.anna)

    assert spent() == (COST, 0)
    services.start(running.run_key)
    running.refresh_from_db()
    services.succeed(running, outputs={}, resources=[])
    assert spent() == (0, COST)


def test_another_attempt_after_half_a_run_pays_nothing_twice(people, running, spent):
    services.fail(running, "it broke", changed=True, resources=[{"address": "a"}])

    services.retry(running, actor=people.anna)

    assert spent() == (0, COST)
    services.start(running.run_key)
    running.refresh_from_db()
    services.succeed(running, outputs={}, resources=[{"address": "a"}])
    assert spent() == (0, COST)


def test_a_change_holds_and_commits_the_difference(ready, enlarge, end_of, spent):
    wanted = enlarge()
    assert (wanted.cost_before, wanted.cost_after, wanted.cost_difference) == (COST, LARGER, LARGER - COST)
    assert spent() == (LARGER - COST, COST)

    end_of(wanted, "succeed")

    assert spent() == (0, LARGER)


def test_a_change_that_failed_before_it_began_leaves_it_as_it_was(ready, enlarge, end_of, spent):
    end_of(enlarge(), "fail", changed=False)

    assert spent() == (0, COST)


def test_a_change_that_failed_half_way_counts_as_if_it_were_there(ready, enlarge, end_of, spent):
    end_of(enlarge(), "fail", changed=True, resources=[{"address": "a"}])

    assert spent() == (0, LARGER)


def test_a_smaller_one_holds_nothing_and_gives_back_when_it_is_done(ready, enlarge, end_of, spent):
    end_of(enlarge(), "succeed")
    smaller = enlarge("B_Standard_B2s")
    assert smaller.cost_difference == COST - LARGER
    assert spent() == (0, LARGER)

    end_of(smaller, "succeed")

    assert spent() == (0, COST)


def test_a_removal_gives_everything_back_when_it_is_done(people, ready, end_of, spent):
    removal = services.submit_destroy(requester=people.anna, deployment=ready)
    assert (removal.cost_difference, spent()) == (-COST, (0, COST))

    end_of(removal, "succeed")

    assert spent() == (0, 0)


@pytest.mark.parametrize(("resources", "left"), [([], Decimal(0)), ([{"address": "a"}], COST)])
def test_a_removal_that_failed_gives_back_what_is_gone(people, ready, end_of, spent, resources, left):
    removal = services.submit_destroy(requester=people.anna, deployment=ready)

    end_of(removal, "fail", changed=True, resources=resources)

    assert spent() == (0, left)


# ── limits ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_budget_that_blocks_says_how_much_and_what_to_do(
    people, catalog, budget, spent, postgres_for_staging
):
    budget("100.00")
    services.submit(requester=people.anna, **postgres_for_staging)

    with pytest.raises(BudgetExceeded) as refused:
        services.submit(requester=people.anna, **{**postgres_for_staging, "name": "second"})

    assert refused.value.problems == {
        "business_unit": (
            "This costs 63.91 USD a month more. Payments has a budget of 100.00 USD a month for staging, and "
            "36.09 USD of it is left. Choose something smaller, remove what is no longer needed, or ask the platform "
            "team for a larger budget."
        )
    }
    assert (refused.value.status, refused.value.code) == (422, "BudgetExceeded")
    assert spent() == (COST, 0)
    assert not Deployment.objects.filter(name="second").exists()


def test_the_preview_says_what_the_submit_says(people, catalog, budget, api_for, postgres_for_staging):
    budget("10.00")
    anna = api_for(people.anna)

    checked = anna.post("/api/v1/requests/check/", postgres_for_staging).json()
    refused = anna.post("/api/v1/requests/", postgres_for_staging)

    assert refused.status_code == 422
    assert checked["budget"]["message"] in str(refused.json())
    assert (checked["budget"]["exceeded"], checked["budget"]["after"]) == (True, -53.91)
    assert checked["cost"] == {"before": "0.00", "after": "63.91", "difference": "63.91"}
    assert (checked["automatic"], checked["problems"]) == (False, {})


def test_a_budget_is_enough_to_the_cent(people, catalog, budget, spent, postgres_for_staging):
    budget(str(COST))

    services.submit(requester=people.anna, **postgres_for_staging)

    assert spent() == (COST, 0)


def test_one_cent_too_little_is_too_little(people, catalog, budget, postgres_for_staging):
    budget(str(COST - Decimal("0.01")))

    with pytest.raises(BudgetExceeded):
        services.submit(requester=people.anna, **postgres_for_staging)


def test_a_budget_of_nothing_blocks_what_costs(people, catalog, budget, postgres_for_staging):
    budget("0.00")

    with pytest.raises(BudgetExceeded, match="nothing of it is left"):
        services.submit(requester=people.anna, **postgres_for_staging)


def test_an_environment_has_a_budget_of_its_own(people, catalog, budget, spent, postgres_for_staging):
    budget("0.00", environment="prod")

    services.submit(requester=people.anna, **postgres_for_staging)

    assert (spent(), spent("prod")) == ((COST, 0), (0, 0))


def test_without_a_budget_there_is_no_limit_and_all_is_written_down(
    people, catalog, spent, postgres_for_staging
):
    proposal = services.preview(requester=people.anna, **postgres_for_staging)
    services.submit(requester=people.anna, **postgres_for_staging)

    assert (proposal.standing.amount, proposal.standing.message) == (None, "")
    assert spent() == (COST, 0)


def test_a_change_asks_for_the_difference_only(ready, enlarge, budget, spent):
    limit = budget(str(LARGER))

    enlarge()

    assert spent() == (LARGER - COST, COST)
    limit.amount -= Decimal("0.01")
    limit.save()
    assert standing(limit.business_unit, "staging").remaining == Decimal("-0.01")


def test_less_is_possible_where_too_much_is_spent_already(people, ready, enlarge, end_of, budget, spent):
    end_of(enlarge(), "succeed")
    budget("1.00")

    end_of(enlarge("B_Standard_B2s"), "succeed")
    end_of(services.submit_destroy(requester=people.anna, deployment=ready), "succeed")

    assert spent() == (0, 0)


def test_another_attempt_can_be_refused_by_the_budget(people, running, budget, spent, client_for):
    services.fail(running, "no quota", changed=False)
    budget("10.00")

    with pytest.raises(BudgetExceeded, match=r"10.00 USD of it is left"):
        services.retry(running, actor=people.anna)

    running.refresh_from_db()
    assert (running.state, running.attempt, running.deployment.state) == (State.FAILED, 1, "abandoned")
    assert spent() == (0, 0)
    page = client_for(people.anna).post(f"/requests/{running.pk}/retry/")
    assert page.status_code == 422
    assert "ask the platform team for a larger budget" in page.content.decode()


def test_what_a_budget_wants_to_be_looked_at_is_not_retried_on_the_word_of_a_rule(
    people, small, budget, spent
):
    service_request = small("first")
    services.start(service_request.run_key)
    service_request.refresh_from_db()
    services.fail(service_request, "no quota", changed=False)
    budget("1.00", "require_approval", "dev")

    with pytest.raises(BudgetExceeded, match="Ask for it anew"):
        services.retry(service_request, actor=people.anna)

    assert spent("dev") == (0, 0)


@pytest.fixture
def small(people, catalog):
    """Anna asks for a storage account for development, which nobody has to decide on: 3.10 a month."""

    def ask(name: str) -> ServiceRequest:
        return services.submit(
            requester=people.anna, item="storage-account", business_unit="payments", environment="dev",
            region="northeurope", name=name, parameters={"replication": "LRS", "access_tier": "Hot"},
        )  # fmt: skip

    return ask


@pytest.mark.parametrize(
    ("action", "state"), [("warn", State.APPROVED), ("require_approval", State.SUBMITTED)]
)
def test_a_budget_can_warn_or_ask_for_a_person(small, budget, spent, action, state):
    budget("3.00", action, "dev")

    assert small("first").state == state
    assert spent("dev") == (Decimal("3.10"), 0)


def test_within_the_budget_nobody_has_to_look(small, budget):
    budget("3.10", "require_approval", "dev")

    assert small("first").state == State.APPROVED
    assert small("second").state == State.SUBMITTED


def test_the_hold_itself_asks_for_a_person_though_the_proposal_did_not(people, small, budget):
    """Somebody else was quicker: the proposal was judged when there was money left."""
    budget("3.10", "require_approval", "dev")
    wanted = {
        "requester": people.anna, "item": "storage-account", "business_unit": "payments", "environment": "dev",
        "region": "northeurope", "name": "first", "parameters": {"replication": "LRS", "access_tier": "Hot"},
    }  # fmt: skip
    judged = services.preview(**wanted).accept()
    assert judged.automatic
    small("second")

    with transaction.atomic():
        deployment = Deployment.objects.create(
            name="first", item=judged.version.item, item_version=judged.version,
            business_unit=people.payments, environment="dev", region="northeurope", owner=people.anna,
        )  # fmt: skip
        asked = services.ask(judged, deployment)

    assert asked.state == State.SUBMITTED


def test_a_budget_in_another_currency_lets_nothing_through(people, catalog, budget, postgres_for_staging):
    found = budget("1000.00")
    Budget.objects.filter(pk=found.pk).update(currency="EUR")

    with pytest.raises(BudgetExceeded, match="is in EUR, and costs are in USD. Ask the platform team"):
        services.submit(requester=people.anna, **postgres_for_staging)


def test_what_rules_see_of_a_budget(people, submitted, budget, postgres_for_staging):
    budget("100.00", "warn")

    wanted = {**postgres_for_staging, "name": "second"}
    facts = services.preview(requester=people.anna, **wanted).standing.as_json()

    numbers = ("monthly", "held", "committed", "remaining", "extra", "after")
    assert {name: facts[name] for name in numbers} == {
        "monthly": 100.0, "held": 63.91, "committed": 0.0, "remaining": 36.09, "extra": 63.91, "after": -27.82,
    }  # fmt: skip
    assert (facts["exists"], facts["action"], facts["exceeded"]) == (True, "warn", True)


# ── many at once ────────────────────────────────────────────────────────────────────────────────────────────


CONNECTIONS = 24


@pytest.mark.django_db(transaction=True)
def test_of_200_who_ask_at_once_for_a_budget_for_10_exactly_10_are_accepted(people, small, budget, spent):
    budget("31.00", "block", "dev")
    start = threading.Barrier(CONNECTIONS)

    def ask(numbers: list[int]) -> list[str]:
        start.wait()
        try:
            return [one(number) for number in numbers]
        finally:
            connection.close()

    def one(number: int) -> str:
        try:
            small(f"app-{number}")
        except BudgetExceeded:
            return "refused"
        return "accepted"

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        outcomes = sum(
            pool.map(ask, [list(range(200))[first::CONNECTIONS] for first in range(CONNECTIONS)]), []
        )

    assert (outcomes.count("accepted"), outcomes.count("refused")) == (10, 190)
    assert spent("dev") == (Decimal("31.00"), 0)
    assert ServiceRequest.objects.count() == Deployment.objects.count() == 10


@pytest.mark.parametrize("seed", range(4))
def test_after_any_walk_the_ledger_is_what_follows_from_the_requests(people, catalog, budget, seed):
    """Every step that a request can take, in any order, also those that are refused."""
    walk = _Walk(people, random.Random(seed))
    budget("700.00")

    for _ in range(60):
        walk.step()
        assert sum(ledger.balances().values()) == 0
        assert bookkeeping.differences() == []

    left = ledger.balances()
    assert left[Account.HELD] >= 0
    assert left[Account.COMMITTED] >= 0
    assert standing(people.payments, "staging").remaining >= 0


class _Walk:
    SKUS = ("B_Standard_B2s", "GP_Standard_D2ds_v5", "GP_Standard_D4ds_v5")

    def __init__(self, people: Any, choose: random.Random) -> None:
        self.people, self.choose, self.count = people, choose, 0

    def step(self) -> None:
        moves = [
            self.submit,
            self.change,
            self.remove,
            self.decide,
            self.run,
            self.run,
            self.retry,
            self.give_up,
        ]
        try:
            self.choose.choice(moves)()
        except (BudgetExceeded, InvalidInput, WrongState):
            pass

    def submit(self) -> None:
        self.count += 1
        services.submit(
            requester=self.people.anna, item="postgresql", name=f"db-{self.count}", business_unit="payments",
            environment="staging", region="northeurope",
            parameters={"sku": self.choose.choice(self.SKUS), "private_endpoint": {"subnet_id": SUBNET}},
        )  # fmt: skip

    def change(self) -> None:
        deployment = self._one(Deployment.objects.filter(state__in=SETTLED))
        sku = self.choose.choice(self.SKUS)
        services.submit_update(requester=self.people.anna, deployment=deployment, parameters={"sku": sku})

    def remove(self) -> None:
        deployment = self._one(Deployment.objects.filter(state__in=SETTLED))
        services.submit_destroy(requester=self.people.anna, deployment=deployment)

    def decide(self) -> None:
        found = self._one(ServiceRequest.objects.filter(state=State.SUBMITTED))
        if self.choose.random() < 0.8:
            services.approve(found, actor=self.people.bert)
        else:
            services.reject(found, actor=self.people.bert, reason="no")

    def run(self) -> None:
        found = self._one(ServiceRequest.objects.filter(state__in=[State.APPROVED, *ACTIVE]))
        services.start(found.run_key)
        found.refresh_from_db()
        resources = self.choose.choice([None, [], [{"address": "a"}]])
        ending = self.choose.choice(["succeed", "succeed", "fail", "stop"])
        if ending == "succeed":
            services.succeed(found, outputs={}, resources=resources or [])
        elif ending == "fail":
            services.fail(found, "broken", changed=self.choose.random() < 0.5, resources=resources)
        else:
            services.stop(found, actor=self.people.anna)
            services.stopped(found, changed=self.choose.random() < 0.5, resources=resources)

    def retry(self) -> None:
        services.retry(self._one(ServiceRequest.objects.filter(state=State.FAILED)), actor=self.people.anna)

    def give_up(self) -> None:
        found = self._one(ServiceRequest.objects.filter(state__in=[State.SUBMITTED, State.APPROVED]))
        services.cancel(found, actor=self.people.anna)

    def _one(self, rows: Any) -> Any:
        found = list(rows.order_by("pk"))
        if not found:
            raise WrongState("there is none")
        return self.choose.choice(found)


# ── the books ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_ledger_that_is_right_is_said_to_be(ready, capsys):
    call_command("ledger", "verify")

    assert capsys.readouterr().out == "The ledger is what follows from the requests.\n"


def test_a_ledger_that_is_wrong_is_named_and_put_right(people, ready, submitted_too, budget, spent):
    ledger.move(_purpose(ready), Account.COMMITTED, Account.FREE, Decimal("3.91"))
    ledger.move(_purpose(ready), Account.FREE, Account.HELD, Decimal("5.00"))
    told = io.StringIO()

    with pytest.raises(CommandError, match="differs from the requests in 2 places"):
        call_command("ledger", "verify", stdout=told)

    assert told.getvalue().splitlines() == [
        "orders in payments/staging: 60.00 a month is committed, and should be 63.91",
        f"{ready.made_by.ref}: 5.00 a month is held, and should be 0.00",
    ]
    call_command("ledger", "correct", stdout=told)
    assert "2 corrections were written." in told.getvalue()
    assert spent() == (COST, COST)
    assert Transfer.objects.filter(is_correction=True).count() == 2


def test_deployments_from_before_the_ledger_are_taken_into_it(ready, submitted_too, spent):
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("ALTER TABLE billing_app_transfer DISABLE TRIGGER transfer_is_never_changed")
        cursor.execute("DELETE FROM billing_app_transfer")
    assert len(bookkeeping.differences()) == 2

    call_command("ledger", "correct", stdout=io.StringIO())

    assert spent() == (COST, COST)


@pytest.fixture
def submitted_too(people, ready, postgres_for_staging):
    return services.submit(requester=people.anna, **{**postgres_for_staging, "name": "second"})


def _purpose(deployment: Deployment) -> ledger.Purpose:
    return ledger.Purpose(
        deployment.business_unit, deployment.environment, deployment.made_by.pk, 9, deployment.pk,
        deployment.name, "postgresql",
    )  # fmt: skip
