"""Values made from JSON Schema: good ones, ones at the limits, and ones with something wrong in them."""

import math

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from catalog_app.variables.types import base_type, is_nullable


def made_by(strategy, count):
    """So many values, the same in every run. They are judged together, and a message names each."""
    found = []

    @settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(value):
        found.append(value)

    collect()
    return found


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)
# What a value is often mistaken for.
USUAL = st.sampled_from(
    [None, "", " ", "0", "7", "007", "1e3", "true", "false", 0, 1, -1, 0.5, 7.0, 1e15, 1e16, True, False, [], {},
     [None], "a\n", "A", "é", "e\u0301", "👩‍🚀",
     "${var.name}", "%{ if true }", "10.0.0.0/24", "a" * 64, [[]], [{}], {"": ""}]
)  # fmt: skip


def values(schema):
    """Values of which most fit the schema."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if not schema:
        return ANYTHING
    made = _MADE[base_type(schema)](schema)
    return st.none() | made if is_nullable(schema) else made


def _texts(schema):
    least, most = schema.get("minLength", 0), schema.get("maxLength", 20)
    if "pattern" in schema:
        return st.from_regex(schema["pattern"]).filter(lambda text: least <= len(text) <= most + 1)
    if schema.get("format") == "cidr":
        return st.ip_addresses().flatmap(
            lambda address: st.integers(0, address.max_prefixlen + 1).map(lambda bits: f"{address}/{bits}")
        )
    return st.text(min_size=max(least - 1, 0), max_size=most + 1)


def _numbers(schema):
    low = schema.get("minimum", schema.get("exclusiveMinimum", -10))
    high = schema.get("maximum", schema.get("exclusiveMaximum", max(low, 0) + 1000))
    step = schema.get("multipleOf", 1)
    edges = st.sampled_from([low, low - 1, low + step, high, high + 1, high - step, low + 0.5])
    return edges | st.integers(math.floor(low), math.ceil(high)).map(lambda number: number // step * step)


def _lists(schema):
    if "prefixItems" in schema:
        return st.tuples(*map(values, schema["prefixItems"])).map(list)
    least, most = schema.get("minItems", 0), schema.get("maxItems", 3)
    return st.lists(values(schema["items"]), min_size=max(least - 1, 0), max_size=min(most + 1, least + 3))


def _objects(schema):
    if "properties" not in schema:
        return st.dictionaries(
            values({"type": "string", **schema.get("propertyNames", {})}),
            values(schema["additionalProperties"]),
            min_size=schema.get("minProperties", 0),
            max_size=min(schema.get("maxProperties", 3) + 1, 4),
        )
    required = schema.get("required", [])
    made = {name: values(inner) for name, inner in schema["properties"].items()}
    return st.fixed_dictionaries(
        {name: each for name, each in made.items() if name in required},
        optional={name: each for name, each in made.items() if name not in required},
    )


_MADE = {
    "string": _texts,
    "number": _numbers,
    "integer": _numbers,
    "boolean": lambda _: st.booleans(),
    "array": _lists,
    "object": _objects,
}


@st.composite
def spoiled(draw, good):
    """A good value with something else in one place."""
    value = draw(good)
    if isinstance(value, dict) and draw(st.integers(0, 3)):
        name = draw(st.sampled_from([*value, "strange"]))
        return {**value, name: draw(USUAL | ANYTHING)}
    if isinstance(value, list) and value and draw(st.integers(0, 3)):
        return [*value[:-1], draw(USUAL | st.just(value[0]))]
    if isinstance(value, str) and draw(st.booleans()):
        return draw(st.sampled_from([f"{value}\n", f" {value}", value.upper(), value + value, value[:-1]]))
    return draw(USUAL | ANYTHING)


def sendable(schema):
    good = values(schema)
    return good | spoiled(good)
