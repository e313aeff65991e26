"""The schema and its neighbours as messages of Terraform's plugin protocol 6."""

import json
from collections.abc import Iterable
from typing import Any, Final

from tf.gen import tfplugin_pb2 as pb

from terraform.sandbox.schema import Attribute, Block

NESTING: Final = {
    "single": pb.Schema.NestedBlock.SINGLE,
    "list": pb.Schema.NestedBlock.LIST,
    "set": pb.Schema.NestedBlock.SET,
}
# `write_only` is field 11 of an attribute; the generated stubs are older. Protobuf keeps unknown fields.
WRITE_ONLY: Final = b"\x58\x01"


def schema(block: Block) -> Any:
    return pb.Schema(version=0, block=_block(block))


def error(summary: str, detail: str = "") -> list[Any]:
    return [pb.Diagnostic(severity=pb.Diagnostic.ERROR, summary=summary, detail=detail)]


def attribute_path(path: Iterable[str | int]) -> Any:
    steps = [
        pb.AttributePath.Step(attribute_name=part)
        if isinstance(part, str)
        else pb.AttributePath.Step(element_key_int=part)
        for part in path
    ]
    return pb.AttributePath(steps=steps)


def _block(block: Block) -> Any:
    nested = [
        pb.Schema.NestedBlock(
            type_name=name,
            block=_block(inner),
            nesting=NESTING[inner.nesting],
            min_items=inner.min,
            max_items=inner.max,
        )
        for name, inner in block.blocks.items()
    ]
    attributes = [_attribute(name, attribute) for name, attribute in block.attributes.items()]
    return pb.Schema.Block(attributes=attributes, block_types=nested)


def _attribute(name: str, attribute: Attribute) -> Any:
    flags = {flag: attribute.has(flag) for flag in ("required", "optional", "computed", "sensitive")}
    message = pb.Schema.Attribute(name=name, type=json.dumps(attribute.type).encode(), **flags)
    if attribute.has("write_only"):
        return pb.Schema.Attribute.FromString(message.SerializeToString() + WRITE_ONLY)
    return message
