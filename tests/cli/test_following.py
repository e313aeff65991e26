"""list, show, wait, log, deployments: against a portal that listens."""

import pytest
from django.utils.timezone import now

from portal import ports
from portal.identity.models import User
from portal.ports import Entry
from requests_app.models import ServiceRequest
from tests.cli.conftest import Groundwork
from tests.cli.steps import run_ends_well, run_fails, run_starts

pytestmark = pytest.mark.django_db(transaction=True)


def test_requests_are_listed_and_narrowed(anna: Groundwork, bert: Groundwork, asked: str) -> None:
    assert asked in anna("list").out
    assert asked in anna("list", "--mine", "--state", "submitted", "--search", "ord").out
    assert asked in bert("list", "--waiting").out
    assert "There are no such requests." in bert("list", "--mine").out
    assert [found["ref"] for found in anna("list", "--json").json] == [asked]


def test_a_filter_that_is_not_known_is_refused(anna: Groundwork) -> None:
    answer = anna("list", "--state", "lost")

    assert answer.code == 1
    assert "state" in answer.err
    assert "submitted" in answer.err


def test_a_request_is_shown_whole(anna: Groundwork, asked: str) -> None:
    answer = anna("show", asked, "--history")

    assert answer.code == 0
    for expected in (asked, "postgresql", "payments, staging, northeurope", "Estimate", "request.submit"):
        assert expected in answer.out


@pytest.mark.parametrize("write", [str.lower, str.upper, lambda ref: ref.removeprefix("REQ-")])
def test_a_reference_can_be_written_in_several_ways(anna: Groundwork, asked: str, write) -> None:
    assert anna("show", write(asked), "--json").json["ref"] == asked


@pytest.mark.parametrize("command", ["show", "wait", "log", "approve", "cancel", "retry", "stop"])
@pytest.mark.parametrize(
    ("ref", "why"),
    [("orders", "is no request"), ("REQ-99", "It is not there"), ("１", "is no request")],
)
def test_a_request_that_is_not_there_is_refused(anna: Groundwork, command: str, ref: str, why: str) -> None:
    answer = anna(command, ref)

    assert answer.code == 1
    assert why in answer.err
    assert "Fix:" in answer.err


def test_a_stranger_sees_nothing(signed_in, people, asked: str) -> None:
    carol = signed_in(people.carol)

    assert carol("show", asked).code == 1
    assert asked not in carol("list").out


def test_the_end_of_a_run_is_waited_for(anna: Groundwork, bert: Groundwork, asked: str) -> None:
    bert("approve", asked)
    run_ends_well(asked)

    answer = anna("wait", asked)

    assert answer.code == 0
    assert f"{asked} is succeeded" in answer.out


def test_a_failed_run_has_an_exit_code_of_its_own(anna: Groundwork, bert: Groundwork, asked: str) -> None:
    bert("approve", asked)
    run_fails(asked, "The name is taken.")

    answer = anna("wait", asked)

    assert answer.code == 3
    assert f"{asked} failed: The name is taken." in answer.err
    assert f"groundwork retry {asked}" in answer.err


def test_a_rejected_request_is_refused_with_the_reason(
    anna: Groundwork, bert: Groundwork, asked: str
) -> None:
    bert("reject", asked, "--reason", "Use the shared server.")

    answer = anna("wait", asked)

    assert answer.code == 1
    assert f"{asked} is rejected: Use the shared server." in answer.err


def test_waiting_can_be_given_up(anna: Groundwork, asked: str) -> None:
    answer = anna("wait", asked, "--timeout", "0")

    assert answer.code == 2
    assert f"groundwork wait {asked}" in answer.err


def test_waiting_prints_one_document_for_machines(anna: Groundwork, bert: Groundwork, asked: str) -> None:
    bert("approve", asked)
    run_ends_well(asked)

    answer = anna("wait", asked, "--log", "--json")

    assert answer.json["state"] == "succeeded"


def test_the_log_is_printed_without_control_characters(
    anna: Groundwork, bert: Groundwork, asked: str
) -> None:
    bert("approve", asked)
    service_request = run_starts(asked)
    lines = ["Creating...", "\x1b[31mfailed\x1b[0m [bold]"]
    entries = [Entry(i, now(), "apply", "info", line) for i, line in enumerate(lines, start=1)]
    ports.tracker().append(service_request.run_key, entries)

    answer = anna("log", asked)

    assert answer.code == 0
    assert "Creating..." in answer.out
    assert "[31mfailed[0m [bold]" in answer.out
    assert "\x1b" not in answer.out
    assert [entry["sequence"] for entry in anna("log", asked, "--json").json] == [1, 2]


def test_a_log_is_followed_to_the_end(anna: Groundwork, bert: Groundwork, asked: str) -> None:
    bert("approve", asked)
    run_ends_well(asked)

    assert anna("log", asked, "--follow").code == 0


def test_deployments_are_listed_and_shown(anna: Groundwork, bert: Groundwork, asked: str) -> None:
    bert("approve", asked)
    run_ends_well(asked)

    assert "orders" in anna("deployments").out
    assert "psql-orders.example" in anna("deployments", "orders").out
    assert "There are no such deployments." in anna("deployments", "--state", "destroyed").out
    assert anna("deployments", "--json").json[0]["name"] == "orders"


def test_lists_longer_than_a_page_are_read_to_the_limit(anna: Groundwork, people, asked: str) -> None:
    service_request = ServiceRequest.objects.get()
    copies = [ServiceRequest(**_values(service_request, people.anna)) for _ in range(120)]
    ServiceRequest.objects.bulk_create(copies)

    assert len(anna("list", "--limit", "110", "--json").json) == 110
    assert len(anna("list", "--limit", "1000", "--json").json) == 121


def _values(service_request: ServiceRequest, requester: User) -> dict[str, object]:
    """Those of a copy that is over: a deployment has one open request."""
    fields = {field.attname: getattr(service_request, field.attname) for field in ServiceRequest._meta.fields}
    return {**fields, "id": None, "state": "cancelled", "requester_id": requester.pk}
