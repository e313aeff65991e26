from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from tests.permissions.world import World, build


@pytest.fixture(scope="module")
def world(tmp_path_factory: Any, django_db_setup: Any, django_db_blocker: Any) -> Iterator[World]:
    """Made once for a module, and gone after it. What a test does is undone inside of that."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield build(tmp_path_factory.mktemp("modules"))
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def without_limits(settings: Any) -> None:
    settings.API_READS_PER_MINUTE = settings.API_WRITES_PER_MINUTE = 10**6
