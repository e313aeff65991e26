"""From a request to what is there, and to its end: over HTTP, with every process real."""

from tests.journey.support import RunningPortal, a_server, manage


def test_a_server_is_asked_for_approved_changed_and_removed(running_portal: RunningPortal) -> None:
    made = running_portal.wait_for_end(running_portal.ask_for_a_server())

    assert made["state"] == "succeeded", made["failure"]
    assert (made["plan"]["add"], made["plan"]["change"], made["plan"]["destroy"]) == (3, 0, 0)
    deployment = running_portal.deployment(made)
    assert deployment["state"] == "ready"
    assert deployment["outputs"]["fqdn"].endswith(".postgres.database.azure.com")

    larger = {"kind": "update", "deployment": deployment["id"], "parameters": {"sku": "GP_Standard_D2ds_v5"}}
    changed = running_portal.wait_for_end(running_portal.ask(**larger))

    assert changed["state"] == "succeeded", changed["failure"]
    assert (changed["plan"]["add"], changed["plan"]["change"], changed["plan"]["destroy"]) == (0, 1, 0)
    assert running_portal.deployment(made)["parameters"]["sku"] == "GP_Standard_D2ds_v5"

    gone = running_portal.wait_for_end(running_portal.ask(kind="destroy", deployment=deployment["id"]))

    assert gone["state"] == "succeeded", gone["failure"]
    assert running_portal.deployment(made)["state"] == "destroyed"
    assert running_portal.actions(made) == [
        "request.submit", "request.approve", "request.enqueue", "request.start", "request.succeed",
    ]  # fmt: skip
    manage(running_portal.environment, "audit", "verify")


def test_nobody_approves_their_own_request_and_strangers_do_not_see_it(running_portal: RunningPortal) -> None:
    request = running_portal.call("anna", "requests/", a_server("guarded")).json()

    own = running_portal.call("anna", f"requests/{request['id']}/approve/", {})
    strangers = running_portal.call("carol", f"requests/{request['id']}/")

    assert (own.status_code, own.json()["code"]) == (403, "NotAllowed")
    assert strangers.status_code == 404
    assert running_portal.request(request)["state"] == "submitted"
