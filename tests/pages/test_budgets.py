"""Budgets on the pages, in the API, in the admin and in the client's words."""

from decimal import Decimal
from html import unescape

import pytest

from billing_app import budgets
from billing_app.models import Budget
from portal.models import Event
from requests_app import services
from tests.conftest import SUBNET

URL = "/api/v1/budgets/"
BUDGETS = "/admin/billing_app/budget/"


def text_of(response) -> str:
    return " ".join(unescape(response.content.decode()).split())


@pytest.fixture
def budget(people):
    def set_it(amount="1000.00", action="block", unit="payments", environment="staging"):
        found = Budget(
            business_unit=getattr(people, unit), environment=environment, amount=Decimal(amount),
            currency="USD", action=action,
        )  # fmt: skip
        budgets.set_budget(found, actor=people.olga)
        return found

    return set_it


# ── the page ────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_page_shows_what_is_spent_and_on_what(budget, ready, ask, people, client_for):
    budget("200.00")
    ask("second")

    page = text_of(client_for(people.anna).get("/budgets/"))

    for shown in (
        "Nothing more is let through",
        "$200.00",
        "$63.91",
        "$72.18",
        "2 resources",
        "ledger",
        "second",
    ):
        assert shown in page
    assert f'href="/resources/{ready.pk}/"' in page


def test_it_shows_only_the_own_business_units(budget, ready, people, client_for):
    budget()
    budget("77.77", unit="retail")

    page = text_of(client_for(people.carol).get("/budgets/"))

    assert "$77.77" in page
    assert "$1,000.00" not in page
    assert "ledger" not in page


def test_an_operator_sees_all(budget, people, client_for):
    budget()
    budget("77.77", unit="retail")

    page = text_of(client_for(people.olga).get("/budgets/"))

    assert "$77.77" in page
    assert "$1,000.00" in page


def test_what_costs_without_a_budget_is_there_too(ready, people, client_for):
    page = text_of(client_for(people.anna).get("/budgets/"))

    assert "No limit" in page
    assert "$63.91" in page


def test_before_there_is_anything_the_page_says_so(people, client_for):
    assert "There is no budget yet" in text_of(client_for(people.anna).get("/budgets/"))


def test_an_overspent_budget_is_below_zero(budget, ready, people, client_for):
    budget("50.00")

    assert "−$13.91" in text_of(client_for(people.anna).get("/budgets/"))


def test_more_resources_need_no_more_queries(budget, ask, people, client_for, django_assert_max_num_queries):
    budget("99999.00")
    for number in range(6):
        ask(f"server-{number}")
    client = client_for(people.anna)

    with django_assert_max_num_queries(9):
        client.get("/budgets/")


# ── beside the form, and for who decides ────────────────────────────────────────────────────────────────────


def form(**values):
    return {
        "business_unit": "payments", "environment": "staging", "region": "northeurope", "param-name": "shop",
        "param-sku": "B_Standard_B2s", "param-storage_gb": "32", "param-postgres_version": "16",
        "param-backup_retention_days": "7", "param-private_endpoint": "on",
        "param-private_endpoint-subnet_id": SUBNET, **values,
    }  # fmt: skip


def test_the_panel_shows_the_effect_on_the_budget(budget, catalog, people, client_for):
    budget("200.00")

    panel = text_of(client_for(people.anna).post("/catalog/postgresql/request/check/", form()))

    assert "Budget of Payments, staging" in panel
    assert "$63.91 more" in panel
    assert "Left then</dt><dd>$136.09" in panel


def test_the_panel_says_beforehand_that_the_budget_blocks(budget, catalog, people, client_for):
    budget("10.00")
    anna = client_for(people.anna)

    panel = text_of(anna.post("/catalog/postgresql/request/check/", form()))
    posted = anna.post("/catalog/postgresql/request/", form())

    sentence = "This costs 63.91 USD a month more. Payments has a budget of 10.00 USD a month for staging"
    assert sentence in panel
    assert "the budget does not allow it" in panel
    assert posted.status_code == 422
    assert sentence in text_of(posted)
    assert ">Business unit</a>: This costs 63.91 USD" in text_of(posted)


def test_a_change_shows_from_to_and_the_difference(budget, ready, people, client_for):
    budget("200.00")
    anna = client_for(people.anna)
    change = {"param-sku": "GP_Standard_D2ds_v5", "param-storage_gb": "32"}

    panel = text_of(anna.post(f"/resources/{ready.pk}/change/", change, headers={"HX-Request": "true"}))

    assert "$155.89" in panel
    assert "$63.91 now, $91.98 more a month" in panel
    asked = services.submit_update(
        requester=people.anna, deployment=ready, parameters={"sku": "GP_Standard_D2ds_v5"}
    )
    page = text_of(client_for(people.bert).get(asked.get_absolute_url()))
    assert "$155.89 a month, $91.98 more" in page
    assert "Asked for</dt><dd>$91.98" in page
    assert "Left</dt><dd>$44.11" in page


def test_a_removal_shows_what_it_saves(budget, ready, people, client_for):
    budget("200.00")

    page = text_of(client_for(people.anna).get(f"/resources/{ready.pk}/destroy/"))

    assert "Saves $63.91 a month" in page
    assert "$63.91 less" in page
    removal = services.submit_destroy(requester=people.anna, deployment=ready)
    assert "Saves $63.91 a month" in text_of(client_for(people.bert).get(removal.get_absolute_url()))


# ── the API ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_budgets_are_read_with_what_they_pay_for(budget, ready, people, api_for):
    budget("200.00")

    (found,) = api_for(people.anna).get(URL).json()["results"]

    assert found == {
        "business_unit": "payments", "environment": "staging", "currency": "USD", "amount": "200.00",
        "action": "block", "committed": "63.91", "held": "0.00", "remaining": "136.09",
        "deployments": [
            {"deployment": str(ready.pk), "name": "ledger", "item": "postgresql", "committed": "63.91", "held": "0.00"}
        ],
    }  # fmt: skip


def test_without_a_budget_there_is_no_amount_and_nothing_remains(ready, people, api_for):
    (found,) = api_for(people.anna).get(URL).json()["results"]

    assert (found["amount"], found["remaining"], found["action"]) == (None, None, "none")


def test_they_are_narrowed_and_scoped_and_never_written(budget, people, api_for):
    budget()
    budget("77.77", unit="retail", environment="prod")
    anna, olga = api_for(people.anna), api_for(people.olga)

    assert [row["business_unit"] for row in anna.get(URL).json()["results"]] == ["payments"]
    assert anna.get(URL, {"business_unit": "retail"}).json()["results"] == []
    assert [row["amount"] for row in olga.get(URL, {"environment": "prod"}).json()["results"]] == ["77.77"]
    for wrong in ({"environment": "moon"}, {"unit": "retail"}):
        refused = anna.get(URL, wrong)
        assert (refused.status_code, list(refused.json()["problems"])) == (400, list(wrong))
    assert anna.post(URL, {"amount": 1}).status_code == 405


def test_they_come_in_pages(budget, people, api_for):
    for environment in ("dev", "staging", "prod"):
        budget(environment=environment)
    anna = api_for(people.anna)

    first = anna.get(URL, {"limit": 2}).json()
    second = anna.get(first["next"]).json()

    assert [row["environment"] for row in first["results"] + second["results"]] == ["dev", "prod", "staging"]
    assert second["next"] is None


def test_a_request_tells_what_it_changes_in_the_cost(ready, people, api_for):
    asked = services.submit_update(
        requester=people.anna, deployment=ready, parameters={"sku": "GP_Standard_D2ds_v5"}
    )

    found = api_for(people.anna).get(f"/api/v1/requests/{asked.pk}/").json()

    assert (found["cost_before"], found["cost_difference"], found["monthly_cost"]) == (
        "63.91",
        "91.98",
        "155.89",
    )


# ── the admin ───────────────────────────────────────────────────────────────────────────────────────────────


def test_the_platform_team_sets_a_budget_and_it_is_written_down(people, client_for):
    olga = client_for(people.olga)

    added = olga.post(
        f"{BUDGETS}add/",
        {"business_unit": people.payments.pk, "environment": "prod", "amount": "5000", "action": "block"},
    )

    assert added.status_code == 302
    found = Budget.objects.get()
    assert (found.amount, found.currency) == (5000, "USD")
    event = Event.objects.get(action="budget.set")
    assert (event.subject, event.actor, event.business_unit) == (
        "budget payments/prod",
        people.olga,
        people.payments,
    )
    assert event.data == {
        "environment": "prod", "was": {}, "is": {"amount": "5000.00", "currency": "USD", "action": "block"},
    }  # fmt: skip


def test_a_change_keeps_what_it_was(budget, people, client_for):
    found = budget("1000.00", "warn")

    client_for(people.olga).post(f"{BUDGETS}{found.pk}/change/", {"amount": "800.50", "action": "block"})

    event = Event.objects.latest("sequence")
    assert event.data["was"] == {"amount": "1000.00", "currency": "USD", "action": "warn"}
    assert event.note == "800.50 USD block"
    found.refresh_from_db()
    assert (found.amount, found.environment) == (Decimal("800.50"), "staging")


def test_a_removed_budget_is_written_down(budget, people, client_for):
    found = budget()

    client_for(people.olga).post(f"{BUDGETS}{found.pk}/delete/", {"post": "yes"})

    assert not Budget.objects.exists()
    assert Event.objects.latest("sequence").action == "budget.remove"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"amount": "-1"}, "budget_is_not_negative"),
        ({"amount": ""}, "required"),
        ({"action": "x"}, "valid choice"),
    ],
)
def test_a_budget_that_makes_no_sense_is_refused(people, client_for, change, why):
    values = {"business_unit": people.payments.pk, "environment": "prod", "amount": "1", "action": "block"}

    page = client_for(people.olga).post(f"{BUDGETS}add/", {**values, **change})

    assert page.status_code == 200
    assert why in text_of(page)
    assert not Budget.objects.exists()


def test_there_is_one_budget_for_an_environment(budget, people, client_for):
    budget()
    values = {"business_unit": people.payments.pk, "environment": "staging", "amount": "1", "action": "block"}

    page = text_of(client_for(people.olga).post(f"{BUDGETS}add/", values))

    assert "has a budget for this environment: change that one" in page


def test_the_ledger_and_the_prices_are_looked_at_and_not_changed(ready, people, client_for):
    olga = client_for(people.olga)

    for path in ("/admin/billing_app/transfer/", "/admin/billing_app/price/"):
        assert olga.get(path).status_code == 200
        assert olga.get(f"{path}add/").status_code == 403
    line = ready.made_by
    assert "63.91" in text_of(olga.get(f"/admin/billing_app/transfer/?q={line.pk}"))
    assert client_for(people.emil).get(BUDGETS).status_code == 302
