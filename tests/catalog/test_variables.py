"""From variables.tf to JSON Schema 2020-12: types, defaults, words, and what has to be left to Terraform."""

import pytest
from jsonschema import Draft202012Validator

from catalog_app import services
from catalog_app.modules import look
from catalog_app.variables.module import read_module
from catalog_app.variables.values import Values


def read(text):
    return read_module({"variables.tf": text}, "shop")


def variable(type_, *lines, name="v"):
    body = "\n  ".join([f"type = {type_}", *lines])
    return f'variable "{name}" {{\n  {body}\n}}\n'


def schema(type_, *lines):
    module = read(variable(type_, *lines))
    assert module.problems == []
    Draft202012Validator.check_schema(module.schema)
    return module.variables["v"]


def completed(type_, value, *lines):
    values = Values({"v": schema(type_, *lines)})
    assert values.problems({"v": value}) == {}
    return values.completed({"v": value})["v"]


def problems(type_, value, *lines):
    return Values({"v": schema(type_, *lines)}).problems({"v": value})


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        ("string", {"type": "string"}),
        ("number", {"type": "number"}),
        ("bool", {"type": "boolean"}),
        ('"string"', {"type": "string"}),
        ("any", {}),
        ("list(string)", {"type": "array", "items": {"type": "string"}}),
        ("set(number)", {"type": "array", "uniqueItems": True, "items": {"type": "number"}}),
        ("map(bool)", {"type": "object", "additionalProperties": {"type": "boolean"}}),
        ("list", {"type": "array", "items": {}}),
        (
            "tuple([string, number])",
            {
                "type": "array",
                "prefixItems": [{"type": "string"}, {"type": "number"}],
                "items": False,
                "minItems": 2,
            },
        ),
        (
            "object({ a = string, b = optional(number), c = optional(bool, true) })",
            {
                "type": "object",
                "properties": {
                    "a": {"type": "string"},
                    "b": {"type": ["number", "null"], "default": None},
                    "c": {"type": "boolean", "default": True},
                },
                "required": ["a"],
                "additionalProperties": False,
                "x-order": ["a", "b", "c"],
            },
        ),
        (
            "list(object({ ports = optional(list(number), [443]) }))",
            {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"ports": {"type": "array", "items": {"type": "number"}, "default": [443]}},
                    "additionalProperties": False,
                    "x-order": ["ports"],
                },
            },
        ),
    ],
)
def test_a_type_becomes_a_schema(type_, expected):
    assert schema(type_) == expected


def test_a_type_is_read_again_and_again_and_stays_what_it_is():
    schema("list", 'validation {\n condition = length(var.v) < 3\n error_message = "x"\n }')

    assert schema("list") == {"type": "array", "items": {}}


@pytest.mark.parametrize(
    "type_", ["strng", "list(strng)", "object({ a = optional() })", "function(x)", "[string]"]
)
def test_a_type_that_is_not_known_is_named_with_its_place(type_):
    module = read("\n" + variable(type_))

    assert [(problem.file, problem.line) for problem in module.problems] == [("shop/variables.tf", 2)]
    assert "variable v: this type is not known" in str(module.problems[0])


def test_what_is_left_out_is_filled_in_as_terraform_would():
    type_ = "object({ a = optional(string), b = optional(object({ c = optional(number, 3) }), {}) })"

    assert completed(type_, {}) == {"a": None, "b": {"c": 3}}
    assert completed(type_, {"b": {}}) == {"a": None, "b": {"c": 3}}
    assert completed(f"list({type_})", [{"a": "x"}]) == [{"a": "x", "b": {"c": 3}}]
    assert completed(f"map({type_})", {"k": {}}) == {"k": {"a": None, "b": {"c": 3}}}
    assert completed('tuple([number, object({ a = optional(string, "x") })])', [1.0, {}]) == [1, {"a": "x"}]


def test_a_default_of_the_whole_is_filled_in_too():
    found = Values({"v": schema("object({ a = optional(number, 3) })", "default = {}")})

    assert found.completed({}) == {"v": {"a": 3}}


def test_null_is_taken_where_it_is_the_default_and_nowhere_else():
    assert problems("string", None, "default = null") == {}
    assert problems("object({ a = optional(string) })", {"a": None}) == {}
    assert "v" in problems("string", None, 'default = "a"')
    assert "v" in problems("string", None, 'default = "a"', "nullable = false")
    assert "v.a" in problems('object({ a = optional(string, "x") })', {"a": None})
    assert "v.0" in problems("list(string)", [None])


@pytest.mark.parametrize("line", ["sensitive = true", "ephemeral = true"])
def test_a_secret_is_marked_and_cannot_be_asked(folder, edit, line):
    assert {"writeOnly": True, "format": "password"}.items() <= schema("string", line).items()

    edit("postgresql/variables.tf", 'default     = "17"', f'default     = "17"\n  {line}')
    _, found = look(folder)
    assert [str(problem) for problem in found] == [
        "postgresql/item.yaml:16: postgres_version is sensitive or ephemeral, and what is asked is kept and shown: "
        "inject it"
    ]


def test_words_come_from_the_description():
    assert schema("string", 'description = "  Name.  "')["description"] == "Name."
    assert (
        schema("string", "description = <<-EOT\n    Two\n    lines.\n  EOT")["description"] == "Two\nlines."
    )


@pytest.mark.parametrize(
    ("type_", "default", "reason"),
    [
        ("string", "5", "its default is refused at v: This must be a text, not the number 5."),
        ("number", '"5"', "its default is refused at v: This must be a number"),
        ("list(string)", "[1]", "its default is refused at v.0: This must be a text"),
        ("object({ a = string })", "{}", "its default is refused at v.a: This is needed"),
        ("string", "local.name", "a literal value is needed here"),
    ],
)
def test_a_default_has_to_fit(type_, default, reason):
    assert reason in str(read(variable(type_, f"default = {default}")).problems[0])


RULES = """validation {
    condition     = length(var.v) > 2 && lower(var.v) == var.v
    error_message = "At least 3 lower-case letters."
  }
  validation {
    condition     = var.v != "root"
    error_message = "Not this one."
  }"""


def test_each_rule_speaks_in_its_own_words():
    assert problems("string", "ab", RULES) == {"v": "At least 3 lower-case letters."}
    assert problems("string", "root", RULES) == {"v": "Not this one."}
    assert problems("string", 7, RULES) == {"v": "This must be a text, not the number 7."}


def test_a_message_that_terraform_makes_gives_way_to_ours():
    rule = 'validation {\n condition = var.v > 2\n error_message = "Not ${var.v}."\n }'

    assert problems("number", 1, rule) == {"v": "This must be more than 2."}


def test_what_only_terraform_can_check_is_listed_with_all_that_it_needs():
    module = read(
        variable(
            "number", 'validation {\n condition = var.v < var.max\n error_message = "Over ${var.unit}"\n }'
        )
        + variable("number", "default = 3", name="max")
        + variable("string", 'default = "GB"', name="unit")
        + variable("string", 'default = "x"', name="other")
    )

    (check,) = module.server_checks
    assert (check["variable"], check["why"]) == ("v", "it also reads var.max")
    assert list(check["blocks"]) == ["v", "max", "unit"]
    assert check["blocks"]["max"] == variable("number", "default = 3", name="max").rstrip()


@pytest.mark.parametrize(
    "type_", ["any", "list(any)", "map(list(any))", "object({ a = any })", "tuple([any])"]
)
def test_what_takes_anything_is_left_to_terraform(type_):
    assert [check["why"] for check in read(variable(type_)).server_checks] == ["any value is taken"]


@pytest.mark.parametrize(
    ("condition", "stranger"),
    [
        ("var.v != local.name", "local.name"),
        ("contains(data.azurerm_locations.all, var.v)", "data.azurerm_locations"),
        ("var.v != azurerm_resource_group.this.name", "azurerm_resource_group.this"),
        ('fileexists(path.module) && var.v != ""', "path.module"),
    ],
)
def test_a_rule_reads_variables_only(condition, stranger):
    module = read(variable("string", f'validation {{\n condition = {condition}\n error_message = "x"\n }}'))

    assert f"a validation reads {stranger}: only variables can be read there" in str(module.problems[0])


@pytest.mark.parametrize("pattern", ["(?i)abc", "\\\\Aabc", "abc\\\\z", "\\\\pL", "[[:alpha:]]", "(?P<n>a)"])
def test_a_pattern_that_others_read_differently_is_left_to_terraform(pattern):
    rule = f'validation {{\n condition = can(regex("{pattern}", var.v))\n error_message = "x"\n }}'
    module = read(variable("string", rule))

    assert "pattern" not in module.variables["v"]
    assert [check["why"] for check in module.server_checks] == ["other engines read this pattern differently"]


def test_every_published_schema_is_one(versions):
    for version in versions.values():
        Draft202012Validator.check_schema(services.asked_schema(version))
        Draft202012Validator.check_schema(version.schema)
        for each in version.schema["properties"].values():
            for rule in each.get("x-rules", []):
                Draft202012Validator.check_schema(rule["schema"])
