"""The protocol of a run, over HTTP, as a worker speaks it."""

import base64
import json
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from consumer.handler import handle
from consumer.models import StateLock, StateVersion
from portal import ports
from requests_app import services
from requests_app.states import State

STATE = {"version": 4, "serial": 1, "lineage": "x", "resources": []}
REPORT = {
    "outcome": "succeeded",
    "error": "",
    "outputs": {"fqdn": "psql.example"},
    "resources": [],
    "changed": True,
}


class Worker:
    def __init__(self, key: str, token: str) -> None:
        self.key, self.token, self.client = key, token, Client()

    def call(self, name: str, body: Any) -> Any:
        bearer = {"Authorization": f"Bearer {self.token}"}
        return self.client.post(f"/api/v1/runs/{self.key}/{name}", body, "application/json", headers=bearer)

    def claim(self, claimant: str = "claimant-one") -> Any:
        return self.call("claim", {"claimant": claimant, "worker": {"host": "here", "pid": 1}})

    def terraform(self, method: str, body: Any = None, query: str = "") -> Any:
        basic = base64.b64encode(f"{self.key}:{self.token}".encode()).decode()
        raw = body if isinstance(body, (bytes, str)) else json.dumps(body)
        return self.client.generic(
            method, f"/api/v1/runs/{self.key}/state{query}", raw, "application/json",
            headers={"Authorization": f"Basic {basic}"},
        )  # fmt: skip


@pytest.fixture
def worker(delivery, approved, runner) -> Worker:
    handle(delivery)
    approved.refresh_from_db()
    return Worker(approved.run_key, runner.tokens[approved.run_key])


def entry(sequence: int, text: str = "Creating...") -> dict[str, Any]:
    return {"sequence": sequence, "at": now().isoformat(), "phase": "apply", "level": "info", "text": text}


def test_a_claim_gets_everything_the_run_needs(worker, approved):
    answer = worker.claim().json()

    assert answer["key"] == approved.run_key
    assert answer["files"]["main.tf"]
    assert answer["digest"] == approved.item_version.digest
    assert answer["values"]["sku"] == "B_Standard_B2s"
    assert answer["values"]["tags"] == {
        "business-unit": "payments",
        "cost-center": "CC-1001",
        "environment": "staging",
        "deployment": "orders",
        "owner": "anna",
        "request": approved.ref,
        "managed-by": "groundwork",
    }
    assert answer["values"]["resource_group_name"] == "rg-payments-staging-base"
    assert answer["base_groups"] == [{"name": "rg-payments-staging-base", "location": "northeurope"}]


def test_the_tags_stay_when_somebody_else_changes_the_deployment(worker, approved, people, runner):
    """Or every change would be one of every resource."""
    tags = worker.claim().json()["values"]["tags"]
    worker.call("finish", REPORT)
    approved.deployment.refresh_from_db()
    change = services.submit_update(
        requester=people.emil, deployment=approved.deployment, parameters={"storage_gb": 64}
    )
    services.approve(change, actor=people.bert)
    services.enqueue_approved()
    handle(ports.queue().receive(0))
    change.refresh_from_db()

    assert Worker(change.run_key, runner.tokens[change.run_key]).claim().json()["values"]["tags"] == tags


def test_the_rules_about_a_plan_see_the_same_tags(worker, approved, settings, tmp_path):
    settings.POLICY_FOLDER = tmp_path
    (tmp_path / "tags.yaml").write_text("""
rules:
  - id: traced
    version: 1
    title: Resources can be traced to the request that made them
    stage: plan
    effect: deny
    assert: resource.change.after.tags.request == request.tags.request
    message: "{resource.address} has no tag for its request."
    tests:
      - name: traced
        request: {tags: {request: REQ-1}}
        resource: {address: a, change: {after: {tags: {request: REQ-1}}}}
        expect: pass
      - name: of another request
        request: {tags: {request: REQ-1}}
        resource: {address: a, change: {after: {tags: {request: REQ-2}}}}
        expect: fail
""")
    worker.claim()

    def proceeds(tag):
        resource = {
            "address": "a",
            "type": "t",
            "change": {"actions": ["create"], "after": {"tags": {"request": tag}}},
        }
        counts = {"add": 1, "change": 0, "destroy": 0, "replace": 0}
        return worker.call("plan", {**counts, "resources": [resource], "engine": "Terraform 1.15.5"}).json()[
            "proceed"
        ]

    assert proceeds(approved.ref)
    assert not proceeds("REQ-0")


def test_the_same_worker_may_claim_again_and_another_may_not(worker):
    first = worker.claim()
    assert worker.claim().json() == first.json()

    refused = worker.claim("claimant-two")

    assert (refused.status_code, refused.json()["code"]) == (409, "WrongState")


def test_without_the_token_of_the_run_there_is_nothing(worker):
    stranger = Worker(worker.key, "guessed")
    for refused in (
        stranger.claim(),
        stranger.call("entries", {"phase": "apply", "entries": []}),
        stranger.call("finish", REPORT),
        stranger.terraform("GET"),
        stranger.terraform("LOCK", {"ID": "1"}),
        Worker("999-a1", worker.token).claim(),
        Client().post(f"/api/v1/runs/{worker.key}/claim", {}, "application/json"),
    ):
        assert refused.status_code == 403
        assert refused.json()["code"] == "TokenRefused"


@pytest.mark.parametrize(
    "body", ["{", "[]", {"claimant": "x"}, {"claimant": "long-enough", "worker": {}, "more": 1}]
)
def test_what_makes_no_sense_is_refused(worker, body):
    refused = worker.call("claim", body)

    assert refused.status_code == 400
    assert refused.json()["problems"]


def test_entries_are_kept_once(worker, approved):
    worker.claim()
    worker.call("entries", {"phase": "apply", "entries": [entry(1), entry(2)]})
    again = worker.call("entries", {"phase": "apply", "entries": [entry(2), entry(3, "Done")]})

    assert again.json() == {"stop": False}
    assert [e.text for e in services.entries(approved)] == ["Creating...", "Creating...", "Done"]
    assert services.phase(approved) == "apply"


def test_who_is_to_stop_hears_it_with_the_next_entry(worker, approved, people, runner):
    worker.claim()
    services.stop(approved, actor=people.anna)

    assert worker.call("entries", {"phase": "apply", "entries": []}).json() == {"stop": True}
    assert runner.stopped == [worker.key]


def test_a_harmless_plan_may_go_on_and_is_kept(worker, approved):
    worker.claim()
    change = {
        "address": "azurerm_subnet.this",
        "type": "azurerm_subnet",
        "change": {"actions": ["create"], "after": {"a": 1}},
    }
    plan = {
        "add": 1,
        "change": 0,
        "destroy": 0,
        "replace": 0,
        "engine": "Terraform 1.15",
        "resources": [change],
    }

    assert worker.call("plan", plan).json()["proceed"]

    approved.refresh_from_db()
    assert approved.plan["add"] == 1
    assert approved.plan["resources"] == [
        {"address": "azurerm_subnet.this", "type": "azurerm_subnet", "actions": ["create"]}
    ]


def test_a_finished_run_settles_the_request_and_may_say_so_again(worker, approved):
    worker.claim()

    assert worker.call("finish", REPORT).status_code == 200
    assert worker.call("finish", {**REPORT, "outcome": "failed", "error": "no"}).status_code == 200

    approved.refresh_from_db()
    assert (approved.state, approved.deployment.state) == (State.SUCCEEDED, "ready")
    assert approved.deployment.outputs == {"fqdn": "psql.example"}
    assert worker.call("entries", {"phase": "apply", "entries": []}).status_code == 409


def test_a_failed_run_says_why(worker, approved):
    worker.claim()
    worker.call(
        "finish", {"outcome": "failed", "error": "quota", "changed": True, "resources": [{"address": "a"}]}
    )

    approved.refresh_from_db()
    assert (approved.state, approved.failure, approved.deployment.state) == (
        State.FAILED,
        "quota",
        "incomplete",
    )


def test_a_run_that_stopped_because_it_was_asked_to_is_cancelled(worker, approved, people):
    worker.claim()
    services.stop(approved, actor=people.anna)
    worker.call("finish", {"outcome": "stopped", "changed": False, "resources": []})

    approved.refresh_from_db()
    assert (approved.state, approved.deployment.state) == (State.CANCELLED, "abandoned")


def test_a_run_that_stopped_by_itself_has_failed(worker, approved):
    worker.claim()
    worker.call("finish", {"outcome": "stopped", "changed": True, "resources": [{"address": "a"}]})

    approved.refresh_from_db()
    assert (approved.state, approved.deployment.state) == (State.FAILED, "incomplete")


def test_a_state_is_written_by_the_holder_of_the_lock_and_encrypted(worker):
    assert worker.terraform("GET").status_code == 204
    assert worker.terraform("LOCK", {"ID": "lock-1", "Who": "terraform"}).status_code == 200
    assert worker.terraform("POST", STATE, "?ID=lock-1").status_code == 200

    assert worker.terraform("GET").json() == STATE
    assert b"lineage" not in bytes(StateVersion.objects.get().body)
    assert worker.terraform("UNLOCK", {"ID": "lock-1"}).status_code == 200
    assert not StateLock.objects.exists()


def test_without_the_lock_no_state_is_written(worker):
    assert worker.terraform("POST", STATE, "?ID=lock-1").status_code == 423
    worker.terraform("LOCK", {"ID": "lock-1"})
    assert worker.terraform("POST", STATE, "?ID=lock-2").status_code == 423

    assert not StateVersion.objects.exists()


def test_a_lock_is_held_by_one_and_may_be_asked_for_again(worker):
    assert worker.terraform("LOCK", {"ID": "lock-1"}).status_code == 200
    assert worker.terraform("LOCK", {"ID": "lock-1"}).status_code == 200

    refused = worker.terraform("LOCK", {"ID": "lock-2"})

    assert (refused.status_code, refused.json()) == (423, {"ID": "lock-1"})


@pytest.mark.parametrize("body", ["{", "[]", "{}", '{"serial": "x"}'])
def test_what_is_no_state_is_refused(worker, body):
    worker.terraform("LOCK", {"ID": "lock-1"})

    assert worker.terraform("POST", body, "?ID=lock-1").status_code == 400


def test_every_version_of_a_state_is_kept(worker):
    worker.terraform("LOCK", {"ID": "lock-1"})
    for serial in (1, 2, 3):
        worker.terraform("POST", {**STATE, "serial": serial}, "?ID=lock-1")

    assert [version.serial for version in StateVersion.objects.order_by("id")] == [1, 2, 3]
    assert worker.terraform("GET").json()["serial"] == 3


def test_the_token_of_a_run_is_kept_nowhere(worker, approved):
    document = ports.tracker().get_run(approved.run_key)

    assert worker.token not in str(document)


def test_a_lock_that_a_killed_terraform_left_is_freed_by_the_report(worker):
    worker.claim()
    worker.terraform("LOCK", {"ID": "lock-1"})

    worker.call("finish", {"outcome": "failed", "error": "Terraform was killed (SIGKILL)."})

    assert not StateLock.objects.exists()
