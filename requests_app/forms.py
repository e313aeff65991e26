"""The forms of a new request, of a change, and of a removal."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from django import forms

from catalog_app import services as catalog
from catalog_app.models import ItemVersion
from portal.errors import InvalidInput, PortalError
from portal.identity.models import BusinessUnit, Environment, User
from portal.identity.roles import Permission
from portal.templatetags.ui import region as region_name
from requests_app.item_form import Card, ItemForm
from requests_app.models import Deployment

A_NAME_TO_COME = "name-to-come"  # stands in for a name in the estimate of a form that is being filled in


class RequestForm(ItemForm):
    """Something new."""

    def __init__(self, version: ItemVersion, user: User, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(version, data=data, without={"name"})
        units = BusinessUnit.objects.for_user(user, Permission.REQUEST_CREATE).filter(is_active=True)
        self.units = [(unit.slug, unit.name) for unit in units]
        self.fields = {**self._where(version), **self.fields}
        self.fields["justification"] = _justification()

    def _where(self, version: ItemVersion) -> dict[str, forms.Field]:
        offered = version.parsed.availability
        asked = {spec.name: spec for section in catalog.form_fields(version) for spec in section.fields}
        overlay = asked.get("name")
        name_help = (
            overlay.help if overlay else "What people will call it: 3 to 12 letters, digits and hyphens."
        )
        return {
            "name": forms.CharField(
                required=False,
                label="Name",
                help_text=name_help,
                widget=forms.TextInput(
                    attrs={"autocomplete": "off", "spellcheck": "false", "aria-required": "true"}
                ),
            ),
            "business_unit": _one_of(
                "Business unit", self.units, help_text="Who answers for it and pays for it."
            ),
            "environment": _one_of(
                "Environment", [(name, Environment(name).label) for name in offered.environments]
            ),
            "region": _one_of("Region", [(name, region_name(name)) for name in offered.regions]),
        }

    def wanted(self, *, leaving_out: Collection[str] = ()) -> dict[str, Any]:
        """The arguments of `services.submit`. leaving_out: names of what is wrong; the defaults stand in."""
        values = self.values
        wrong = {path.split(".")[0] for path in leaving_out}
        where = {name: values.get(name) or "" for name in ("name", "business_unit", "environment", "region")}
        if "name" in wrong:
            where["name"] = A_NAME_TO_COME
        return {
            **where,
            "parameters": {name: value for name, value in self.parameters().items() if name not in wrong},
            "usage": {} if "usage" in wrong else self.usage(),
            "justification": values.get("justification") or "",
        }

    def cards(self) -> list[Card]:
        where = Card("Where", [self[name] for name in ("name", "business_unit", "environment", "region")])
        return [where, *super().cards(), Card("For the approver", [self["justification"]])]


class ChangeForm(ItemForm):
    """Other parameters for what is there."""

    def __init__(
        self, version: ItemVersion, deployment: Deployment, data: Mapping[str, Any] | None = None
    ) -> None:
        editable = catalog.editable(version, environment=deployment.environment)
        super().__init__(
            version, data=data, only=editable, values=deployment.parameters, usage=deployment.usage
        )
        self.deployment = deployment
        self.fields["allow_replace"] = forms.BooleanField(
            required=False,
            label="Resources may be replaced",
            help_text="A replaced resource is deleted and built again: what it holds is lost.",
        )
        self.fields["justification"] = _justification()

    def wanted(self, *, leaving_out: Collection[str] = ()) -> dict[str, Any]:
        """The arguments of `services.submit_update`: only what is different."""
        values = self.values
        wrong = {path.split(".")[0] for path in leaving_out}
        now = self.deployment.parameters
        changed = {name: value for name, value in self.parameters().items() if now.get(name) != value}
        usage = self.usage()
        return {
            "parameters": {name: value for name, value in changed.items() if name not in wrong},
            "usage": None if "usage" in wrong or not usage else {**self.deployment.usage, **usage},
            "justification": values.get("justification") or "",
            "allow_replace": bool(values.get("allow_replace")),
        }

    def cards(self) -> list[Card]:
        approver = Card("For the approver", [self["allow_replace"], self["justification"]])
        return [*super().cards(), approver]


class DestroyForm(forms.Form):
    """The name is typed where the item asks for that."""

    use_required_attribute = False

    def __init__(
        self, deployment: Deployment, *, type_name: bool, data: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(data)
        self.deployment = deployment
        if type_name:
            self.fields["confirm"] = forms.CharField(
                required=False,
                label=f"Type {deployment.name} to confirm",
                widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
            )
        self.fields["justification"] = _justification("Why it can go. The approver reads this first.")

    def anchor(self, path: str) -> str:
        return ""

    def confirmed(self) -> str:
        """The justification; InvalidInput where the name was not typed."""
        self.is_valid()
        if "confirm" in self.fields and self.cleaned_data["confirm"] != self.deployment.name:
            raise InvalidInput({"confirm": f"This is not its name: type {self.deployment.name}."})
        return self.cleaned_data["justification"]

    def refuse(self, error: PortalError) -> None:
        for path, why in error.problems.items():
            self.add_error(path if path in self.fields else None, why)


def _justification(help_text: str = "What it is for. The approver reads this first.") -> forms.Field:
    made = forms.CharField(
        required=False,
        label="Justification",
        help_text=help_text,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    made.is_optional = True  # type: ignore[attr-defined]
    return made


def _one_of(label: str, choices: list[tuple[str, str]], help_text: str = "") -> forms.Field:
    """A choice that is judged by the services; the first is chosen."""
    widget: Callable[..., forms.Widget] = forms.RadioSelect if len(choices) <= 6 else forms.Select
    return forms.CharField(
        required=False,
        label=label,
        help_text=help_text,
        initial=choices[0][0] if choices else "",
        widget=widget(choices=choices),
    )
