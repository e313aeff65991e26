"""What holds for every value, not only for those somebody thought of."""

import json
import re
import subprocess

from hypothesis import given, settings
from hypothesis import strategies as st

from catalog_app import services
from catalog_app.variables.values import Values
from consumer.worker.terraform import engine, environment
from portal.errors import InvalidInput
from tests.catalog.conftest import MODULES, read_versions

POSTGRESQL = read_versions(MODULES)["postgresql"]
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
NAMES = st.one_of(
    st.text(max_size=14),
    st.text("ab9-A_\n", max_size=14),
    st.from_regex(NAME, fullmatch=True),
    st.just("shop\n"),
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
quickly = settings(max_examples=150, deadline=None)


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


VALUES = {
    "name": [
        "abc", "ab", "abcdefghijkl", "abcdefghijklm", "a--b", "a-b-c", "-abc", "abc-", "1abc", "aBc", "abc\n",
        "a_b", "äbc", "", "a1b2", "abc ", "a.b.c",
    ],
    "sku": ["B_Standard_B1ms", "GP_Standard_D4ds_v5", "gp_standard_d4ds_v5", "", "B_Standard_B1ms "],
    "storage_gb": [32, 33, 1024, 2048, 0, -32, 32.5, 64.0],
    "postgres_version": ["15", "18", "19", "17.0", ""],
    "backup_retention_days": [6, 7, 7.5, 35, 36, 20.0, -7],
    "databases": [[], ["a"], ["A"], ["a", "b-c"], ["_a1"], ["1a"], [""], ["a" * 63], ["a" * 64], ["a\n"]],
    "entra_admin": [
        {"tenant_id": "t", "object_id": "o", "name": "n"},
        {"tenant_id": "t", "object_id": "o", "name": "n", "type": "User"},
        {"tenant_id": "t", "object_id": "o", "name": "n", "type": "user"},
    ],
    "unique_suffix": ["", "ab12", "ab1", "AB12", "ab12\n", "ab-1"],
    "location": ["northeurope", "North Europe", "uk2", "n", "2uk"],
}  # fmt: skip


def test_terraform_agrees_about_every_value(tmp_path):
    """Terraform checks all values in one plan: every value has a variable of its own."""
    variables = (MODULES / "postgresql" / "variables.tf").read_text()
    blocks, values, ours = [], {}, set()
    for name, choices in VALUES.items():
        (block,) = re.findall(rf'^variable "{name}" {{.*?^}}', variables, re.DOTALL | re.MULTILINE)
        for number, value in enumerate(choices):
            own = f"{name}_x{number}"
            blocks.append(re.sub(rf"var\.{name}\b", f"var.{own}", block).replace(f'"{name}"', f'"{own}"', 1))
            values[own] = value
            if Values({name: POSTGRESQL.schema["properties"][name]}).problems({name: value}):
                ours.add(own)
    (tmp_path / "variables.tf").write_text("\n".join(blocks))
    (tmp_path / "terraform.tfvars.json").write_text(json.dumps(values))

    refused_by_terraform = set(re.findall(r"var\.(\w+_x\d+)", plan(tmp_path)))

    assert ours == refused_by_terraform
    assert 20 < len(ours) < len(values)


def plan(folder):
    """The errors of a plan in this folder."""
    done = subprocess.run(
        [*engine("embedded"), "plan", "-json", "-input=false", "-state=none.tfstate"],
        cwd=folder, env=environment({}), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    errors = [event["diagnostic"] for event in events if event.get("@level") == "error"]
    return "\n".join(json.dumps(error) for error in errors)
