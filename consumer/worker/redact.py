"""Keep secrets out of everything that leaves the worker."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

SHORTEST_SECRET: Final = 4  # replacing anything shorter would make the rest unreadable
HIDDEN: Final = "(sensitive value)"


class Redactor:
    """Knows the values of sensitive variables and replaces them wherever they turn up, also inside texts."""

    def __init__(self, secrets: Iterable[Any]):
        self._secrets: list[str] = []
        self.add(secrets)

    def add(self, secrets: Iterable[Any]) -> None:
        found = {text for secret in secrets for text in _texts(secret) if len(text) >= SHORTEST_SECRET}
        escaped = {json.dumps(text)[1:-1] for text in found}
        # Longest first: one secret may be a part of another.
        self._secrets = sorted({*self._secrets, *found, *escaped}, key=len, reverse=True)

    def clean(self, value: Any) -> Any:
        """The same JSON value without secrets."""
        if isinstance(value, str):
            for secret in self._secrets:
                value = value.replace(secret, HIDDEN)
            return value
        if isinstance(value, Mapping):
            return {self.clean(key): self.clean(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.clean(inner) for inner in value]
        return value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)


def without_sensitive(value: Any, mask: Any) -> Any:
    """`value` with null wherever Terraform's `mask` (before_sensitive, after_sensitive) says sensitive."""
    if mask is True:
        return None
    if isinstance(value, Mapping):
        masks = mask if isinstance(mask, Mapping) else {}
        return {key: without_sensitive(inner, masks.get(key)) for key, inner in value.items()}
    if isinstance(value, list):
        listed = mask if isinstance(mask, list) else []
        return [
            without_sensitive(inner, listed[i] if i < len(listed) else None) for i, inner in enumerate(value)
        ]
    return value
