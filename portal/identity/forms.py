"""The forms about tokens and about the people of a business unit. Their rules are in tokens.py and people.py."""

from datetime import UTC, datetime, time, timedelta
from typing import Any, Self

from django import forms
from django.db.models import QuerySet

from portal.errors import InvalidInput
from portal.identity import tokens
from portal.identity.models import BusinessUnit, Membership, User
from portal.identity.roles import Role, Scope

SCOPES = [("read", "Read only"), ("write", "Read and change")]


class RefusedForm(forms.Form):
    """Shows the problems that a service found, at their fields."""

    use_required_attribute = False

    def refuse(self, error: InvalidInput) -> None:
        for name, why in error.problems.items():
            self.add_error(name if name in self.fields else None, why)


class TokenForm(RefusedForm):
    """For the signed-in person; the admin adds the service account that it is for."""

    name = forms.CharField(
        label="What it is for",
        help_text="A name you will know in a year, such as “nightly report”.",
        strip=True,
    )
    scopes = forms.ChoiceField(
        label="What it may do", choices=SCOPES, initial="read", widget=forms.RadioSelect
    )
    business_unit = forms.ModelChoiceField(
        BusinessUnit.objects.none(),
        to_field_name="slug",
        required=False,
        label="Where",
        empty_label="In all business units",
        help_text="With one business unit, it can do nothing anywhere else.",
    )
    days = forms.IntegerField(label="Days until it expires", initial=30)

    def __init__(self, data: Any = None, *, units: QuerySet[BusinessUnit], most: int) -> None:
        """units: to choose from; most: days."""
        super().__init__(data)
        choice: Any = self.fields["business_unit"]
        choice.queryset = units
        self.fields["days"].help_text = f"At most {most}."

    @classmethod
    def of(cls, owner: User, data: Any = None) -> Self:
        units = BusinessUnit.objects.filter(pk__in=list(owner.roles))
        return cls(data, units=units, most=tokens.max_days(owner))

    def wanted(self) -> dict[str, Any]:
        """Arguments of `tokens.create`."""
        given = dict(self.cleaned_data)
        chosen = [Scope.READ] if given.pop("scopes") == "read" else [Scope.READ, Scope.WRITE]
        return {**given, "scopes": [str(scope) for scope in chosen]}


class RoleForm(RefusedForm):
    role = forms.ChoiceField(label="Role", choices=Role.choices)
    expires = forms.DateField(
        required=False,
        label="Last day",
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="Empty: until somebody withdraws it.",
    )

    def __init__(self, data: Any = None, *, of: Membership | None = None) -> None:
        """of: the row of the list that it stands in."""
        now = {"role": of.role, "expires": of.last_day} if of else None
        super().__init__(data, initial=now, auto_id=f"id_{of.pk}_%s" if of else "id_%s")
        if of:
            for field in self.fields.values():
                field.widget.attrs["form"] = f"role-{of.pk}"

    def ends(self) -> datetime | None:
        """Midnight after the last day."""
        day = self.cleaned_data["expires"]
        return datetime.combine(day + timedelta(days=1), time.min, UTC) if day else None


class AddForm(RoleForm):
    username = forms.CharField(
        label="User name",
        help_text="As on the person's page “Permissions”.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    field_order = ["username", "role", "expires"]

    def person(self) -> User:
        """InvalidInput when there is none."""
        username = self.cleaned_data["username"].strip()
        found = User.objects.filter(username=username).first()
        if found is None:
            raise InvalidInput(
                {"username": f"There is no account {username}. Ask the person for their user name."}
            )
        return found
