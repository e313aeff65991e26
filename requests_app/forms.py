"""The forms of a new request, of a change, and of a removal."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from django import forms

from catalog_app import services as catalog
from catalog_app.manifest import LONGEST_TTL, Operation
from catalog_app.models import ItemVersion
from portal.errors import InvalidInput, PortalError
from portal.identity.models import BusinessUnit, Environment, User
from portal.identity.roles import Permission
from portal.templatetags.ui import region as region_name
from requests_app import changing
from requests_app.fields import PlainField, as_number
from requests_app.item_form import PARAMETER, Card, ItemForm
from requests_app.models import Deployment

A_NAME_TO_COME = "name-to-come"  # stands in for a name in the estimate of a form that is being filled in


class RequestForm(ItemForm):
    """Something new."""

    def __init__(self, version: ItemVersion, user: User, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(version, data=data, without={"name"})
        units = BusinessUnit.objects.for_user(user, Permission.REQUEST_CREATE).filter(is_active=True)
        offered = version.parsed.availability
        self.units = [(unit.slug, unit.name) for unit in units if offered.includes(unit.slug)]
        self.fields = {**self._where(version), **self.fields}
        self.fields["ttl_days"] = _days(_limits(version))
        self.fields["justification"] = _justification()

    def _where(self, version: ItemVersion) -> dict[str, forms.Field]:
        offered = version.parsed.availability
        asked = {spec.name: spec for section in catalog.form_fields(version) for spec in section.fields}
        overlay = asked.get("name")
        name_help = (
            overlay.help if overlay else "What people will call it: 3 to 12 letters, digits and hyphens."
        )
        return {
            "name": PlainField(
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

    def place(self) -> dict[str, str]:
        return {name: self.values.get(name) or "" for name in ("environment", "region")}

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
            "ttl_days": None if "ttl_days" in wrong else read_days(values.get("ttl_days")),
        }

    def cards(self) -> list[Card]:
        where = Card("Where", [self[name] for name in ("name", "business_unit", "environment", "region")])
        lifetime = Card("Lifetime", [self["ttl_days"]])
        return [where, *super().cards(), lifetime, Card("For the approver", [self["justification"]])]


class ChangeForm(ItemForm):
    """Other parameters for what is there, with the version that it has or with a newer one."""

    def __init__(
        self,
        version: ItemVersion,
        deployment: Deployment,
        *,
        operation: Operation | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        """operation: the one that is asked for; without it everything that can be changed."""
        asked = operation.fields if operation else changing.settable(deployment, version)
        super().__init__(version, data=data, only=asked, values=deployment.parameters, usage=deployment.usage)
        self.deployment = deployment
        if operation:
            self.fields = {name: field for name, field in self.fields.items() if name.startswith(PARAMETER)}
        else:
            self.fields["ttl_days"] = _days(_present_end(deployment) or _limits(version))
        self.fields["allow_replace"] = forms.BooleanField(
            required=False,
            label="Resources may be replaced",
            help_text="A replaced resource is deleted and built again: what it holds is lost.",
        )
        self.fields["justification"] = _justification()

    def place(self) -> dict[str, str]:
        return {"environment": self.deployment.environment, "region": self.deployment.region}

    def answers(self) -> dict[str, Any]:
        return {**self.deployment.parameters, **self.parameters()}

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
            "ttl_days": None if "ttl_days" in wrong else read_days(values.get("ttl_days")),
            "upgrade": self.version != self.deployment.item_version,
        }

    def cards(self) -> list[Card]:
        lifetime = [Card("Lifetime", [self["ttl_days"]])] if "ttl_days" in self.fields else []
        approver = Card("For the approver", [self["allow_replace"], self["justification"]])
        return [*super().cards(), *lifetime, approver]


class DestroyForm(forms.Form):
    """The name is typed where the item asks for that."""

    use_required_attribute = False

    def __init__(
        self, deployment: Deployment, *, type_name: bool, data: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(data)
        self.deployment = deployment
        if type_name:
            self.fields["confirm"] = PlainField(
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
    made = PlainField(
        label="Justification",
        help_text=help_text,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    made.is_optional = True  # type: ignore[attr-defined]
    return made


def _days(help_text: str) -> forms.Field:
    made = PlainField(
        label="Days until it is removed",
        help_text=help_text,
        widget=forms.NumberInput(attrs={"min": 1, "max": LONGEST_TTL, "step": 1, "autocomplete": "off"}),
    )
    made.is_optional = True  # type: ignore[attr-defined]
    return made


def read_days(typed: str | None) -> Any:
    """A whole number of days; what is none of it stays as typed, for the service to judge."""
    text = (typed or "").strip()
    return as_number(text) if text else None


def _limits(version: ItemVersion) -> str:
    """What the item says of lifetimes, in words."""
    said = [
        f"{Environment(name).label}: {limit.default} days if you leave it empty, at most {limit.max_days}."
        for name, limit in version.parsed.ttl.items()
    ]
    if len(said) < len(version.parsed.availability.environments):
        elsewhere = "Elsewhere" if said else "Leave it empty, and"
        said.append(f"{elsewhere} it stays until somebody removes it.")
    return " ".join(said)


def _present_end(deployment: Deployment) -> str:
    if deployment.expires_at is None:
        return ""
    return f"Leave it empty to keep the end: {deployment.expires_at:%-d %b %Y}. Else counted from the change."


def _one_of(label: str, choices: list[tuple[str, str]], help_text: str = "") -> forms.Field:
    """A choice that is judged by the services; the first is chosen."""
    widget: Callable[..., forms.Widget] = forms.RadioSelect if len(choices) <= 6 else forms.Select
    return PlainField(
        label=label,
        help_text=help_text,
        initial=choices[0][0] if choices else "",
        widget=widget(choices=choices),
    )
