"""The same Idempotency-Key gets the same answer, and the work is done once."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.utils.timezone import now
from rest_framework.response import Response
from rest_framework.test import APIClient, APIRequestFactory
from rest_framework.views import APIView

from portal import idempotency
from portal.errors import InProgress
from portal.models import IdempotencyKey
from requests_app import services
from requests_app.models import Deployment, ServiceRequest
from tests.api.conftest import REQUESTS

KEY = {"Idempotency-Key": "6d1c3c4e-one"}


def test_the_same_call_again_gets_the_same_answer(anna, postgres_for_staging):
    first = anna.post(REQUESTS, postgres_for_staging, headers=KEY)
    anna.post(f"{REQUESTS}{first.json()['id']}/cancel/", {})
    again = anna.post(REQUESTS, postgres_for_staging, headers=KEY)

    assert (first.status_code, "Idempotency-Replayed" in first) == (201, False)
    assert (again.status_code, again["Idempotency-Replayed"]) == (201, "true")
    assert again.content == first.content
    assert again["ETag"] == first["ETag"]
    assert ServiceRequest.objects.count() == 1


def test_another_body_under_the_same_key_is_refused(anna, postgres_for_staging):
    anna.post(REQUESTS, postgres_for_staging, headers=KEY)

    refused = anna.post(REQUESTS, {**postgres_for_staging, "name": "billing"}, headers=KEY)

    assert (refused.status_code, refused.json()["code"]) == (422, "KeyIsTaken")
    assert ServiceRequest.objects.count() == 1


def test_keys_of_others_are_others(anna, people, api_for, postgres_for_staging):
    anna.post(REQUESTS, postgres_for_staging, headers=KEY)

    emils = api_for(people.emil).post(REQUESTS, {**postgres_for_staging, "name": "billing"}, headers=KEY)

    assert emils.status_code == 201


def test_a_refusal_is_not_kept_so_the_mistake_can_be_put_right(anna, postgres_for_staging):
    refused = anna.post(REQUESTS, {**postgres_for_staging, "region": "mars"}, headers=KEY)
    good = anna.post(REQUESTS, postgres_for_staging, headers=KEY)

    assert (refused.status_code, good.status_code) == (400, 201)


def test_a_change_and_a_removal_can_be_repeated_too(anna, people, asked):
    Deployment.objects.update(state="ready")
    ServiceRequest.objects.update(state="succeeded")
    removal = {"kind": "destroy", "deployment": str(asked.deployment_id)}

    first, again = (anna.post(REQUESTS, removal, headers=KEY).json() for _ in range(2))

    assert first["id"] == again["id"]
    assert ServiceRequest.objects.filter(kind="destroy").count() == 1


def test_while_the_first_is_at_work_the_second_is_told_to_wait(anna, people, postgres_for_staging):
    anna.post(REQUESTS, postgres_for_staging, headers=KEY)
    IdempotencyKey.objects.update(made="", status=None, answer="")

    refused = anna.post(REQUESTS, postgres_for_staging, headers=KEY)

    assert (refused.status_code, refused.json()["code"], refused["Retry-After"]) == (409, "InProgress", "1")


def test_a_key_whose_first_call_died_at_work_is_free_again(anna, people, postgres_for_staging):
    IdempotencyKey.objects.create(
        user=people.anna,
        key=KEY["Idempotency-Key"],
        body_digest="of another",
        until=now() - timedelta(seconds=1),
    )

    assert anna.post(REQUESTS, postgres_for_staging, headers=KEY).status_code == 201


def test_what_was_made_by_a_call_that_died_before_it_answered_is_told(anna, postgres_for_staging):
    first = anna.post(REQUESTS, postgres_for_staging, headers=KEY).json()
    IdempotencyKey.objects.update(status=None, answer="")

    told = anna.post(REQUESTS, postgres_for_staging, headers=KEY)
    again = anna.post(REQUESTS, postgres_for_staging, headers=KEY)

    assert (told.status_code, told.json()["id"]) == (201, first["id"])
    assert (again.content, again["Idempotency-Replayed"]) == (told.content, "true")
    assert ServiceRequest.objects.count() == 1


def test_who_comes_too_late_has_done_nothing(people, catalog, postgres_for_staging):
    """The call took longer than a minute, and its repetition took over the key."""
    call = APIView().initialize_request(APIRequestFactory().post(REQUESTS, {}, headers=KEY))
    call.user = people.anna

    def slow() -> Response:
        IdempotencyKey.objects.update(holder=uuid.uuid4())
        services.submit(requester=people.anna, **postgres_for_staging)
        return Response({}, 201)

    with pytest.raises(InProgress):
        idempotency.once(call, slow, Response)

    assert not ServiceRequest.objects.exists()
    assert not Deployment.objects.exists()


def test_after_a_day_the_key_is_forgotten(anna, postgres_for_staging):
    anna.post(REQUESTS, postgres_for_staging, headers=KEY)
    assert IdempotencyKey.objects.filter(
        until__range=(now() + timedelta(hours=23), now() + timedelta(hours=25))
    )
    idempotency.forget_old()
    assert IdempotencyKey.objects.exists()
    IdempotencyKey.objects.update(until=now())

    idempotency.forget_old()

    assert not IdempotencyKey.objects.exists()


def test_what_was_asked_is_kept_as_a_digest_with_a_key(anna, postgres_for_staging):
    anna.post(REQUESTS, {**postgres_for_staging, "justification": "hunter2"}, headers=KEY)
    row = IdempotencyKey.objects.get()

    assert len(row.body_digest) == 64
    assert "hunter2" not in row.body_digest + row.key


@pytest.mark.parametrize("key", ["", " ", "x" * 129, "with space", "é"])
def test_a_key_that_is_none_is_refused_by_name(people, api_for, key):
    refused = api_for(people.anna).post(REQUESTS, {}, headers={"Idempotency-Key": key})

    assert (refused.status_code, list(refused.json()["problems"])) == (400, ["Idempotency-Key"])


@pytest.mark.django_db(transaction=True)
def test_of_many_calls_at_once_one_is_done(people, catalog, postgres_for_staging, api_for):
    """Eight at the same moment: one makes the request, and the others hear of it or wait."""
    at_once = 8
    clients = [api_for(people.anna) for _ in range(at_once)]
    start = Barrier(at_once)

    def ask(client: APIClient) -> tuple[int, Any]:
        try:
            start.wait()
            answer = client.post(REQUESTS, postgres_for_staging, headers=KEY)
            return answer.status_code, answer.json()
        finally:
            connection.close()

    with ThreadPoolExecutor(at_once) as pool:
        answers = list(pool.map(ask, clients))
    later = clients[0].post(REQUESTS, postgres_for_staging, headers=KEY)

    assert {status for status, _ in answers} <= {201, 409}
    assert {body["code"] for status, body in answers if status == 409} <= {"InProgress"}
    assert {body["id"] for status, body in answers if status == 201} == {later.json()["id"]}
    assert ServiceRequest.objects.count() == 1
