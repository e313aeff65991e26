"""Whatever is killed while Terraform applies: the request ends in a true state, and nothing runs twice."""

from typing import Any

from tests.journey.support import RunningPortal


def applied_once(portal: RunningPortal, request: dict[str, Any]) -> bool:
    ended = portal.request(request)
    completed = [text for text in portal.log(request) if text.startswith("Apply complete!")]
    return ended["state"] == "succeeded" and ended["attempt"] == 1 and len(completed) == 1


def test_a_run_outlives_a_killed_consumer(running_portal: RunningPortal) -> None:
    request = running_portal.ask_for_a_server()
    running_portal.wait_for_phase(request, "apply")

    running_portal.kill("consumer")
    running_portal.start("consumer")

    running_portal.wait_for_end(request)
    assert applied_once(running_portal, request)
    assert running_portal.actions(request).count("request.start") == 1


def test_a_request_approved_while_there_is_no_consumer_is_run_by_the_next(
    running_portal: RunningPortal,
) -> None:
    running_portal.kill("consumer")
    request = running_portal.ask_for_a_server()

    running_portal.start("consumer")

    running_portal.wait_for_end(request)
    assert applied_once(running_portal, request)


def test_a_run_waits_for_a_killed_web_process(running_portal: RunningPortal) -> None:
    request = running_portal.ask_for_a_server()
    running_portal.wait_for_phase(request, "apply")

    running_portal.kill("web")
    running_portal.start("web")

    running_portal.wait_for_end(request)
    assert applied_once(running_portal, request)
    assert running_portal.deployment(request)["state"] == "ready"


def test_a_killed_worker_is_found_by_the_sweep_and_the_request_can_be_tried_again(
    running_portal: RunningPortal,
) -> None:
    request = running_portal.ask_for_a_server()
    running_portal.wait_for_phase(request, "apply")

    running_portal.kill_worker(request)
    failed = running_portal.wait_for_end(request, seconds=150)  # the sweep looks once a minute

    assert failed["state"] == "failed"
    assert failed["failure"]
    assert running_portal.deployment(request)["state"] == "incomplete"

    answer = running_portal.call("anna", f"requests/{request['id']}/retry/", {})
    assert answer.status_code == 200, answer.text
    again = running_portal.wait_for_end(request)

    assert again["state"] == "succeeded", again["failure"]
    assert again["attempt"] == 2
    assert running_portal.deployment(request)["state"] == "ready"
