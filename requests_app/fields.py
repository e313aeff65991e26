"""
Form fields made from the variables of a module.

They read what was typed and keep it. What a value must be is judged by the services: as for the API.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from catalog_app.form import FieldSpec
from catalog_app.variables.types import Schema, base_type

Reader = Callable[[FieldSpec, Any], Any]
LEFT_OUT = object()  # not given: the default of the variable counts, or the service says that it is needed
NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?")
FITS_ON_A_LINE = 64  # letters of all radios together; more read better as a select
SCALARS = {"string", "number", "integer", "boolean"}


class ParameterField(forms.Field):
    """One parameter. `clean` gives its value, LEFT_OUT, or the text as typed where it is no such value."""

    def __init__(self, spec: FieldSpec) -> None:
        super().__init__(
            required=False,
            label=spec.title,
            help_text=spec.help,
            initial=_shown(spec, spec.default),
            widget=_widget(spec),
        )
        self.spec = spec
        self.is_optional = not spec.required and spec.default in (None, "", [], {})
        self.is_hidden_now = False

    def clean(self, value: Any) -> Any:
        read: Reader = _READERS.get(self.spec.widget, _text)
        return read(self.spec, value)

    def show(self, value: Any) -> Any:
        """A value as the field shows it."""
        return _shown(self.spec, value)


def as_number(text: str) -> Any:
    """The number, or the text as it is."""
    if not NUMBER.fullmatch(text):
        return text
    number = float(text)
    return int(text) if re.fullmatch(r"[-+]?\d{1,15}", text) else number


def _items(schema: Schema) -> str:
    """The type of what is in a list or a map; empty for anything that does not fit on a line."""
    inner: Schema = schema.get("items") or schema.get("additionalProperties") or {}
    kind = base_type(inner) if inner else ""
    return kind if kind in SCALARS else ""


def _empty(spec: FieldSpec, otherwise: Any = LEFT_OUT) -> Any:
    return None if spec.nullable else otherwise


def _text(spec: FieldSpec, typed: str | None) -> Any:
    text = (typed or "").replace("\r\n", "\n")
    if spec.widget not in ("textarea", "password"):
        text = text.strip()
    if text:
        return text
    return _empty(spec, LEFT_OUT if spec.required else "")


def _number(spec: FieldSpec, typed: str | None) -> Any:
    text = (typed or "").strip()
    return as_number(text) if text else _empty(spec)


def _switch(spec: FieldSpec, typed: Any) -> Any:
    return bool(typed)


def _choice(spec: FieldSpec, typed: str | None) -> Any:
    if not typed:
        return _empty(spec)
    known = {str(choice): choice for choice in spec.schema.get("enum", [])}
    return known.get(typed, typed)


def _scalar(kind: str, text: str) -> Any:
    if kind in ("number", "integer"):
        return as_number(text)
    if kind == "boolean":
        return {"true": True, "false": False}.get(text.lower(), text)
    return text


def _list(spec: FieldSpec, typed: str | None) -> Any:
    kind = _items(spec.schema)
    if not kind:
        return _json(spec, typed)
    lines = [line.strip() for line in (typed or "").splitlines() if line.strip()]
    return [_scalar(kind, line) for line in lines] if lines else _empty(spec, [])


def _map(spec: FieldSpec, typed: str | None) -> Any:
    kind = _items(spec.schema)
    if not kind:
        return _json(spec, typed)
    pairs = {}
    for line in filter(str.strip, (typed or "").splitlines()):
        name, equals, value = line.partition("=")
        if not equals or not name.strip():
            raise ValidationError(f"Write name = value on each line; this is not: {line.strip()[:60]}")
        pairs[name.strip()] = _scalar(kind, value.strip())
    return pairs or _empty(spec, {})


def _json(spec: FieldSpec, typed: str | None) -> Any:
    text = (typed or "").strip()
    if not text:
        return _empty(spec)
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValidationError(f"This is not JSON: {error}") from error


_READERS: dict[str, Reader] = {
    "number": _number,
    "checkbox": _switch,
    "radio": _choice,
    "select": _choice,
    "list": _list,
    "map": _map,
}


def _shown(spec: FieldSpec, value: Any) -> Any:
    if value is None:
        return "" if spec.widget != "checkbox" else False
    if spec.widget in ("list", "map") and not _items(spec.schema):
        return json.dumps(value, indent=2) if value else ""
    if spec.widget == "list":
        return "\n".join(_word(each) for each in value)
    if spec.widget == "map":
        return "\n".join(f"{name} = {_word(each)}" for name, each in value.items())
    return value if spec.widget == "checkbox" else _word(value)


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) and value.is_integer() else str(value)


def _widget(spec: FieldSpec) -> forms.Widget:
    attributes = {"autocomplete": "off", "spellcheck": "false"}
    if spec.required:
        attributes["aria-required"] = "true"
    if spec.widget == "checkbox":
        return forms.CheckboxInput()
    if spec.widget in ("radio", "select") and spec.labels:
        empty = [("", "None")] if spec.nullable else []
        choices = [*empty, *spec.labels.items()]
        as_radios = spec.widget == "radio" and sum(len(label) for _, label in choices) <= FITS_ON_A_LINE
        return forms.RadioSelect(choices=choices) if as_radios else forms.Select(choices=choices)
    if spec.widget == "number":
        return forms.NumberInput(attrs={**attributes, **_bounds(spec.schema)})
    if spec.widget == "password":
        # What was typed comes back after a refusal: the page is never stored.
        return forms.PasswordInput(attrs={**attributes, "autocomplete": "new-password"}, render_value=True)
    if spec.widget in ("list", "map", "textarea"):
        return forms.Textarea(attrs={**attributes, "rows": 3, "placeholder": _placeholder(spec)})
    return forms.TextInput(attrs=attributes)


def _bounds(schema: Schema) -> dict[str, Any]:
    bounds = {"min": schema.get("minimum"), "max": schema.get("maximum")}
    step = 1 if base_type(schema) == "integer" else "any"
    return {"step": step, **{name: bound for name, bound in bounds.items() if bound is not None}}


def _placeholder(spec: FieldSpec) -> str:
    if spec.widget == "textarea":
        return ""
    if not _items(spec.schema):
        return "JSON"
    return "One on each line" if spec.widget == "list" else "name = value, one on each line"
