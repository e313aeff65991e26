"""
item.yaml, beside the main.tf of a module: what the catalog says about it.

It overlays the variables of the module and never repeats them. Names that expressions see: `inject` request
and base (the outputs of the landing zone); `show_if` and `choices_if` params and request; `auto_if` request;
meters params, usage, hours and request.

The texts below the fields are for those who write an item.yaml: docs/item.schema.json carries them into editors.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from catalog_app.documents import Strict
from catalog_app.expressions import Expression, compiled

ROOTS = {
    "inject": frozenset({"request", "base"}),
    "show_if": frozenset({"params", "request"}),
    "auto_if": frozenset({"request"}),
    "meter": frozenset({"params", "usage", "hours", "request"}),
}
HOURS_IN_A_MONTH = 730
LONGEST_TTL = 3650  # days; whoever wants more wants no end


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


def _all_or_some(values: list[str]) -> list[str]:
    if EVERY_UNIT in values and len(values) > 1:
        raise ValueError(f'"{EVERY_UNIT}" means all: leave out the others')
    return _unique(values)


EVERY_UNIT = "*"
NOT_OFFERED = ("draft", "retired")
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,39}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Variable = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Version = Annotated[str, StringConstraints(pattern=r"^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$")]
Region = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]+$")]
Environment = Literal["dev", "staging", "prod"]
Lifecycle = Literal["draft", "preview", "ga", "deprecated", "retired"]
UnitSlug = Annotated[str, StringConstraints(pattern=r"^(\*|[a-z][a-z0-9-]{1,29})$")]
Days = Annotated[int, Field(ge=1, le=LONGEST_TTL)]
InjectCel = Annotated[str, AfterValidator(_compiles("inject"))]
ShowCel = Annotated[str, AfterValidator(_compiles("show_if"))]
ApprovalCel = Annotated[str, AfterValidator(_compiles("auto_if"))]
MeterCel = Annotated[str, AfterValidator(_compiles("meter"))]


class Availability(Strict):
    """Where, and for whom."""

    environments: Annotated[list[Environment], Field(min_length=1), AfterValidator(_unique)]
    regions: Annotated[list[Region], Field(min_length=1), AfterValidator(_unique)]
    """Azure regions in short form: northeurope."""
    business_units: Annotated[list[UnitSlug], Field(min_length=1), AfterValidator(_all_or_some)] = [
        EVERY_UNIT
    ]
    """Slugs of the business units that are offered it; others do not see it. Left out: all."""

    def includes(self, business_unit: str) -> bool:
        return EVERY_UNIT in self.business_units or business_unit in self.business_units


class Ttl(Strict):
    """How long a deployment lives, in days from the end of its run, or from the day it is extended."""

    max_days: Days
    """The most that can be asked for, and the most that one extension gives."""
    default_days: Days | None = None
    """What it gets when nobody says anything. Left out: max_days."""

    @model_validator(mode="after")
    def _the_default_is_possible(self) -> Self:
        if self.default > self.max_days:
            raise ValueError("default_days is more than max_days")
        return self

    @property
    def default(self) -> int:
        return self.default_days or self.max_days


class Change(Strict):
    """What is new in a version, in a sentence for people who have the one before."""

    version: Version
    text: Annotated[str, StringConstraints(min_length=1, max_length=500)]


class FormSection(Strict):
    title: Text
    fields: Annotated[list[Variable], Field(min_length=1)]
    """Variables of the module, in the order in which they are asked."""


class FieldOverlay(Strict):
    """Words for one field of the form; what is left out comes from the variable."""

    title: Text | None = None
    help: Text | None = None
    labels: dict[str, Text] = {}
    """Words for the values of a variable that takes one of several."""
    show_if: ShowCel | None = None
    """CEL over params and request: the field is shown while it is true."""
    choices_if: dict[str, ShowCel] = {}
    """CEL over params and request, by value: it can be chosen while that is true. Others can always be chosen."""
    widget: Literal["select", "radio", "list", "textarea", "private_endpoint"] | None = None


class Form(Strict):
    sections: Annotated[list[FormSection], Field(min_length=1)]
    fields: dict[Variable, FieldOverlay] = {}
    """Words and conditions, by variable."""
    inject: dict[Variable, InjectCel]
    """Variables that the portal fills in, with CEL over request and base: never asked."""


class Meter(Strict):
    """One line of the estimate: what is used, and how much of it in a month."""

    id: Slug
    label: Text
    key: Text | None = None
    """The price, where there is only one."""
    lookup: dict[str, Text | None] | None = None
    """The price by the value of `by`; null: offered, and there is no usable price yet."""
    by: MeterCel | None = None
    """CEL whose value is looked up: params.sku."""
    unit: Literal["hour", "month", "each"]
    """hour: hours of running; month: an amount held for a month; each: counted."""
    quantity: MeterCel
    """CEL over params, usage, hours and request. Numbers are written 2.0."""
    when: MeterCel | None = None
    """CEL: whether there is this line at all."""
    region: Text | None = None
    """For prices that are not regional: Global."""

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
    hours: dict[Environment | Literal["default"], Annotated[float, Field(ge=0, le=744)]] = {}
    """Running hours in a month by environment, for items that really stop; 730 where nothing is said."""

    def hours_in(self, environment: str) -> float:
        hours: dict[str, float] = {str(name): value for name, value in self.hours.items()}
        return hours.get(environment, hours.get("default", HOURS_IN_A_MONTH))


class Approval(Strict):
    auto_if: ApprovalCel | None = None
    """CEL over request: where it is true and no rule objects, nobody has to decide."""
    hint: Annotated[str, StringConstraints(min_length=1, max_length=500)] | None = None
    """What the approver should look at."""


class Operation(Strict):
    """What can be done with a deployment later: a button on its page."""

    id: Slug
    title: Text
    kind: Literal["update", "destroy"]
    fields: list[Variable] = []
    """Of an update: the fields of the form that it may change."""
    environments: list[Environment] = ["dev", "staging", "prod"]
    confirm: Literal["click", "type-name"] = "click"
    """type-name: the name of the deployment is typed before it is removed."""

    @model_validator(mode="after")
    def _an_update_names_its_fields(self) -> Self:
        if (self.kind == "update") != bool(self.fields):
            raise ValueError("an operation of kind update names its fields, and no other kind does")
        return self


class Output(Strict):
    """An output of the module that people see."""

    name: Variable
    label: Text
    role: Literal["resource_id", "endpoint", "link"] | None = None


class Manifest(Strict):
    """An item of the catalog."""

    api_version: Annotated[Literal["groundwork/v1"], Field(alias="apiVersion")]
    """The version of this format."""
    kind: Literal["CatalogItem"]
    name: Slug
    """The folder; unique, and never used again."""
    title: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    version: Version
    """Of module and manifest together. What is in the catalog never changes: every change is a new version."""
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
    """A name from lucide.dev/icons."""
    owner: Slug
    """The team that keeps the item."""
    lifecycle: Lifecycle
    """draft: for operators only; preview: may still change; ga: offered; deprecated: offered with a warning;
    retired: no new requests, and what exists can still be changed and removed."""
    replaced_by: Slug | None = None
    """The item to use in its place, once it is deprecated or retired."""
    changes: list[Change] = []
    """What is new in each version. Every version after the first has an entry."""
    availability: Availability
    ttl: dict[Environment, Ttl] = {}
    """How long deployments live, by environment. Left out: as long as people want."""
    form: Form
    pricing: Pricing = Pricing()
    approval: Approval = Approval()
    operations: Annotated[list[Operation], Field(min_length=1)]
    outputs: Annotated[list[Output], Field(min_length=1)]

    def changes_since(self, version: str = "0.0.0") -> list[Change]:
        """What is new in later versions, the newest first."""
        later = [change for change in self.changes if version_key(change.version) > version_key(version)]
        return sorted(later, key=lambda change: version_key(change.version), reverse=True)

    def ttl_in(self, environment: str) -> Ttl | None:
        limits: dict[str, Ttl] = {str(name): limit for name, limit in self.ttl.items()}
        return limits.get(environment)

    @property
    def asked(self) -> list[str]:
        """The variables that people fill in, in the order of the form."""
        return [name for section in self.form.sections for name in section.fields]

    def overlay(self, name: str) -> FieldOverlay:
        return self.form.fields.get(name, FieldOverlay())

    def show_if(self, name: str) -> Expression | None:
        text = self.overlay(name).show_if
        return compiled(text, ROOTS["show_if"]) if text else None

    def choices_if(self, name: str) -> dict[str, Expression]:
        return {
            choice: compiled(text, ROOTS["show_if"]) for choice, text in self.overlay(name).choices_if.items()
        }

    def operations_of(self, kind: str, environment: str = "") -> list[Operation]:
        """The operations of one kind, everywhere or in one environment."""
        return [
            operation
            for operation in self.operations
            if operation.kind == kind and (not environment or environment in operation.environments)
        ]


def version_key(version: str) -> tuple[int, ...]:
    """1.10.0 comes after 1.9.0."""
    return tuple(int(part) for part in version.split("."))


class _Schema(GenerateJsonSchema):
    """Pydantic's own, without what only gets in the way of an editor."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False  # the names of the fields say enough

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        made = super().default_schema(schema)
        if made.get("default") is None or isinstance(made["default"], dict):
            made.pop("default", None)  # nothing, in many words
        return made

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        made = super().dict_schema(schema)
        return {**made, "additionalProperties": False} if "patternProperties" in made else made


def json_schema() -> dict[str, Any]:
    """The format of item.yaml as JSON Schema 2020-12, for editors."""
    made = Manifest.model_json_schema(by_alias=True, schema_generator=_Schema)
    return {"$schema": _Schema.schema_dialect, **made, "title": "item.yaml"}
