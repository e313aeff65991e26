"""
Form fields made from the variables of a module.

They read what was typed and keep it. What a value must be is judged by the services: as for the API.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from catalog_app.form import FieldSpec
from catalog_app.variables.limits import text_problem
from catalog_app.variables.types import Schema, base_type

Reader = Callable[[FieldSpec, Any], Any]
LEFT_OUT = object()  # not given: the default of the variable counts, or the service says that it is needed
NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?", re.ASCII)
FITS_ON_A_LINE = 64  # letters of all radios together; more read better as a select
SCALARS = {"string", "number", "integer", "boolean"}


class PlainField(forms.Field):
    """A text. Django's own field has words of its own for what is wrong with one."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)

    def clean(self, value: Any) -> str:
        text = str(value or "").replace("\r\n", "\n").strip()
        if why := text_problem(text):
            raise ValidationError(why)
        return text


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

    def close(self, choices: Mapping[str, str]) -> None:
        """These cannot be chosen now."""
        if isinstance(self.widget, _Closing):
            self.widget.closed = choices


def as_number(text: str) -> Any:
    """The number, or the text as it is."""
    if not NUMBER.fullmatch(text) or not math.isfinite(float(text)):
        return text
    return int(text) if re.fullmatch(r"[-+]?[0-9]{1,15}", text) else float(text)


def _items(schema: Schema) -> str:
    """The type of what is in a list or a map; empty for anything that does not fit on a line."""
    inner: Schema = schema.get("items") or schema.get("additionalProperties") or {}
    kind = base_type(inner) if inner else ""
    return kind if kind in SCALARS else ""


def _empty(spec: FieldSpec, otherwise: Any = LEFT_OUT) -> Any:
    return None if spec.nullable else otherwise


def _nothing(spec: FieldSpec, empty: Any) -> Any:
    """What an empty field says: nothing was given where something is needed, else the empty value."""
    return _empty(spec, LEFT_OUT if spec.required else empty)


def _text(spec: FieldSpec, typed: str | None) -> Any:
    text = (typed or "").replace("\r\n", "\n")
    if spec.widget != "textarea":
        text = text.strip()
    if text:
        return text
    return _nothing(spec, "")


def _number(spec: FieldSpec, typed: str | None) -> Any:
    text = (typed or "").strip()
    return as_number(text) if text else _empty(spec)


def _switch(spec: FieldSpec, typed: Any) -> Any:
    return bool(typed)


def _choice(spec: FieldSpec, typed: str | None) -> Any:
    if not typed:
        return _empty(spec)
    known = {str(choice): choice for choice in spec.schema.get("enum", [])}
    return known[typed] if typed in known else _scalar(base_type(spec.schema), typed)


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
    return [_scalar(kind, line) for line in lines] if lines else _nothing(spec, [])


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
    return pairs or _nothing(spec, {})


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


class _Closing(forms.widgets.ChoiceWidget):
    """Some of the choices may be closed. The one that is made stays, or a browser would not send it."""

    closed: Mapping[str, str] = {}

    def create_option(
        self, name: str, value: Any, label: Any, selected: bool, *args: Any, **kwargs: Any
    ) -> Any:
        option = super().create_option(name, value, label, selected, *args, **kwargs)
        if str(value) in self.closed and not selected:
            option["attrs"]["disabled"] = True
        return option


class _Radios(_Closing, forms.RadioSelect):
    pass


class _Select(_Closing, forms.Select):
    pass


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
        return _Radios(choices=choices) if as_radios else _Select(choices=choices)
    if spec.widget == "number":
        return forms.NumberInput(attrs={**attributes, **_bounds(spec.schema)})
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
