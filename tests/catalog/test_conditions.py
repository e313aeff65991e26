"""Conditions of `validation` blocks as JSON Schema, one form after the other."""

import pytest
from jsonschema import Draft202012Validator

from catalog_app.variables.module import read_module
from catalog_app.variables.values import Values
from portal.adapters.embedded.probe import LocalProbe


def text(type_, condition="", extra=""):
    validation = f'validation {{\n condition = {condition}\n error_message = "No."\n}}' if condition else ""
    return f'variable "v" {{\n type = {type_}\n {extra}\n {validation}\n}}\n'


def module(type_, condition="", extra=""):
    return read_module({"variables.tf": text(type_, condition, extra)}, "m")


def accepts(found, value):
    assert not found.problems
    return not Values(found.variables).problems({"v": value})


FORMS = [
    ("string", 'contains(["a", "b"], var.v)', ["a", "b"], ["c", "", "A"]),
    ("string", 'can(regex("^[a-z]+$", var.v))', ["a", "abc"], ["", "A", "a\n", "a1"]),
    ("string", 'startswith(var.v, "a.")', ["a.b"], ["ab", "b"]),
    ("string", 'endswith(var.v, ".b")', ["a.b"], ["ab", "a.b\n"]),
    ("string", 'strcontains(var.v, "+")', ["a+b"], ["ab"]),
    ("string", "length(var.v) > 1 && length(var.v) < 4", ["ab", "abc", "éé"], ["a", "abcd"]),
    ("string", "length(var.v) == 2", ["ab"], ["a", "abc"]),
    ("string", "length(var.v) != 0", ["a"], [""]),
    ("string", 'var.v != "admin"', ["anna"], ["admin"]),
    ("string", '"admin" == var.v', ["admin"], ["anna"]),
    ("string", '!contains(["admin", "root"], var.v)', ["anna"], ["root"]),
    ("string", 'var.v == "" || can(regex("^x", var.v))', ["", "xy"], ["y"]),
    ("string", "can(cidrhost(var.v, 0))",
     ["10.0.0.0/24", "10.0.0.1/8", "fd00::/8", "::ffff:10.0.0.0/104", "0.0.0.0/0"],
     ["10.0.0.0", "10.0.0.0/33", "x/8", "", "10.0.0.0/255.0.0.0", "fe80::%eth0/64", "10.0.0/8", "10.0.0.0/8\n"]),
    ("number", "var.v >= 1 && var.v <= 10", [1, 2.5, 10], [0.99, 10.01, -1]),
    ("number", "1 < var.v && 10 > var.v", [1.01, 9.99], [1, 10]),
    ("number", "floor(var.v) == var.v", [1, 2.0, -3], [1.5]),
    ("number", "var.v % 5 == 0", [0, 5, 10], [4, 7]),
    ("number", "contains([1, 2], var.v)", [1, 2.0], [3, True]),
    ("number", "var.v < 1 || var.v > 9", [0, 10], [1, 5, 9]),
    ("list(string)", "length(var.v) <= 2", [[], ["a", "a"]], [["a", "b", "c"]]),
    ("list(string)", "alltrue([for x in var.v : length(x) > 1])", [[], ["ab"]], [["ab", "c"]]),
    ("list(string)", 'anytrue([for x in var.v : x == "a"])', [["b", "a"]], [[], ["b"]]),
    ("map(string)", 'alltrue([for k, x in var.v : x != "" && length(k) < 3])',
     [{}, {"a": "b"}], [{"a": ""}, {"abc": "d"}]),
    ("map(number)", "length(var.v) == 1", [{"a": 1}], [{}, {"a": 1, "b": 2}]),
    ("object({a = number, b = optional(string)})", "var.v.a > 1",
     [{"a": 2}, {"a": 2, "b": None}], [{"a": 1}, {}]),
    ("object({a = optional(number)})", "var.v.a == null || var.v.a > 1",
     [{}, {"a": None}, {"a": 2}], [{"a": 1}]),
    ("object({a = object({b = string})})", 'var.v.a.b == "x"',
     [{"a": {"b": "x"}}], [{"a": {"b": "y"}}, {"a": {}}]),
    ("list(object({a = number}))", "alltrue([for x in var.v : x.a > 1])", [[{"a": 2}]], [[{"a": 1}], [{}]]),
    ("list(object({a = optional(number)}))", "alltrue([for x in var.v : x.a == null || x.a > 1])",
     [[{"a": 2}, {}], [{"a": None}]], [[{}, {"a": 1}]]),
    ("set(string)", 'alltrue([for x in var.v : x != "a"]) && length(var.v) > 0', [["b"]], [["a"], []]),
    ("list(string)", '!anytrue([for x in var.v : x == "a"])', [[], ["b"]], [["a", "b"]]),
    ("list(string)", 'anytrue([for x in var.v : x == "a"]) && anytrue([for x in var.v : x == "b"])',
     [["a", "b"]], [["a"], ["b"]]),
    ("string", 'contains(["a", "b", "a"], var.v)', ["a"], ["c"]),
    ("string", 'contains(["a", "b"], var.v) && contains(["b", "c"], var.v)', ["b"], ["a", "c"]),
    ("string", '!(startswith(var.v, "a") || endswith(var.v, "z"))', ["bay"], ["ab", "fuzz"]),
    ("string", '!can(regex("^a", var.v)) && !can(regex("z$", var.v))', ["bay"], ["ab", "fuzz"]),
    ("string", 'startswith(var.v, "a-b/c d#")', ["a-b/c d#e"], ["a-b"]),
    ("bool", "var.v == true", [True], [False]),
    ("number", "ceil(var.v) == var.v && var.v != 13", [12], [12.5, 13]),
]  # fmt: skip
# A value that may be null: the condition has to allow for it.
NULLABLE = [
    ("string", "var.v == null || length(var.v) > 2", [None, "abc"], ["ab", ""]),
    ("string", "var.v == null ? true : length(var.v) > 2", [None, "abc"], ["ab"]),
    ("string", "var.v != null ? length(var.v) > 2 : true", [None, "abc"], ["ab"]),
    ("string", 'var.v == null || var.v == "a"', [None, "a"], ["b"]),
    ("string", 'var.v == null || contains(["a"], var.v)', [None, "a"], ["b"]),
    ("string", 'var.v == null || !contains(["a"], var.v)', [None, "b"], ["a"]),
    ("string", 'var.v == null || !can(regex("^a", var.v))', [None, "b"], ["ab"]),
    ("string", 'var.v == null || var.v == "" || contains(["a"], var.v)', [None, "", "a"], ["b"]),
    ("string", 'var.v == null || var.v != "a"', [None, "b"], ["a"]),
    ("string", 'var.v != "a"', [None, "b"], ["a"]),
    ("number", "var.v == null || floor(var.v) == var.v", [None, 1], [1.5]),
    ("number", "var.v == null || !(var.v > 3)", [None, 3], [4]),
    ("list(string)", 'var.v == null || alltrue([for x in var.v : x != "a"])', [None, ["b"]], [["a"]]),
    ("object({a = number})", "var.v == null || var.v.a > 1", [None, {"a": 2}], [{"a": 1}]),
    ("object({a = optional(number)})", "var.v == null || var.v.a == null || var.v.a > 1",
     [None, {}, {"a": None}, {"a": 2}], [{"a": 1}]),
    ("object({a = number})", "var.v == null || !(var.v.a > 1)", [None, {"a": 1}], [{"a": 2}]),
]  # fmt: skip
# What is left out of an object has its default, and the default is judged.
LEFT_OUT = [
    ("object({a = optional(string)})", 'var.v.a != "x"', [{}, {"a": None}, {"a": "y"}], [{"a": "x"}]),
    ("object({a = optional(string)})", '!(var.v.a != "x")', [{"a": "x"}], [{}, {"a": None}, {"a": "y"}]),
    ("object({a = optional(number, 5)})", "var.v.a > 1", [{}, {"a": 2}], [{"a": 1}]),
    ("object({a = optional(number, 0)})", "var.v.a > 1", [{"a": 2}], [{}, {"a": 1}]),
    ("object({a = optional(number, 0)})", "!(var.v.a > 1)", [{}, {"a": 1}], [{"a": 2}]),
    ("object({a = optional(number, 5)})", "!(var.v.a > 1)", [{"a": 1}], [{}, {"a": 2}]),
    ("object({a = optional(number, 0), b = optional(number, 0)})", "var.v.a > 1 || var.v.b > 1",
     [{"a": 2}, {"b": 2}], [{}, {"a": 1}, {"a": 0, "b": 0}]),
    ("object({a = optional(object({b = optional(number, 0)}), {})})", "var.v.a.b == 0",
     [{}, {"a": {}}, {"a": {"b": 0}}], [{"a": {"b": 1}}]),
    ("object({a = optional(object({b = optional(number, 0)}), {})})", "var.v.a.b == 1",
     [{"a": {"b": 1}}], [{}, {"a": {}}, {"a": {"b": 0}}]),
]  # fmt: skip
ALL = [
    *((type_, condition, "", good, bad) for type_, condition, good, bad in [*FORMS, *LEFT_OUT]),
    *((type_, condition, "default = null", good, bad) for type_, condition, good, bad in NULLABLE),
]


@pytest.mark.parametrize(("type_", "condition", "extra", "good", "bad"), ALL)
def test_a_condition_is_kept_in_the_schema(type_, condition, extra, good, bad):
    found = module(type_, condition, extra)

    assert found.problems == []
    assert found.server_checks == []
    Draft202012Validator.check_schema(found.schema)
    assert [value for value in good if not accepts(found, value)] == []
    assert [value for value in bad if accepts(found, value)] == []


def test_terraform_takes_and_refuses_the_same_values(tmp_path):
    """All of them in one plan: every value has a variable of its own."""
    blocks, values, ours = {}, {}, set()
    for number, (type_, condition, extra, good, bad) in enumerate(ALL):
        for index, value in enumerate([*good, *bad]):
            name = f"v{number}_{index}"
            blocks[name] = text(type_, condition.replace("var.v", f"var.{name}"), extra).replace(
                'variable "v"', f'variable "{name}"'
            )
            values[name] = value
            if index >= len(good):
                ours.add(name)

    refused = LocalProbe("embedded", tmp_path).problems(blocks, values).keys()

    assert {name: (blocks[name], values[name]) for name in refused ^ ours} == {}


@pytest.mark.parametrize(
    ("type_", "condition"),
    [
        ("string", "upper(var.v) == var.v"),
        ("string", "var.v != var.other"),
        ("string", "length(trimspace(var.v)) > 2"),
        ("number", "var.v * 2 > 3"),
        ("list(number)", "sum(var.v) < 10"),
        ("list(string)", 'alltrue([for x in var.v : x != "a" if x != "b"])'),
        ("map(string)", "alltrue([for k, x in var.v : k == x])"),
    ],
)
def test_what_has_no_such_form_is_left_to_terraform_and_told(type_, condition):
    found = module(type_, condition)

    assert not found.problems
    assert [check["variable"] for check in found.server_checks] == ["v"]


def test_the_parts_that_can_be_converted_are():
    found = module("string", 'upper(var.v) != var.v && var.v != "x"')

    assert len(found.server_checks) == 1
    assert accepts(found, "y")
    assert not accepts(found, "x")


def test_null_is_taken_where_it_has_a_meaning():
    assert accepts(module("string", extra="default = null"), None)
    assert not accepts(module("string", extra='default = "a"'), None)
    choice = module("string", 'var.v == null || contains(["a"], var.v)', "default = null")
    assert accepts(choice, None)
    assert not accepts(choice, "b")


@pytest.mark.parametrize(
    ("type_", "bad"),
    [
        ("string", [1, True, None, [], {}]),
        ("number", ["1", True, None, float("nan"), 1e300]),
        ("bool", ["true", 1, 0, None]),
        ("list(string)", [{}, "a", [1]]),
        ("set(string)", [["a", "a"], {}]),
        ("map(string)", [[], {"a": 1}]),
        ("object({a = string})", [{}, {"a": 1}, {"a": "b", "c": "d"}, []]),
    ],
)
def test_types_are_strict(type_, bad):
    found = module(type_)

    assert [value for value in bad if accepts(found, value)] == []


def test_a_secret_is_marked():
    schema = module("string", extra="sensitive = true").variables["v"]

    assert (schema["writeOnly"], schema["format"]) == (True, "password")


def test_a_pattern_that_would_take_python_for_ever_is_quick():
    found = module("string", 'can(regex("^(a+)+$", var.v))')

    assert not accepts(found, "a" * 10_000 + "b")
