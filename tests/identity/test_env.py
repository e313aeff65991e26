"""The environment variables: a typing error is found at the start, and production leaves nothing to a default."""

import pytest
from pydantic import ValidationError

from portal.env import OPTIONAL, Env, read


def test_an_unknown_variable_is_refused():
    with pytest.raises(ValueError, match="GROUNDWORK_SECRT_KEY"):
        read({"GROUNDWORK_SECRT_KEY": "x"})


def test_variables_of_others_are_not_ours():
    assert read({"GROUNDWORK_URL": "http://x", "GROUNDWORK_TOKEN": "t", "HOME": "/"}).DEBUG


def test_production_leaves_nothing_to_a_default():
    with pytest.raises(ValidationError, match="SECRET_KEY"):
        read({"GROUNDWORK_DEBUG": "0"})


def test_production_starts_when_everything_is_said():
    said = {
        f"GROUNDWORK_{name}": str(field.default)
        for name, field in Env.model_fields.items()
        if name not in OPTIONAL
    }

    assert not read({**said, "GROUNDWORK_DEBUG": "0"}).DEBUG


@pytest.mark.parametrize(
    ("name", "value"), [("SECRET_KEY", "short"), ("SILENT_AFTER", "0"), ("BACKENDS", "cloud")]
)
def test_a_value_that_makes_no_sense_is_named(name, value):
    with pytest.raises(ValidationError, match=name):
        read({f"GROUNDWORK_{name}": value})
