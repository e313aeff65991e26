import threading

import pytest
from django.db import IntegrityError, connection, transaction

from portal.errors import InvalidInput, NotAllowed, WrongState
from portal.identity.models import Membership, User
from portal.identity.roles import Role
from portal.models import Event
from requests_app import services
from requests_app.models import Deployment, ServiceRequest
from requests_app.states import DeploymentState, State


def test_an_approver_of_the_business_unit_approves(submitted, people):
    services.approve(submitted, actor=people.bert, note="fine")

    assert (submitted.state, submitted.decided_by, submitted.decision_note) == (
        State.APPROVED,
        people.bert,
        "fine",
    )


def test_nobody_approves_their_own_request(submitted, people):
    Membership.objects.create(user=people.anna, business_unit=people.payments, role=Role.APPROVER)
    anna = User.objects.get(pk=people.anna.pk)

    with pytest.raises(NotAllowed, match="yourself"):
        services.approve(submitted, actor=anna)


def test_the_database_refuses_a_decision_of_the_requester(submitted, people):
    with pytest.raises(IntegrityError), transaction.atomic():
        ServiceRequest.objects.filter(pk=submitted.pk).update(decided_by=people.anna)


@pytest.mark.parametrize("name", ["carol", "dora", "emil", "olga"])
def test_only_approvers_decide(submitted, people, name):
    with pytest.raises(NotAllowed):
        services.approve(submitted, actor=getattr(people, name))
    with pytest.raises(NotAllowed):
        services.reject(submitted, actor=getattr(people, name), reason="no")

    submitted.refresh_from_db()
    assert submitted.state == State.SUBMITTED


def test_a_membership_that_has_ended_gives_no_right(submitted, people):
    Membership.objects.filter(user=people.bert).update(expires_at=submitted.submitted_at)

    with pytest.raises(NotAllowed):
        services.approve(submitted, actor=people.bert)


def test_a_rejection_says_why_and_frees_the_name(submitted, people, postgres_for_staging):
    with pytest.raises(InvalidInput) as refused:
        services.reject(submitted, actor=people.bert, reason="  ")
    assert "reason" in refused.value.problems

    services.reject(submitted, actor=people.bert, reason="too big")

    assert submitted.state == State.REJECTED
    assert submitted.deployment.state == DeploymentState.ABANDONED
    assert services.submit(requester=people.anna, **postgres_for_staging).state == State.SUBMITTED


def test_a_decision_stands(submitted, people):
    services.reject(submitted, actor=people.bert, reason="too big")

    with pytest.raises(WrongState, match="rejected now"):
        services.approve(submitted, actor=people.bert)


def test_the_second_of_two_who_decided_at_once_is_told(submitted, people):
    seen_by_the_second = ServiceRequest.objects.get(pk=submitted.pk)
    services.approve(submitted, actor=people.bert)

    with pytest.raises(WrongState, match="approved now"):
        services.reject(seen_by_the_second, actor=people.bert, reason="too late")

    assert Event.objects.about(submitted.ref).count() == 2


@pytest.mark.django_db(transaction=True)
def test_of_many_who_decide_at_once_exactly_one_does(submitted, people):
    outcomes: list[str] = []
    start = threading.Barrier(6)

    def decide() -> None:
        try:
            seen = ServiceRequest.objects.get(pk=submitted.pk)
            start.wait()
            services.approve(seen, actor=people.bert)
            outcomes.append("approved")
        except WrongState:
            outcomes.append("told")
        finally:
            connection.close()

    threads = [threading.Thread(target=decide) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["approved", *["told"] * 5]
    assert Event.objects.filter(action="request.approve").count() == 1


def test_the_requester_cancels_before_it_runs(submitted, people):
    services.cancel(submitted, actor=people.anna)

    assert submitted.state == State.CANCELLED
    assert submitted.deployment.state == DeploymentState.ABANDONED


def test_what_runs_cannot_be_cancelled(running, people):
    with pytest.raises(WrongState):
        services.cancel(running, actor=people.anna)


def test_a_failed_request_says_why_and_can_be_tried_again(running, people):
    services.fail(running, "quota exceeded", changed=True, resources=[{"address": "a"}])
    assert (running.state, running.failure) == (State.FAILED, "quota exceeded")
    assert running.deployment.state == DeploymentState.INCOMPLETE

    services.retry(running, actor=people.anna)

    assert (running.state, running.attempt, running.failure) == (State.APPROVED, 2, "")
    assert running.run_key == f"{running.pk}-a2"


def test_a_late_word_of_an_earlier_attempt_changes_nothing(running, people):
    first_attempt = ServiceRequest.objects.get(pk=running.pk)
    services.fail(running, "lost", changed=False)
    services.retry(running, actor=people.anna)
    services.start(running.run_key)

    with pytest.raises(WrongState):
        services.succeed(first_attempt, outputs={}, resources=[])
    assert services.by_run_key(f"{running.pk}-a1") is None


def test_a_failure_without_a_reason_is_refused_by_the_database(running):
    with pytest.raises(IntegrityError), transaction.atomic():
        ServiceRequest.objects.filter(pk=running.pk).update(state=State.FAILED)


def test_the_database_keeps_one_open_request_for_a_deployment(submitted):
    copy = ServiceRequest.objects.get(pk=submitted.pk)
    copy.pk = None

    with pytest.raises(IntegrityError), transaction.atomic():
        copy.save(force_insert=True)


def test_a_retry_waits_for_the_open_request(ready, people, end_of):
    failed = end_of(services.submit_destroy(requester=people.anna, deployment=ready), "fail", changed=False)
    services.submit_destroy(requester=people.anna, deployment=ready)

    with pytest.raises(WrongState, match="open request"):
        services.retry(failed, actor=people.anna)


def test_what_nobody_decides_expires(submitted, settings):
    ServiceRequest.objects.update(decide_before=submitted.submitted_at)

    services.expire_undecided()

    submitted.refresh_from_db()
    assert submitted.state == State.EXPIRED
    assert Deployment.objects.get().state == DeploymentState.ABANDONED


def test_a_destroyed_deployment_holds_nothing(ready, people, end_of):
    end_of(services.submit_destroy(requester=people.anna, deployment=ready), "succeed")

    ready.refresh_from_db()
    assert (ready.state, ready.outputs, ready.resources, ready.monthly_cost) == ("destroyed", {}, [], None)
    assert ready.destroyed_at


def test_an_update_that_succeeded_is_what_is_there_now(ready, people, end_of):
    wanted = services.submit_update(requester=people.anna, deployment=ready, parameters={"storage_gb": 64})
    end_of(wanted, "succeed", outputs={"fqdn": "same"})

    ready.refresh_from_db()
    assert (ready.state, ready.parameters["storage_gb"], ready.outputs) == ("ready", 64, {"fqdn": "same"})


def test_an_update_that_failed_before_it_changed_anything_leaves_it_ready(ready, people, end_of):
    wanted = services.submit_update(requester=people.anna, deployment=ready, parameters={"storage_gb": 64})
    end_of(wanted, "fail", changed=False)

    ready.refresh_from_db()
    assert (ready.state, ready.parameters["storage_gb"]) == ("ready", 32)


def test_steps_are_offered_to_those_who_may_take_them(submitted, people):
    assert services.steps_for(submitted, people.anna) == {"cancel"}
    assert services.steps_for(submitted, people.bert) == {"approve", "reject"}
    assert services.steps_for(submitted, people.olga) == {"cancel"}
    assert services.steps_for(submitted, people.carol) == set()
    assert services.steps_for(submitted, people.dora) == set()
