import logging
from io import StringIO

import pytest
from django.conf import settings
from django.test import Client

from portal.logs import WithRequestId, request_id


@pytest.fixture
def written():
    """The log, in the form of the settings."""
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter(settings.LOGGING["formatters"]["line"]["format"]))
    handler.addFilter(WithRequestId())
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)


def test_a_sane_id_is_taken_over_and_stands_in_every_line(db, written):
    answer = Client().get("/api/v1/me/", headers={"X-Request-ID": "pipeline-4711.2"})

    assert answer["X-Request-ID"] == "pipeline-4711.2"
    assert " pipeline-4711.2 django.request: Unauthorized: /api/v1/me/" in written.getvalue()


@pytest.mark.parametrize(
    "given", ["", "short", "x" * 65, "with space", "new\nline-and-more", "é" * 10, "<script>1"]
)
def test_any_other_is_replaced(db, given):
    answer = Client().get("/healthz/", headers={"X-Request-ID": given})

    assert answer["X-Request-ID"] != given
    assert len(answer["X-Request-ID"]) == 32


def test_every_call_has_its_own_and_nothing_is_left_of_it(db):
    first, second = (Client().get("/healthz/")["X-Request-ID"] for _ in range(2))

    assert first != second
    assert request_id.get() == "-"


def test_the_log_of_the_portal_has_it():
    assert "%(request_id)s" in settings.LOGGING["formatters"]["line"]["format"]
    assert settings.LOGGING["handlers"]["console"]["filters"] == ["request_id"]
