"""
Values checked against the schema of a module, with all that is wrong said at once, in words for people.

Stricter than Terraform on purpose: the text "9" is not a number, and unknown names in an object are refused.
"""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema.exceptions import ValidationError

from catalog_app.variables.dialect import validator
from catalog_app.variables.limits import MOST_PROBLEMS, is_number, unusable
from catalog_app.variables.types import Schema

Problems = dict[str, str]  # by field; a dotted path inside of objects and lists


class Values:
    """Checks values for some of the variables of a module; made once, used for many values."""

    def __init__(self, variables: Mapping[str, Schema]) -> None:
        self.variables = dict(variables)
        schema = {"type": "object", "properties": self.variables}
        self._validator = validator(schema)
        self._rules = {
            name: [(rule["message"], validator(rule["schema"])) for rule in variable.get("x-rules", [])]
            for name, variable in self.variables.items()
        }

    def problems(self, values: Mapping[str, Any]) -> Problems:
        """What is wrong with the values that are there; which have to be there is the caller's question."""
        found = unusable(values)
        if found:
            return found
        for error in self._validator.iter_errors(dict(values)):
            for path, message in self._said(error, values):
                # A text where a number is needed: the type is the better news than what else does not fit.
                if error.validator == "type" or path not in found:
                    found[path] = message
            if len(found) >= MOST_PROBLEMS:
                break
        return found

    def completed(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Good values with the defaults filled in, also inside of objects."""
        return _complete({"properties": self.variables}, values)

    def _said(self, error: ValidationError, values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        path = [str(part) for part in error.absolute_path]
        dotted = ".".join(path)
        # What these keywords look at is there whenever they fail; the library's types do not know that.
        wanted: Any = error.validator_value
        instance: Any = error.instance
        if error.validator == "required":
            for name in wanted:
                if name not in instance:
                    yield f"{dotted}.{name}", "This is needed and was not given."
        elif error.validator == "additionalProperties" and not isinstance(wanted, dict):
            schema: Any = error.schema
            known = schema["properties"]
            for name in sorted(set(instance) - set(known)):
                yield f"{dotted}.{name}", f"{path[-1]} has no {name}; it takes: {', '.join(known)}."
        else:
            yield dotted, self._own_words(error, path[0], values) or in_words(error)

    def _own_words(self, error: ValidationError, name: str, values: Mapping[str, Any]) -> str:
        """The message of the module's rule that fails at the same place."""
        wanted: Any = error.validator_value
        if error.validator == "type" and not (is_number(error.instance) and "integer" in wanted):
            return ""
        inside = list(error.absolute_path)[1:]
        for message, rule in self._rules[name]:
            if any(list(broken.absolute_path) == inside for broken in rule.iter_errors(values[name])):
                return message
        return ""


def _complete(schema: Schema, value: Any) -> Any:
    """The value with the defaults of what is left out, as Terraform sees it."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        if "properties" not in schema:
            rest = schema.get("additionalProperties", {})
            return {name: _complete(rest, each) for name, each in value.items()}
        return {
            name: _complete(inner, value.get(name, inner.get("default")))
            for name, inner in schema["properties"].items()
            if name in value or "default" in inner
        }
    if isinstance(value, list):
        places = schema.get("prefixItems") or [schema.get("items", {})] * len(value)
        return [_complete(inner, each) for inner, each in zip(places, value, strict=True)]
    return copy.deepcopy(value)


TYPES = {
    "string": "a text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object with named fields",
    "null": "null",
}


def in_words(error: ValidationError) -> str:
    """One problem as a sentence that names the fix."""
    wanted: Any = error.validator_value
    match error.validator:
        case "type":
            kinds = [wanted] if isinstance(wanted, str) else wanted
            return (
                f"This must be {' or '.join(TYPES[kind] for kind in kinds)}, not {described(error.instance)}."
            )
        case "enum":
            return (
                f"This must be one of: {', '.join('null' if each is None else str(each) for each in wanted)}."
            )
        case "const":
            return f"This must be {wanted}."
        case "uniqueItems":
            return "This holds the same value twice: give each only once."
        case "format" if wanted == "cidr":
            return "This must be an address range, for example 10.0.0.0/24."
        case "multipleOf":
            return f"This must be a multiple of {wanted}."
    return _limit(str(error.validator), wanted)


def _limit(keyword: str, wanted: Any) -> str:
    limits = {
        "minimum": "be at least {}",
        "exclusiveMinimum": "be more than {}",
        "maximum": "be at most {}",
        "exclusiveMaximum": "be less than {}",
        "minLength": "have at least {} characters",
        "maxLength": "have at most {} characters",
        "minItems": "hold at least {} values",
        "maxItems": "hold at most {} values",
        "pattern": "match the pattern {}",
    }
    if keyword in limits:
        return f"This must {limits[keyword].format(wanted)}."
    return "This value is not allowed."


def described(value: Any) -> str:
    """A value named by its kind: `the text "9"`, `a list`."""
    match value:
        case None:
            return "null (leave it out to get the default)"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"the number {value}"
        case str():
            return f'the text "{value if len(value) <= 40 else value[:37] + "..."}"'
        case list() | tuple():
            return "a list"
    return "an object with named fields"
