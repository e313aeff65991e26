"""
item.yaml, beside the main.tf of a module: what the catalog says about it.

It overlays the variables of the module and never repeats them. Names that expressions see: `inject` request
and base (the outputs of the landing zone); `show_if` params and request; `auto_if` request; meters params,
usage, hours and request.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from catalog_app.documents import Strict
from catalog_app.expressions import Expression, compiled

ROOTS = {
    "inject": frozenset({"request", "base"}),
    "show_if": frozenset({"params", "request"}),
    "auto_if": frozenset({"request"}),
    "meter": frozenset({"params", "usage", "hours", "request"}),
}
HOURS_IN_A_MONTH = 730


def _compiles(place: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        compiled(text, ROOTS[place])
        return text

    return check


def _unique(values: list[Any]) -> list[Any]:
    twice = sorted({str(value) for value in values if values.count(value) > 1})
    if twice:
        raise ValueError(f"{', '.join(twice)} is there twice")
    return values


Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,39}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Variable = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Version = Annotated[str, StringConstraints(pattern=r"^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$")]
Region = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]+$")]
Environment = Literal["dev", "staging", "prod"]
InjectCel = Annotated[str, AfterValidator(_compiles("inject"))]
ShowCel = Annotated[str, AfterValidator(_compiles("show_if"))]
ApprovalCel = Annotated[str, AfterValidator(_compiles("auto_if"))]
MeterCel = Annotated[str, AfterValidator(_compiles("meter"))]


class Availability(Strict):
    environments: Annotated[list[Environment], Field(min_length=1), AfterValidator(_unique)]
    regions: Annotated[list[Region], Field(min_length=1), AfterValidator(_unique)]
    business_units: list[Text] = ["*"]


class FormSection(Strict):
    title: Text
    fields: Annotated[list[Variable], Field(min_length=1)]


class FieldOverlay(Strict):
    title: Text | None = None
    help: Text | None = None
    labels: dict[str, Text] = {}
    show_if: ShowCel | None = None
    widget: Literal["select", "radio", "list", "textarea", "private_endpoint"] | None = None


class Form(Strict):
    sections: Annotated[list[FormSection], Field(min_length=1)]
    fields: dict[Variable, FieldOverlay] = {}
    inject: dict[Variable, InjectCel]


class Meter(Strict):
    """One line of the estimate: what is used, and how much of it in a month."""

    id: Slug
    label: Text
    key: Text | None = None
    # The key by the value of `by`; null: offered, and there is no usable price yet.
    lookup: dict[str, Text | None] | None = None
    by: MeterCel | None = None
    unit: Literal["hour", "month", "each"]
    quantity: MeterCel
    when: MeterCel | None = None
    region: Text | None = None  # for prices that are not regional: Global

    @model_validator(mode="after")
    def _one_way_to_the_key(self) -> Self:
        by_lookup = self.lookup is not None and self.by is not None
        if (self.key is not None) == by_lookup or (self.lookup is None) != (self.by is None):
            raise ValueError("a meter has either a key, or a lookup together with by")
        return self

    @property
    def keys(self) -> set[str]:
        """Every price key that the meter can ask for."""
        return {key for key in (self.key, *(self.lookup or {}).values()) if key}


class Usage(Strict):
    """What the form may ask about use, only for the estimate."""

    id: Variable
    label: Text
    default: Annotated[float, Field(ge=0)]


class Pricing(Strict):
    meters: list[Meter] = []
    usage: list[Usage] = []
    # Running hours in a month by environment, for items that really stop; 730 where nothing is said.
    hours: dict[Environment | Literal["default"], Annotated[float, Field(ge=0, le=744)]] = {}

    def hours_in(self, environment: str) -> float:
        hours: dict[str, float] = {str(name): value for name, value in self.hours.items()}
        return hours.get(environment, hours.get("default", HOURS_IN_A_MONTH))


class Approval(Strict):
    auto_if: ApprovalCel | None = None  # true: nobody has to decide


class Operation(Strict):
    """What can be done with a deployment later."""

    id: Slug
    title: Text
    kind: Literal["update", "destroy"]
    fields: list[Variable] = []
    environments: list[Environment] = ["dev", "staging", "prod"]
    confirm: Literal["click", "type-name"] = "click"

    @model_validator(mode="after")
    def _an_update_names_its_fields(self) -> Self:
        if (self.kind == "update") != bool(self.fields):
            raise ValueError("an operation of kind update names its fields, and no other kind does")
        return self


class Output(Strict):
    name: Variable
    label: Text
    role: Literal["resource_id", "endpoint", "link"] | None = None


class Manifest(Strict):
    api_version: Annotated[Literal["groundwork/v1"], Field(alias="apiVersion")]
    kind: Literal["CatalogItem"]
    name: Slug  # the folder; unique and never used again
    title: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    version: Version  # of module and manifest together
    category: Literal[
        "compute",
        "containers",
        "databases",
        "integration",
        "networking",
        "security",
        "storage",
        "web",
        "platform",
    ]
    summary: Text
    icon: Slug
    owner: Slug
    lifecycle: Literal["draft", "preview", "ga", "deprecated", "retired"]
    replaced_by: Slug | None = None
    availability: Availability
    form: Form
    pricing: Pricing = Pricing()
    approval: Approval = Approval()
    operations: Annotated[list[Operation], Field(min_length=1)]
    outputs: Annotated[list[Output], Field(min_length=1)]

    @property
    def asked(self) -> list[str]:
        """The variables that people fill in, in the order of the form."""
        return [name for section in self.form.sections for name in section.fields]

    def overlay(self, name: str) -> FieldOverlay:
        return self.form.fields.get(name, FieldOverlay())

    def show_if(self, name: str) -> Expression | None:
        text = self.overlay(name).show_if
        return compiled(text, ROOTS["show_if"]) if text else None

    def operations_of(self, kind: str, environment: str = "") -> list[Operation]:
        """The operations of one kind, everywhere or in one environment."""
        return [
            operation
            for operation in self.operations
            if operation.kind == kind and (not environment or environment in operation.environments)
        ]
