"""What is typed becomes what the schema wants."""

from pathlib import Path
from typing import Any

import pytest

from cli.errors import Refused
from cli.values import convert, read_parameters

SCHEMA = {
    "properties": {
        "name": {"type": "string"},
        "storage_gb": {"type": "number"},
        "high_availability": {"type": "boolean"},
        "databases": {"type": "array"},
        "private_endpoint": {"type": ["object", "null"]},
    }
}


@pytest.mark.parametrize(
    ("text", "schema", "value"),
    [
        ("17", {"type": "string"}, "17"),
        ("64", {"type": "number"}, 64),
        ("0.5", {"type": "number"}, 0.5),
        ("64", {"type": "integer"}, 64),
        ("True", {"type": "boolean"}, True),
        ("no", {"type": "boolean"}, False),
        ('["a", "b"]', {"type": "array"}, ["a", "b"]),
        ('{"a": 1}', {"type": "object"}, {"a": 1}),
        ("null", {"type": ["object", "null"]}, None),
        ("null", {"type": "string"}, "null"),
        ("null", {"anyOf": [{"type": "number"}, {"type": "null"}]}, None),
        ("x=y", {"type": "string"}, "x=y"),
        ("plain", {}, "plain"),
        ("[1]", {}, [1]),
        # What is no such value stays as it was typed: the portal judges it.
        ("much", {"type": "number"}, "much"),
        ("nan", {"type": "number"}, "nan"),
        ("1e999", {"type": "number"}, "1e999"),
        ("6_4", {"type": "number"}, "6_4"),
        ("٣", {"type": "number"}, "٣"),
        ("1.5", {"type": "integer"}, 1.5),
        ("perhaps", {"type": "boolean"}, "perhaps"),
        ("[NaN]", {}, "[NaN]"),
        ("[1e999]", {}, "[1e999]"),
    ],
)
def test_text_becomes_a_value(text: str, schema: dict[str, Any], value: Any) -> None:
    converted = convert(text, schema)

    assert converted == value
    assert type(converted) is type(value)


@pytest.mark.parametrize(
    ("pair", "field", "why"),
    [
        ("databases=orders", "databases", "write the list in JSON"),
        ("private_endpoint=[]", "private_endpoint", "write the object in JSON"),
        ("name", "name", "write it as name=value"),
        ("=x", "=x", "write it as name=value"),
    ],
)
def test_what_cannot_be_used_is_refused_by_field(pair: str, field: str, why: str) -> None:
    with pytest.raises(Refused) as refused:
        read_parameters(SCHEMA, [pair], None)

    assert why in refused.value.problems[field]


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(Refused) as refused:
        read_parameters(SCHEMA, ["databases=orders", "colour", "name=a", "name=b"], None)

    assert set(refused.value.problems) == {"databases", "colour", "name"}


def test_a_parameter_that_nobody_knows_is_for_the_portal_to_refuse() -> None:
    assert read_parameters(SCHEMA, ["storag_gb=64", "colour=red"], None) == {
        "storag_gb": "64",
        "colour": "red",
    }


def test_what_is_typed_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "params.json"
    file.write_text('{"name": "orders", "storage_gb": 32}')

    assert read_parameters(SCHEMA, ["storage_gb=64"], str(file)) == {"name": "orders", "storage_gb": 64}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "No such file"),
        (b"{", "line 1, column 2"),
        (b"[1]", "it holds no JSON object"),
        (b"\xff", "it is not text in UTF-8"),
        (b'{"storage_gb": NaN}', "NaN is not a number that can be sent"),
        (b'{"storage_gb": 1e999}', "1e999 is not a number that can be sent"),
        (b'{"storage_gb": ' + b"9" * 5000 + b"}", "limit"),
        (b"[" * 100_000, "go too deep"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, content: bytes | None, why: str) -> None:
    file = tmp_path / "params.json"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(Refused) as refused:
        read_parameters(SCHEMA, [], str(file))

    assert why in refused.value.problems[str(file)]
