"""Wire encoding, and the invented values of computed attributes."""

import hashlib
import json
import re
import uuid
from typing import Any, Final

import msgpack
from tf.gen import tfplugin_pb2 as pb

from terraform.sandbox.schema import UNSET, Attribute, Block

UNKNOWN: Final = msgpack.ExtType(0, b"\0")
NAMESPACE: Final = uuid.UUID("6f0d2c0e-6a0f-4f0f-9a53-2b6a0c9b7a11")
EMPTY: Final[dict[str, Any]] = {"number": 0, "bool": False, "list": [], "set": [], "map": {}}

Values = dict[str, Any]


def decode(value: Any) -> Any:
    """A DynamicValue as Python values; every kind of unknown becomes UNKNOWN (the wire has two)."""
    if value.msgpack:
        return msgpack.unpackb(value.msgpack, ext_hook=lambda code, data: UNKNOWN, strict_map_key=False)
    return json.loads(value.json) if value.json else None


def encode(value: Any) -> Any:
    return pb.DynamicValue(msgpack=msgpack.packb(value))


def elements(value: Any) -> list[Values]:
    """The blocks inside a nested block's value, which is a list, one mapping or null."""
    if isinstance(value, list):
        return [element for element in value if isinstance(element, dict)]
    return [value] if isinstance(value, dict) else []


def conform(block: Block, value: Values) -> Values:
    """Make stored values fit the schema: unknown keys go, missing keys become null or no blocks."""
    fitted: Values = {name: value.get(name) for name in block.attributes}
    for name, nested in block.blocks.items():
        inner = value.get(name)
        if nested.nesting == "single":
            fitted[name] = conform(nested, inner) if isinstance(inner, dict) else None
        else:
            fitted[name] = [conform(nested, element) for element in elements(inner)]
    return fitted


class Filler:
    """Fills templates. Equal inputs give equal values, so a second plan shows no change."""

    def __init__(self, identity: dict[str, str]):
        self.identity = identity  # sub, tenant, client, object

    def fill(
        self, block: Block, values: Values, resource_id: str, path: str = "", top: Values | None = None
    ) -> Values:
        """Replace every unknown in place. `top` holds the values of the resource when `block` is nested."""
        top = values if top is None else top
        for name, attribute in block.attributes.items():
            if attribute.has("write_only"):
                values[name] = None
            elif values.get(name) == UNKNOWN:
                is_own_id = name == "id" and not path
                seed = f"{resource_id}|{path}.{name}"
                values[name] = (
                    resource_id
                    if is_own_id
                    else self._invent(attribute, name, values, resource_id, seed, top)
                )
        for name, nested in block.blocks.items():
            for index, element in enumerate(elements(values.get(name))):
                self.fill(nested, element, resource_id, f"{path}.{name}[{index}]", top)
        return values

    def render(
        self, template: str, values: Values, resource_id: str = "", seed: str = "", top: Values | None = None
    ) -> str:
        top = values if top is None else top
        return re.sub(
            r"\{([a-z_:]+)\}",
            lambda found: self._placeholder(found[1], values, resource_id, seed, top),
            template,
        )

    def _invent(
        self, attribute: Attribute, name: str, values: Values, resource_id: str, seed: str, top: Values
    ) -> Any:
        if isinstance(attribute.value, str):
            return self.render(attribute.value, values, resource_id, seed, top)
        if attribute.value is not UNSET:
            return attribute.value
        kind = attribute.type if isinstance(attribute.type, str) else attribute.type[0]
        return EMPTY.get(kind, f"sandbox-{name}")

    def _placeholder(self, key: str, values: Values, resource_id: str, seed: str, top: Values) -> str:
        digest = hashlib.sha256(seed.encode())
        if key in self.identity:
            return self.identity[key]
        if key == "rg":
            return f"/subscriptions/{self.identity['sub']}/resourceGroups/{top.get('resource_group_name')}"
        if key == "uuid":
            return str(uuid.uuid5(NAMESPACE, seed))
        if key == "token":
            return digest.hexdigest()[:44]
        if key == "ip":
            first, second, third = digest.digest()[:3]
            return f"10.{first}.{second}.{4 + third % 250}"
        if key == "id":
            return resource_id
        if key.startswith("last:"):
            return str(top.get(key.removeprefix("last:")) or "").rstrip("/").rpartition("/")[2]
        own = values.get(key)
        return str((top.get(key) if own in (None, UNKNOWN) else own) or "")
