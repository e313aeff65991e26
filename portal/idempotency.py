"""
Calls that may be repeated: the same Idempotency-Key gets the same answer, and the work is done once.

A key is taken before the work, and notes in the transaction of the work what was made. So there is no moment in which
the work is done and the key does not know it, whatever dies.
"""

import json
import re
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from datetime import timedelta

from django.utils.crypto import salted_hmac
from django.utils.timezone import now
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from portal.errors import InProgress, InvalidInput, KeyIsTaken
from portal.http import ApiCall
from portal.models import IdempotencyKey

HEADER = "Idempotency-Key"
KEY = re.compile(r"[\x21-\x7e]{1,128}")
KEPT_FOR = timedelta(hours=24)
DONE_WITHIN = timedelta(seconds=60)  # who has not by then has died

_taken: ContextVar[IdempotencyKey | None] = ContextVar("taken", default=None)


def once(call: ApiCall, work: Callable[[], Response], tell_of: Callable[[str], Response]) -> Response:
    """
    Do the work and answer; with a key that was used before, answer as then.

    `tell_of` answers for what was made, when the first call died before its answer was kept. InProgress while the first
    is at work, KeyIsTaken for another body. A refusal changes nothing and is not kept: it can quote what was sent.
    """
    key = call.headers.get(HEADER)
    if key is None:
        return work()
    if not KEY.fullmatch(key):
        raise InvalidInput({HEADER: "Give 1 to 128 visible ASCII characters, for example a new UUID."})
    row, is_ours = _take(call, key, _digest(call))
    if is_ours:
        return _keep(row, _do(row, work))
    if row.status is None:
        return _keep(row, tell_of(row.made))
    return Response(json.loads(row.answer), row.status, headers={"Idempotency-Replayed": "true"})


def made(subject: str) -> None:
    """Say what was made, in the transaction of the work. InProgress undoes it: another call has taken over the key."""
    row = _taken.get()
    mine = IdempotencyKey.objects.filter(pk=row.pk, holder=row.holder) if row else None
    if mine is not None and not mine.update(made=subject, until=now() + KEPT_FOR):
        raise InProgress(f"This call took too long, and another one with the same {HEADER} took over.")


def forget_old() -> None:
    IdempotencyKey.objects.filter(until__lt=now()).delete()


def _take(call: ApiCall, key: str, digest: str) -> tuple[IdempotencyKey, bool]:
    """The row of this key, and whether it is ours to fill."""
    holder = uuid.uuid4()
    mine = {"body_digest": digest, "holder": holder, "until": now() + DONE_WITHIN}
    row, is_new = IdempotencyKey.objects.get_or_create(user=call.user, key=key, defaults=mine)
    free = IdempotencyKey.objects.filter(pk=row.pk, until__lt=now())
    if is_new or free.update(**mine, made="", status=None, answer=""):
        row.holder = holder
        return row, True
    if row.body_digest != digest:
        raise KeyIsTaken(f"This {HEADER} was used for something else: take a new one for a new request.")
    if not row.made:
        raise InProgress(f"The first call with this {HEADER} is at work: repeat it in a second.")
    return row, False


def _do(row: IdempotencyKey, work: Callable[[], Response]) -> Response:
    before = _taken.set(row)
    try:
        return work()
    finally:
        _taken.reset(before)
        IdempotencyKey.objects.filter(pk=row.pk, holder=row.holder, made="").delete()  # refused


def _keep(row: IdempotencyKey, response: Response) -> Response:
    answer = JSONRenderer().render(response.data).decode()
    IdempotencyKey.objects.filter(pk=row.pk, status=None).update(status=response.status_code, answer=answer)
    return response


def _digest(call: ApiCall) -> str:
    """Of what is asked for. With a key of ours: nobody can try bodies against it."""
    said = [call.method, call.path, call.user.only_in, call.data]
    text = json.dumps(said, sort_keys=True, separators=(",", ":"))
    return salted_hmac(__name__, text, algorithm="sha256").hexdigest()
