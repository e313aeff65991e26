"""Every kind of parameter, from what is typed to its value and back."""

import re

import pytest
from django.core.exceptions import ValidationError

from catalog_app.form import FieldSpec
from requests_app.fields import LEFT_OUT, ParameterField

TEXT, NUMBER, BOOL = {"type": "string"}, {"type": "number"}, {"type": "boolean"}
SIZES = {"type": "number", "enum": [32, 64]}
LIST = {"type": "array", "items": TEXT}
NUMBERS = {"type": "array", "items": NUMBER}
MAP = {"type": "object", "additionalProperties": TEXT}
RULES = {"type": "array", "items": {"type": "object", "properties": {"port": NUMBER}}}


def field(widget, schema, *, required=False, nullable=False, default=None, labels=None) -> ParameterField:
    return ParameterField(
        FieldSpec(
            name="it", title="It", help="", schema=schema, required=required, default=default,
            labels=labels or {}, show_if=None, widget=widget, nullable=nullable,
        )
    )  # fmt: skip


@pytest.mark.parametrize(
    ("widget", "schema", "typed", "value"),
    [
        ("text", TEXT, "  orders ", "orders"),
        ("text", TEXT, "", ""),
        ("textarea", TEXT, "one\r\ntwo", "one\ntwo"),
        ("number", NUMBER, "12", 12),
        ("number", NUMBER, "1.5", 1.5),
        ("number", NUMBER, "many", "many"),
        ("number", NUMBER, "nan", "nan"),
        ("number", NUMBER, "1e999", "1e999"),
        ("number", NUMBER, "٣", "٣"),
        ("number", NUMBER, "6_4", "6_4"),
        ("number", NUMBER, "-1e3", -1000.0),
        ("number", NUMBER, "", LEFT_OUT),
        ("checkbox", BOOL, "on", True),
        ("checkbox", BOOL, None, False),
        ("radio", SIZES, "64", 64),
        ("radio", SIZES, "65", 65),
        ("radio", SIZES, "many", "many"),
        ("select", {"type": "string", "enum": ["15", "16"]}, "17", "17"),
        ("select", SIZES, "", LEFT_OUT),
        ("list", LIST, " a \r\n\r\n b", ["a", "b"]),
        ("list", NUMBERS, "1\n2.5\nx", [1, 2.5, "x"]),
        ("list", LIST, "", []),
        ("list", RULES, '[{"port": 443}]', [{"port": 443}]),
        ("map", MAP, "team = web\nstage=x=y", {"team": "web", "stage": "x=y"}),
        ("map", MAP, "", {}),
    ],
)
def test_what_is_typed_becomes_a_value(widget, schema, typed, value):
    assert field(widget, schema).clean(typed) == value


@pytest.mark.parametrize(
    ("widget", "schema"), [("text", TEXT), ("number", NUMBER), ("radio", SIZES), ("list", LIST), ("map", MAP)]
)
def test_empty_means_null_where_null_is_a_value(widget, schema):
    assert field(widget, schema, nullable=True).clean("") is None


def test_a_needed_text_that_is_empty_is_left_out():
    assert field("text", TEXT, required=True).clean(" ") is LEFT_OUT


@pytest.mark.parametrize(("widget", "schema", "typed"), [("map", MAP, "no equals"), ("list", RULES, "[{")])
def test_what_cannot_be_read_is_said(widget, schema, typed):
    with pytest.raises(ValidationError):
        field(widget, schema).clean(typed)


@pytest.mark.parametrize(
    ("widget", "schema", "value"),
    [
        ("text", TEXT, "orders"), ("number", NUMBER, 12), ("number", NUMBER, 1.5), ("checkbox", BOOL, True),
        ("radio", SIZES, 64), ("list", LIST, ["a", "b"]), ("map", MAP, {"team": "web"}),
        ("list", RULES, [{"port": 443}]),
    ],
)  # fmt: skip
def test_a_value_that_is_shown_and_sent_back_is_the_same(widget, schema, value):
    one = field(widget, schema)

    assert one.clean(one.show(value)) == value


@pytest.mark.parametrize(
    "choices", [{"32": "32", "64": "64"}, {"32": "Thirty-two " * 5, "64": "Sixty-four " * 5}]
)
def test_a_choice_that_is_closed_cannot_be_made_and_one_that_is_made_stays(choices):
    one = field("radio", SIZES, labels=choices)
    one.close({"32": "too small", "64": "too large"})

    shown = one.widget.render("it", "32")

    assert re.findall(r'value="(\d+)"[^>]* disabled', shown) == ["64"]


def test_few_short_choices_are_radios_and_others_a_select():
    short = field("radio", SIZES, labels={"32": "32", "64": "64"})
    long = field(
        "radio", SIZES, labels={"32": "Thirty-two, which is plenty for a test", "64": "Sixty-four, " * 4}
    )

    assert short.widget.input_type == "radio"
    assert long.widget.input_type == "select"
