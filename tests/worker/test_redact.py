"""Secrets in everything that has the form of JSON."""

from typing import Any

import pytest

from consumer.worker.checks import changes, outputs
from consumer.worker.redact import HIDDEN, Redactor, without_sensitive


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("the password is hunter2hunter2!", f"the password is {HIDDEN}!"),
        ({"key hunter2hunter2": ["hunter2hunter2", 7]}, {f"key {HIDDEN}": [HIDDEN, 7]}),
        ('"a \\"quoted\\" word"', f'"a {HIDDEN}"'),
        ("an abc is too short to hide", "an abc is too short to hide"),
        (None, None),
    ],
)
def test_secrets_are_hidden_wherever_they_are(text: Any, clean: Any) -> None:
    redactor = Redactor(["hunter2hunter2", {"inner": ['"quoted" word']}, "abc", 7])

    assert redactor.clean(text) == clean


def test_a_secret_that_is_a_part_of_another_does_not_uncover_it() -> None:
    redactor = Redactor(["word"])
    redactor.add(["password-long"])

    assert redactor.clean("password-long word") == f"{HIDDEN} {HIDDEN}"


@pytest.mark.parametrize(
    ("mask", "left"),
    [
        (True, None),
        (False, {"a": "1", "b": [{"c": "2"}, "3"]}),
        ({"a": True}, {"a": None, "b": [{"c": "2"}, "3"]}),
        ({"b": [{"c": True}]}, {"a": "1", "b": [{"c": None}, "3"]}),
    ],
)
def test_what_terraform_calls_sensitive_becomes_null(mask: Any, left: Any) -> None:
    assert without_sensitive({"a": "1", "b": [{"c": "2"}, "3"]}, mask) == left


def test_a_plan_is_told_without_variables_and_sensitive_values() -> None:
    change = {
        "actions": ["update"],
        "before": {"key": "old", "tier": "Hot"},
        "before_sensitive": {"key": True},
        "after": {"key": "new", "tier": "Cool"},
        "after_sensitive": {"key": True},
    }
    plan = {
        "variables": {"password": {"value": "hunter2"}},
        "resource_changes": [
            {"address": "module.this.azurerm_x.this", "type": "azurerm_x", "change": change},
            {"address": "data.azurerm_y.this", "type": "azurerm_y", "change": {"actions": ["read"]}},
        ],
    }

    assert changes(plan) == [
        {
            "address": "azurerm_x.this",
            "type": "azurerm_x",
            "change": {
                "actions": ["update"],
                "before": {"key": None, "tier": "Hot"},
                "after": {"key": None, "tier": "Cool"},
                "replace_paths": [],
            },
        }
    ]


def test_sensitive_outputs_are_not_told() -> None:
    state = {"values": {"outputs": {"a": {"value": 1}, "b": {"value": 2, "sensitive": True}}}}

    assert outputs(state) == {"a": 1}
    assert outputs({}) == {}
