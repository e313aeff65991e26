"""Terraform's states: one per deployment, every version kept, encrypted, written by the holder of the lock alone."""

import json
from collections.abc import Mapping
from typing import Any

from cryptography.fernet import MultiFernet
from django.conf import settings
from django.db import transaction

from consumer.models import StateLock, StateVersion
from portal.errors import InvalidInput, PortalError
from portal.keys import keyring
from requests_app.models import Deployment


class Locked(PortalError):
    """Somebody else has the lock; `holder` is what Terraform shows."""

    status = 423

    def __init__(self, holder: Mapping[str, Any]) -> None:
        super().__init__("The state is locked by another run.")
        self.holder = dict(holder)


def read(deployment: Deployment) -> bytes | None:
    """The newest version in clear; None before the first."""
    newest = StateVersion.objects.filter(deployment=deployment).order_by("-id").first()
    return _keys().decrypt(bytes(newest.body)) if newest else None


@transaction.atomic
def write(deployment: Deployment, body: bytes, *, run_key: str, lock_id: str) -> None:
    """Keep a new version. Locked unless this run holds the lock; InvalidInput for what is no state."""
    lock = StateLock.objects.select_for_update().filter(deployment=deployment).first()
    if lock is None or (lock.lock_id, lock.run_key) != (lock_id, run_key):
        raise Locked(lock.info if lock else {"Info": "take the lock first"})
    StateVersion.objects.create(
        deployment=deployment, run_key=run_key, serial=_serial(body), body=_keys().encrypt(body)
    )


@transaction.atomic
def lock(deployment: Deployment, info: Mapping[str, Any], *, run_key: str) -> None:
    """Take the lock, or Locked. The same lock again is a repeated call."""
    lock_id = str(info.get("ID", ""))
    if not 0 < len(lock_id) <= 80:
        raise InvalidInput({"ID": "This is the id of the lock, with at most 80 characters."})
    StateLock.objects.bulk_create(
        [StateLock(deployment=deployment, lock_id=lock_id, run_key=run_key, info=dict(info))],
        ignore_conflicts=True,
    )
    held = StateLock.objects.get(deployment=deployment)
    if (held.lock_id, held.run_key) != (lock_id, run_key):
        raise Locked(held.info)


def unlock(deployment: Deployment, *, run_key: str) -> None:
    """Safe to repeat; never opens the lock of another run."""
    StateLock.objects.filter(deployment=deployment, run_key=run_key).delete()


def break_lock(run_key: str) -> None:
    """For the lock of a run that has ended without a word."""
    StateLock.objects.filter(run_key=run_key).delete()


def _serial(body: bytes) -> int:
    try:
        serial = json.loads(body)["serial"]
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInput({"body": "This is not a Terraform state."}) from error
    if not isinstance(serial, int):
        raise InvalidInput({"body": "The serial of a Terraform state is a whole number."})
    return serial


def _keys() -> MultiFernet:
    return keyring(settings.STATE_KEYS, "terraform states")
