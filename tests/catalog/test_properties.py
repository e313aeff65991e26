"""
What holds for every value, not only for those somebody thought of.

The values are made from the schemas of all modules: good ones, ones at the limits, and ones with something wrong in
them. PROPERTY_RUNS=1000 makes forty times as many as usual.
"""

import json
import os
import re
import unicodedata
from decimal import Decimal

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog_app import services
from catalog_app.variables.hcl import parse
from catalog_app.variables.limits import unusable
from catalog_app.variables.module import read_module
from catalog_app.variables.types import base_type
from catalog_app.variables.values import Values
from portal.adapters.embedded.probe import LocalProbe
from portal.errors import InvalidInput
from tests.catalog.conftest import MODULES, read_versions
from tests.catalog.making import ANYTHING, made_by, sendable, values
from tests.conftest import ENTRA_ADMIN, SUBNET

RUNS = int(os.environ.get("PROPERTY_RUNS", "25"))
VERSIONS = read_versions(MODULES)
POSTGRESQL = VERSIONS["postgresql"]
quickly = settings(max_examples=6 * RUNS, deadline=None)
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
NAMES = st.one_of(
    st.text(max_size=14),
    st.text("ab9-A_\n", max_size=14),
    st.from_regex(NAME, fullmatch=True),
    st.just("shop\n"),
)


# ── our judgement, and what is known to be different ────────────────────────────────────────────────────────


def as_terraform_reads(schema, value):
    """What Terraform makes of a value before it looks at it. We do not, so that a value is what it looks like."""
    kind = base_type(schema) if schema else ""
    if kind == "string" and isinstance(value, bool):
        return "true" if value else "false"
    if kind == "string" and isinstance(value, int | float):
        return f"{Decimal(repr(value)):f}".removesuffix(".0")
    if (
        kind in ("number", "integer")
        and isinstance(value, str)
        and re.fullmatch(r"-?[0-9.]+(e[0-9]+)?", value)
    ):
        return float(value)
    if kind == "boolean" and value in ("true", "1", "false", "0"):
        return value in ("true", "1")
    if kind == "array" and isinstance(value, list):
        inner = [as_terraform_reads(schema.get("items") or {}, each) for each in value]
        # In a set, what is there twice is there once.
        return (
            [each for i, each in enumerate(inner) if each not in inner[:i]]
            if "uniqueItems" in schema
            else inner
        )
    if kind == "object" and isinstance(value, dict):
        known = schema.get("properties")
        if known is None:
            return {
                name: as_terraform_reads(schema["additionalProperties"], each) for name, each in value.items()
            }
        # Names that the object does not have are dropped without a word.
        return {name: as_terraform_reads(known[name], each) for name, each in value.items() if name in known}
    return value


def has_null(value):
    """Terraform takes null nearly everywhere, for the default or for nothing."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return value is None or any(map(has_null, inside))


def has_marks(value):
    """Terraform puts letters and their marks together, and counts what people see as one letter as one."""
    if isinstance(value, str):
        return any(
            unicodedata.combining(sign) or sign in "\u200d\r" or ord(sign) >= 0x300 for sign in value
        ) or not unicodedata.is_normalized("NFC", value)
    inside = (
        [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else ()
    )
    return any(map(has_marks, inside))


def explained(schema, value):
    """Whether it is known that we refuse the value and Terraform does not."""
    if has_null(value) or has_marks(value) or unusable({"v": value}):
        return True
    return not Values({"v": schema}).problems({"v": as_terraform_reads(schema, value)})


# ── one variable ────────────────────────────────────────────────────────────────────────────────────────────


def variables():
    """Every variable of every module: schema, block, and whether Terraform has rules of its own for it."""
    for slug, version in VERSIONS.items():
        module = read_module(version.files, slug)
        partly = {check["variable"] for check in module.server_checks}
        for name, schema in module.variables.items():
            yield f"{slug}.{name}", schema, alone(name, module.blocks[name]), name in partly


def alone(name, text):
    """The block without the rules that read other variables, and with v for its name."""
    (block,) = parse(text)
    for validation in block.blocks:
        if set(re.findall(r"\bvar\.(\w+)", validation.text)) - {name}:
            text = text.replace(validation.text, "")
    return re.sub(rf"\bvar\.{name}\b", "var.v", text).replace(f'"{name}"', '"v"', 1)


VARIABLES = list(variables())
SENDABLE = [
    st.tuples(st.just(number), sendable(schema)) for number, (_, schema, _, _) in enumerate(VARIABLES)
]
CASES = st.sampled_from(SENDABLE).flatmap(lambda made: made)


@pytest.fixture(scope="module")
def probe(tmp_path_factory):
    return LocalProbe("embedded", tmp_path_factory.mktemp("probes"), patience=120)


def test_terraform_and_we_agree_about_every_value(probe):
    """Every value has a variable of its own, and many are checked in one plan."""
    wrong = [
        said for batch in batches(made_by(CASES, 100 * RUNS), 300) for said in disagreements(probe, batch)
    ]

    assert wrong == []


def disagreements(probe, batch):
    blocks = {
        f"v{index}": VARIABLES[number][2].replace('"v"', f'"v{index}"', 1).replace("var.v", f"var.v{index}")
        for index, (number, _) in enumerate(batch)
    }
    refused = probe.problems(blocks, {f"v{index}": value for index, (_, value) in enumerate(batch)})
    for index, (number, value) in enumerate(batch):
        name, schema, _, partly = VARIABLES[number]
        ours = Values({"v": schema}).problems({"v": value})
        theirs = refused.get(f"v{index}")
        if theirs and not ours and not partly and not has_marks(value):
            yield f"{name}: only Terraform refuses {value!r}: {theirs}"
        if ours and not theirs and not explained(schema, value):
            yield f"{name}: only we refuse {value!r}: {ours}"


def batches(values, size):
    return [values[start : start + size] for start in range(0, len(values), size)]


@quickly
@given(CASES)
def test_others_who_read_the_schema_agree(case):
    """The library as it is, with Python's regular expressions: `$` lets a final newline pass there."""
    name, schema, _, _ = VARIABLES[case[0]]
    value = case[1]
    theirs = not jsonschema.Draft202012Validator(schema).is_valid(value)
    ours = bool(Values({"v": schema}).problems({"v": value}))

    newline = re.search(r"\n[\"'\]},]|\n$", repr(value).replace("\\n", "\n") + "'")
    differs = has_marks(value) or newline or unusable({"v": value}) or "cidr" in str(schema)
    assert ours == theirs or differs, f"{name}: {value!r}"


# ── whole requests ──────────────────────────────────────────────────────────────────────────────────────────


def asked_for(version):
    asked = services.asked_schema(version)
    made = {name: values(schema) for name, schema in asked["properties"].items()}
    return st.fixed_dictionaries(
        {name: made[name] for name in asked["required"]},
        optional={name: each for name, each in made.items() if name not in asked["required"]},
    )


REQUESTS = st.tuples(
    st.sampled_from(
        [st.tuples(st.just(slug), asked_for(VERSIONS[slug])) for slug in sorted(VERSIONS)]
    ).flatmap(lambda made: made),
    st.sampled_from(["dev", "staging", "prod"]),
)


# One that a rule over two variables refuses and one that it lets pass, as made ones seldom come that far.
NETWORK = {"name": "hub", "address_space": ["10.20.0.0/16"], "subnets": {"apps": "10.20.1.0/24"}}
BOTH_KINDS = [
    (("virtual-network", {**NETWORK, "delegations": {subnet: "web-app"}}), "dev")
    for subnet in ("apps", "elsewhere")
]


def inside(version, parameters, environment):
    """All values for the module, as a run would get them."""
    request = {
        "environment": environment, "region": "northeurope", "business_unit": "payments", "cost_center": "CC-1",
        "requester": "anna", "name": str(parameters.get("name", "shop")), "tags": {"owner": "anna"},
        "unique_suffix": "ab12",
    }  # fmt: skip
    base = {
        "resource_group_name": "rg", "entra_admin": ENTRA_ADMIN, "tenant_id": ENTRA_ADMIN["tenant_id"],
        "subnet_id": SUBNET,
    }  # fmt: skip
    needed = {
        name for text in version.parsed.form.inject.values() for name in re.findall(r"base\.(\w+)", text)
    }
    return services.inject(
        version, parameters, request=request, base={**dict.fromkeys(needed, SUBNET), **base}
    )


def test_what_the_portal_accepts_terraform_accepts(probe):
    """Whole requests, with the rules that compare variables: those the portal asks Terraform about one by one."""
    cases = BOTH_KINDS + made_by(REQUESTS, 8 * RUNS)
    answers = [answer for batch in batches(cases, 20) for answer in judged(probe, batch)]

    assert [answer for answer in answers if answer[1] != answer[2]] == []
    assert {bool(ours) for _, ours, _ in answers} == {True, False}


def judged(probe, batch):
    """(the values, the variables that the portal refuses, those that Terraform refuses) for each request."""
    blocks, given, asked = {}, {}, {}
    for index, ((slug, parameters), environment) in enumerate(batch):
        version = VERSIONS[slug]
        try:
            good = services.validate(version, parameters, environment=environment)
        except InvalidInput:
            continue  # about values one by one: see above
        everything = inside(version, good, environment)
        asked[index] = everything, set(services.ask_terraform(version, everything))
        for name, text in read_module(version.files, slug).blocks.items():
            renamed = re.sub(r"\bvar\.(\w+)", rf"var.\1__{index}", text)
            blocks[f"{name}__{index}"] = renamed.replace(f'"{name}"', f'"{name}__{index}"', 1)
        given |= {f"{name}__{index}": value for name, value in everything.items()}
    refused = [name.rsplit("__", 1) for name in probe.problems(blocks, given)]
    for index, (everything, ours) in asked.items():
        yield everything, ours, {name for name, number in refused if number == str(index)}


# ── one item ────────────────────────────────────────────────────────────────────────────────────────────────


def refused(given):
    try:
        services.validate(POSTGRESQL, given)
    except InvalidInput as error:
        return error.problems
    return {}


@quickly
@given(st.dictionaries(st.sampled_from([*POSTGRESQL.parsed.asked, "tags", "other"]), ANYTHING))
def test_any_value_is_taken_or_refused_with_words(values):
    problems = refused(values)

    assert all(message.endswith(".") for message in problems.values())
    if not problems:
        parameters = services.validate(POSTGRESQL, values)
        assert services.validate(POSTGRESQL, parameters) == parameters
        assert json.loads(json.dumps(parameters, allow_nan=False)) == parameters


@quickly
@given(NAMES)
def test_the_name_follows_its_rule(name):
    good = 3 <= len(name) <= 12 and bool(NAME.fullmatch(name))

    assert (refused({"name": name}) == {}) is good


@quickly
@given(st.integers(-5, 50) | st.floats(-5, 50))
def test_backups_are_kept_for_whole_days(days):
    good = 7 <= days <= 35 and float(days).is_integer()

    assert (refused({"name": "shop", "backup_retention_days": days}) == {}) is good


@quickly
@given(st.lists(st.from_regex(r"[a-zA-Z_0-9]{0,4}", fullmatch=True), max_size=4))
def test_databases_are_a_set_of_good_names(names):
    good = len(set(names)) == len(names) and all(re.fullmatch(r"[a-z_][a-z0-9_]*", name) for name in names)

    assert (refused({"name": "shop", "databases": names}) == {}) is good
