from html import unescape

import pytest

from portal.ports import Phase
from requests_app import services
from requests_app.models import ServiceRequest
from tests.pages.conftest import run, write_log

HTMX = {"HX-Request": "true"}


def text_of(response) -> str:
    return unescape(response.content.decode())


def page_of(service_request, client) -> str:
    return text_of(client.get(f"/requests/{service_request.pk}/"))


# ── who sees what ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_stranger_finds_no_request_of_another_business_unit(waiting, people, client_for):
    client = client_for(people.carol)

    for path in ("", "progress/"):
        assert client.get(f"/requests/{waiting.pk}/{path}").status_code == 404
    for step in ("approve", "reject", "cancel", "retry", "stop"):
        assert client.post(f"/requests/{waiting.pk}/{step}/", {"note": "x"}).status_code == 404
    assert waiting.deployment.name not in text_of(client.get("/requests/?whose=all"))
    waiting.refresh_from_db()
    assert waiting.state == "submitted"


def test_an_operator_sees_every_request(waiting, people, client_for):
    assert waiting.ref in page_of(waiting, client_for(people.olga))


# ── the list ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_my_requests_begin_with_an_invitation(people, catalog, client_for):
    assert "You have not requested anything" in text_of(client_for(people.anna).get("/requests/"))


def test_my_requests_are_my_own_unless_i_ask_for_all(waiting, people, client_for):
    client = client_for(people.bert)

    assert "orders" not in text_of(client.get("/requests/"))
    assert "orders" in text_of(client.get("/requests/?whose=all"))


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("q=ord", True), ("q=REQ-99999", False), ("state=open", True), ("state=failed", False),
        ("environment=staging", True), ("environment=prod", False), ("business_unit=payments", True),
    ],
)  # fmt: skip
def test_the_list_is_narrowed_by_its_filters(query, is_found, waiting, people, client_for):
    page = text_of(client_for(people.anna).get(f"/requests/?{query}", headers=HTMX))

    assert ("orders" in page) is is_found
    assert ("No requests match these filters" in page) is not is_found


def test_a_nonsense_filter_changes_nothing(waiting, people, client_for):
    client = client_for(people.anna)

    for query in ("state=burning", "business_unit=nobody", "page=900", "page=x"):
        assert client.get(f"/requests/?{query}").status_code == 200


def test_the_list_is_cut_into_pages(ask, people, client_for):
    for number in range(26):
        ask(f"server-{number}", item="resource-group", environment="dev", parameters={})
    client = client_for(people.anna)

    first, second = text_of(client.get("/requests/")), text_of(client.get("/requests/?page=2"))

    assert "Page 1 of 2" in first
    assert "server-25" in first
    assert "server-25" not in second
    assert "server-0" in second


def test_a_longer_list_needs_no_more_queries(ask, people, client_for, django_assert_max_num_queries):
    for number in range(12):
        ask(f"server-{number}", item="resource-group", environment="dev", parameters={})
    client = client_for(people.anna)

    with django_assert_max_num_queries(8):
        client.get("/requests/")


# ── the page ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_waiting_request_says_who_decides_and_why_not_the_requester(waiting, people, client_for):
    page = page_of(waiting, client_for(people.anna))

    assert "Waiting for an approver" in page
    assert "never the person who asked" in page
    assert "Cancel request" in page
    assert "Your decision" not in page
    assert "Size" in page
    assert "Small" in page
    assert "$63.91" in page
    assert "endpoints" in page


def test_an_approver_decides_on_the_page(waiting, people, client_for):
    client = client_for(people.bert)
    assert "Your decision" in page_of(waiting, client)

    response = client.post(f"/requests/{waiting.pk}/approve/", {"note": "For the pilot."})

    assert response["Location"] == f"/requests/{waiting.pk}/"
    page = page_of(waiting, client)
    assert f"{waiting.ref} was approved." in page
    assert "“For the pilot.”" in page
    assert "Bert Example" in page


def test_a_rejection_without_a_reason_comes_back_with_the_field(waiting, people, client_for):
    response = client_for(people.bert).post(f"/requests/{waiting.pk}/reject/", {"note": "  "})

    assert response.status_code == 400
    assert "Say why, so that the requester knows what to change." in text_of(response)
    waiting.refresh_from_db()
    assert waiting.state == "submitted"


def test_a_rejection_is_shown_with_its_reason(waiting, people, client_for):
    client_for(people.bert).post(f"/requests/{waiting.pk}/reject/", {"note": "Use the shared server."})

    page = page_of(waiting, client_for(people.anna))
    assert "Bert Example rejected this" in page
    assert "“Use the shared server.”" in page
    assert "Request again" in page


def test_nobody_approves_their_own_request(people, ask, client_for):
    people.emil.memberships.create(business_unit=people.payments, role="approver")
    own = ask("mine", requester=people.emil)

    response = client_for(people.emil).post(f"/requests/{own.pk}/approve/")

    assert response.status_code == 403
    assert f"You asked for {own.ref} yourself." in text_of(response)


def test_a_decision_that_comes_second_is_refused(waiting, people, client_for):
    client = client_for(people.bert)
    client.post(f"/requests/{waiting.pk}/approve/")

    response = client.post(f"/requests/{waiting.pk}/reject/", {"note": "too late"})

    assert response.status_code == 409
    assert "is approved now" in text_of(response)


def test_a_decision_leads_back_to_the_queue_and_to_no_other_site(ask, people, client_for):
    client = client_for(people.bert)
    first, second = ask("first"), ask("second")

    back = client.post(f"/requests/{first.pk}/approve/", {"next": "/approvals/"})
    away = client.post(f"/requests/{second.pk}/approve/", {"next": "https://elsewhere.example/"})

    assert back["Location"] == "/approvals/"
    assert away["Location"] == f"/requests/{second.pk}/"


def test_steps_are_taken_by_post_only(waiting, people, client_for):
    assert client_for(people.bert).get(f"/requests/{waiting.pk}/approve/").status_code == 405


def test_an_unknown_step_is_not_found(waiting, people, client_for):
    client = client_for(people.olga)

    for step in ("enqueue", "succeed", "submit"):
        assert client.post(f"/requests/{waiting.pk}/{step}/").status_code == 404


def test_the_requester_cancels(waiting, people, client_for):
    client_for(people.anna).post(f"/requests/{waiting.pk}/cancel/")

    page = page_of(waiting, client_for(people.anna))
    assert "Cancelled" in page
    assert "Cancel request" not in page


def test_a_running_request_shows_its_plan_and_its_log(running, people, client_for):
    page = page_of(running, client_for(people.anna))

    assert "<strong>1</strong> to add" in page
    assert "azurerm_postgresql_flexible_server.this" in page
    assert "server: Creating..." in page
    assert "Applying" in page
    assert 'hx-trigger="every 1s"' in page
    assert "Stop" in page


def test_lines_of_the_log_are_escaped(running, people, client_for):
    write_log(running, "<script>alert(1)</script>", start=3)

    page = client_for(people.anna).get(f"/requests/{running.pk}/").content

    assert b"<script>alert" not in page
    assert b"&lt;script&gt;alert" in page


def test_the_progress_holds_only_what_is_new(running, people, client_for):
    client = client_for(people.anna)
    write_log(running, "server: Still creating...", start=3)

    part = text_of(client.get(f"/requests/{running.pk}/progress/?after=2&seen=running.1.apply"))

    assert "Still creating" in part
    assert "server: Creating..." not in part
    assert 'hx-swap-oob="beforeend:#log"' in part
    assert 'id="timeline"' not in part
    assert "after=3&seen=running.1.apply" in part


def test_the_progress_brings_the_whole_page_up_to_date_when_the_state_changes(running, people, client_for):
    services.succeed(running, outputs={}, resources=[])

    part = text_of(
        client_for(people.anna).get(f"/requests/{running.pk}/progress/?after=2&seen=running.1.apply")
    )

    assert 'id="timeline"' in part
    assert "See its outputs and what you can change" in part
    assert "hx-get" not in part


def test_a_second_attempt_begins_a_new_log(failed, people, client_for):
    services.retry(failed, actor=people.anna)
    again = run(failed, people.bert)
    write_log(again, "Second time", phase=Phase.INIT)

    part = text_of(client_for(people.anna).get(f"/requests/{failed.pk}/progress/?after=7&seen=failed.1.plan"))

    assert "Second time" in part
    assert "Log of attempt 2" in part
    assert 'id="logslot"' in part


@pytest.mark.parametrize("query", ["after=x", "after=-1", "", "after=99999999999999999999&seen=%00"])
def test_a_nonsense_question_for_progress_is_answered(query, running, people, client_for):
    assert client_for(people.anna).get(f"/requests/{running.pk}/progress/?{query}").status_code == 200


def test_a_failure_says_why_and_offers_a_retry(failed, people, client_for):
    client = client_for(people.anna)
    page = page_of(failed, client)

    assert "SkuNotAvailable: there is none in northeurope" in page
    assert "Nothing was changed." in page
    assert 'hx-trigger="every' not in page

    client.post(f"/requests/{failed.pk}/retry/")

    failed.refresh_from_db()
    assert (failed.state, failed.attempt) == ("approved", 2)


def test_an_approver_has_no_button_to_retry_or_to_cancel(failed, people, client_for):
    page = page_of(failed, client_for(people.bert))

    assert "Retry</button>" not in page


def test_a_finished_request_leads_to_its_deployment(ready, people, client_for):
    asked = ServiceRequest.objects.get()
    page = page_of(asked, client_for(people.anna))

    assert f"/resources/{ready.pk}/" in page
    assert "Approved by Bert Example" in page


def test_the_page_needs_few_queries(running, people, client_for, django_assert_max_num_queries):
    write_log(running, *(f"line {number}" for number in range(200)), start=3)
    client = client_for(people.anna)

    with django_assert_max_num_queries(14):
        client.get(f"/requests/{running.pk}/")
    with django_assert_max_num_queries(14):
        client.get(f"/requests/{running.pk}/progress/?after=0")
