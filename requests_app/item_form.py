"""The parameters of an item as a form: its fields in cards, what was typed, and what is wrong with it."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django import forms
from django.forms.boundfield import BoundField

from catalog_app import services as catalog
from catalog_app.answers import Shape
from catalog_app.form import FieldSpec
from catalog_app.manifest import Usage
from catalog_app.models import ItemVersion
from portal.errors import InvalidInput, PolicyRefused, PortalError
from requests_app.fields import LEFT_OUT, ParameterField, PlainField, as_number

PARAMETER, USAGE = "param-", "usage-"


@dataclass
class Group:
    """An object: its fields in a box, with a switch where the object may be left out."""

    title: str
    help: str
    html_id: str
    switch: BoundField | None
    fields: list["BoundField | Group"]
    is_group = True
    is_hidden_now: bool = False


@dataclass
class Card:
    title: str
    fields: list[BoundField | Group] = field(default_factory=list)

    @property
    def html_id(self) -> str:
        return "card-" + "".join(letter if letter.isalnum() else "-" for letter in self.title.lower())


@dataclass(frozen=True)
class Mistake:
    """A line of the summary above the form."""

    label: str
    why: str
    anchor: str


class ItemForm(forms.Form):
    """The parameters of an item. Django reads and shows them; the services judge."""

    use_required_attribute = False

    def __init__(
        self,
        version: ItemVersion,
        *,
        data: Mapping[str, Any] | None = None,
        only: Collection[str] | None = None,
        without: Collection[str] = (),
        values: Mapping[str, Any] | None = None,
        usage: Mapping[str, Any] | None = None,
    ) -> None:
        """only, without: names of parameters to ask for; values: what they are now."""
        super().__init__(data)
        self.version = version
        self.is_refused_by_rules = False
        self.specs = [
            (section.title, spec)
            for section in catalog.form_fields(version)
            for spec in section.fields
            if (only is None or spec.name in only) and spec.name not in without
        ]
        for _, spec in self.specs:
            self._add(spec, (values or {}).get(spec.name, spec.default))
        for question in version.parsed.pricing.usage:
            self._ask_usage(question, (usage or {}).get(question.id, question.default))

    def _add(self, spec: FieldSpec, value: Any) -> None:
        name = field_name(spec.name)
        if not spec.fields:
            parameter = ParameterField(spec)
            parameter.initial = parameter.show(value)
            self.fields[name] = parameter
            return
        if spec.nullable:
            self.fields[name] = forms.BooleanField(
                required=False, label=spec.title, help_text=spec.help, initial=value is not None
            )
        for inner in spec.fields:
            key = inner.name.rpartition(".")[2]
            self._add(inner, (value or {}).get(key, inner.default))

    def _ask_usage(self, question: Usage, value: float) -> None:
        self.fields[f"{USAGE}{question.id}"] = PlainField(
            label=question.label,
            initial=f"{value:g}" if abs(value) < 1e6 else f"{value:.0f}",
            widget=forms.NumberInput(attrs={"min": 0, "step": "any", "autocomplete": "off"}),
        )

    # ── what was typed ────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def values(self) -> dict[str, Any]:
        """What the fields hold, by field name; their defaults while nothing was sent."""
        if self.is_bound:
            self.is_valid()
            return dict(self.cleaned_data)  # a copy: a field that is refused later keeps its value here
        return {
            name: self.fields[name].clean(self.get_initial_for_field(self.fields[name], name))
            for name in self.fields
        }

    @cached_property
    def unreadable(self) -> dict[str, str]:
        """What cannot be read at all, as problems; not what a service has found since."""
        if not self.is_bound or self.is_valid():
            return {}
        return {name: " ".join(map(str, errors)) for name, errors in self.errors.items()}

    def check_readable(self) -> None:
        """InvalidInput where something cannot be read at all."""
        if problems := self.unreadable:
            raise InvalidInput(problems)

    def wanted(self, *, leaving_out: Collection[str] = ()) -> dict[str, Any]:
        """The arguments of the service. leaving_out: paths of what is wrong; defaults stand in."""
        raise NotImplementedError

    def parameters(self) -> dict[str, Any]:
        values = self.values
        read = {spec.name: self._value(spec, values) for _, spec in self.specs}
        given = {name: value for name, value in read.items() if value is not LEFT_OUT}
        return {**self._strangers(PARAMETER), **given}

    def _strangers(self, prefix: str) -> dict[str, Any]:
        """What was sent for fields that are not here: by a page that is older than the item, or not ours."""
        strange = [name for name in self.data if name.startswith(prefix) and name not in self.fields]
        return {name.removeprefix(prefix): self.data[name] for name in strange}

    def _value(self, spec: FieldSpec, values: Mapping[str, Any]) -> Any:
        name = field_name(spec.name)
        if not spec.fields:
            return values.get(name, LEFT_OUT)
        if spec.nullable and not values.get(name):
            return None
        inner = {each.name.rpartition(".")[2]: self._value(each, values) for each in spec.fields}
        return {key: value for key, value in inner.items() if value is not LEFT_OUT}

    def usage(self) -> dict[str, Any]:
        values = self.values
        typed = {name.removeprefix(USAGE): values.get(name) for name in self.fields if name.startswith(USAGE)}
        return {name: as_number(text) for name, text in typed.items() if text} | self._strangers(USAGE)

    # ── what is shown ─────────────────────────────────────────────────────────────────────────────────

    def place(self) -> dict[str, str]:
        """Environment and region, as far as they are known."""
        raise NotImplementedError

    @cached_property
    def shape(self) -> Shape:
        return catalog.shape(self.version, self.answers(), **self.place())

    def answers(self) -> dict[str, Any]:
        """The parameters, whether this form asks for them or not."""
        return self.parameters()

    def as_event(self) -> dict[str, Any]:
        """The same for a page that is open: ids of fields to hide, and by name the choices that are closed."""
        return {
            "hidden": [f"f-{field_name(name)}" for name in sorted(self.shape.hidden)],
            "closed": {
                field_name(name): sorted(closed) for name, closed in sorted(self.shape.closed.items())
            },
        }

    def cards(self) -> list[Card]:
        cards: dict[str, Card] = {}
        for title, spec in self.specs:
            self._fit(spec)
            cards.setdefault(title, Card(title)).fields.append(self._bound(spec))
        usage = [self[name] for name in self.fields if name.startswith(USAGE)]
        return [*cards.values(), *([Card("Use, for the estimate", [*usage])] if usage else [])]

    def _fit(self, spec: FieldSpec) -> None:
        field = self.fields.get(field_name(spec.name))
        if isinstance(field, ParameterField):
            field.is_hidden_now = spec.name in self.shape.hidden
            field.close(self.shape.closed.get(spec.name, {}))

    def _bound(self, spec: FieldSpec) -> BoundField | Group:
        name = field_name(spec.name)
        if not spec.fields:
            return self[name]
        return Group(
            title=spec.title,
            help=spec.help,
            html_id=f"f-{name}",
            switch=self[name] if spec.nullable else None,
            fields=[self._bound(inner) for inner in spec.fields],
            is_hidden_now=spec.name in self.shape.hidden,
        )

    # ── what is wrong ─────────────────────────────────────────────────────────────────────────────────

    def refuse(self, error: PortalError) -> None:
        """Say each problem beside its field, and what belongs to none above the form."""
        known = self.unreadable
        self.is_refused_by_rules = isinstance(error, PolicyRefused)
        for path, why in error.problems.items():
            if path not in known:
                self.add_error(self.field_for(path), why)
        if not error.problems:
            self.add_error(None, str(error))

    def field_for(self, path: str) -> str | None:
        """The field that a problem is about: `private_endpoint.subnet_id`, `usage.writes`, `environment`."""
        if path in self.fields:
            return path
        if path.startswith("usage."):
            name = USAGE + path.removeprefix("usage.")
            return name if name in self.fields else None
        parts = path.split(".")
        while parts:
            if field_name(".".join(parts)) in self.fields:
                return field_name(".".join(parts))
            parts.pop()
        return None

    def anchor(self, path: str) -> str:
        name = self.field_for(path)
        if name is None:
            return ""
        bound = self[name]
        return f"#{bound.auto_id}_0" if bound.use_fieldset else f"#{bound.auto_id}"

    def mistakes(self) -> Iterator[Mistake]:
        for name, errors in self.errors.items():
            for why in errors:
                if name in self.fields:
                    yield Mistake(str(self[name].label), str(why), self.anchor(name))
                else:
                    yield Mistake("", str(why), "")


def field_name(path: str) -> str:
    return PARAMETER + path.replace(".", "-")
