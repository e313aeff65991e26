"""One request through the page, the API and the command line, each as people and machines use it."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from django.db import transaction
from django.test import Client
from requests.adapters import BaseAdapter
from rest_framework.test import APIClient

from catalog_app import services as catalog
from catalog_app.form import FieldSpec
from catalog_app.models import ItemVersion
from cli.main import main
from cli.values import convert
from requests_app.fields import NUMBER
from requests_app.forms import RequestForm
from requests_app.item_form import PARAMETER, field_name

WHERE = ("name", "business_unit", "environment", "region")
Wanted = dict[str, Any]  # the body of a request, as the API takes it


@dataclass(frozen=True)
class Verdict:
    """accepted, refused or denied by a rule; and what is wrong, by field."""

    outcome: str
    problems: dict[str, str]


OUTCOMES = {201: "accepted", 302: "accepted", 400: "refused", 422: "denied"}
CODES = {"InvalidInput": "refused", "PolicyRefused": "denied"}


@contextmanager
def undone() -> Iterator[None]:
    """What is accepted would stand in the way of the next one."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


# ── the API ─────────────────────────────────────────────────────────────────────────────────────────────────


def by_api(client: APIClient, wanted: Wanted) -> Verdict:
    with undone():
        answer = client.post("/api/v1/requests/", wanted)
    return Verdict(OUTCOMES[answer.status_code], answer.json().get("problems", {}))


# ── the command line ────────────────────────────────────────────────────────────────────────────────────────


class InProcess(BaseAdapter):
    """A network that leads to the portal in this process."""

    def __init__(self, client: APIClient) -> None:
        super().__init__()
        self.client = client

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in request.headers.items()}
        came = self.client.generic(
            str(request.method), str(request.path_url), request.body or b"", "application/json", **headers
        )
        answer = requests.Response()
        answer.status_code, answer.raw, answer.request = came.status_code, io.BytesIO(came.content), request
        answer.headers.update(came.headers)
        return answer

    def close(self) -> None:
        pass


def by_command(wanted: Wanted, version: ItemVersion, file: Path, capsys: Any) -> Verdict:
    """What can be typed as name=value is, and the rest is in a file."""
    schema = catalog.asked_schema(version)["properties"]
    typed = {
        name: _typed(value)
        for name, value in wanted["parameters"].items()
        if _can_be_typed(value, schema.get(name, {"type": "string"}))
    }
    file.write_text(
        json.dumps({name: value for name, value in wanted["parameters"].items() if name not in typed})
    )
    options = {"unit": "business_unit", "env": "environment", "region": "region", "name": "name"}
    with undone():
        code = main(
            [
                "submit",
                *(f"--{option}={wanted[field]}" for option, field in options.items()),
                *(part for name, text in typed.items() for part in ("-p", f"{name}={text}")),
                f"--file={file}",
                "--json",
                "--",
                wanted["item"],
            ]
        )
    answer = json.loads(capsys.readouterr().out)
    return Verdict("accepted", {}) if code == 0 else Verdict(CODES[answer["code"]], answer["problems"])


def _typed(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _can_be_typed(value: Any, schema: Any) -> bool:
    try:
        read = convert(_typed(value), schema)
    except ValueError:
        return False
    return type(read) is type(value) and read == value


# ── the page ────────────────────────────────────────────────────────────────────────────────────────────────


def by_page(client: Client, wanted: Wanted, version: ItemVersion, user: Any) -> tuple[Verdict, RequestForm]:
    """The problems are by the names of the form's fields."""
    form = RequestForm(version, user)
    sent = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    sent |= {name: wanted[name] for name in WHERE}
    specs = {spec.name: spec for section in catalog.form_fields(version) for spec in section.fields}
    for name, value in wanted["parameters"].items():
        sent |= encoded(specs[name], value) if name in specs else {f"{PARAMETER}{name}": str(value)}
    boxes = {name: value for name, value in sent.items() if value not in (None, False)}
    with undone():
        answer = client.post(f"/catalog/{wanted['item']}/request/", boxes)
    if answer.status_code == 302:
        return Verdict("accepted", {}), form
    shown = answer.context["form"]
    problems = {name: " ".join(sorted(map(str, errors))) for name, errors in shown.errors.items()}
    return Verdict(OUTCOMES[answer.status_code], problems), form


def on_page(verdict: Verdict, form: RequestForm) -> Verdict:
    """The same verdict as the page can show it: the problems of one field stand together."""
    fields: dict[str, list[str]] = {}
    for path, why in verdict.problems.items():
        fields.setdefault(form.field_for(path) or "__all__", []).append(why)
    return Verdict(verdict.outcome, {name: " ".join(sorted(said)) for name, said in fields.items()})


def encoded(spec: FieldSpec, value: Any) -> dict[str, Any]:
    """What a browser would send for the value; see `typable`."""
    name = field_name(spec.name)
    if not spec.fields:
        return {name: _shown(spec, value)}
    if value is None:
        return {name: None}
    inside = {each.name.rpartition(".")[2]: each for each in spec.fields}
    sent = {name: "on"} if spec.nullable else {}
    for key, inner in inside.items():
        sent |= encoded(inner, value[key]) if key in value else {field_name(inner.name): _left_out(inner)}
    return sent


def _left_out(spec: FieldSpec) -> Any:
    return "" if spec.default is None else _shown(spec, spec.default)


def _shown(spec: FieldSpec, value: Any) -> Any:
    if spec.widget == "checkbox":
        return "on" if value else None
    if spec.widget == "list" and _lines(spec):
        return "\n".join(map(_word, value or []))
    if spec.widget == "map" and _lines(spec):
        return "\n".join(f"{key} = {_word(each)}" for key, each in (value or {}).items())
    if spec.widget in ("list", "map"):
        return "" if value is None else json.dumps(value)
    return "" if value is None else _word(value)


def _word(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _lines(spec: FieldSpec) -> bool:
    """Lists and maps of simple things are written in lines, others in JSON."""
    inner = spec.schema.get("items") or spec.schema.get("additionalProperties") or {}
    return inner.get("type") in ("string", "number", "integer", "boolean")


def typable(spec: FieldSpec, value: Any) -> bool:
    """Whether a form can say it: there is no list in a field for a number, and no text in a switch."""
    if spec.fields:
        return _typable_object(spec, value)
    if value is None:
        return spec.nullable
    if value in ([], {}) and (spec.nullable or spec.required):
        return False  # an empty field says null, or that what is needed was not given
    if spec.widget == "checkbox":
        return isinstance(value, bool)
    if spec.widget == "list" and _lines(spec):
        return isinstance(value, list) and all(_typable_word(spec.schema["items"], each) for each in value)
    if spec.widget == "map" and _lines(spec):
        return isinstance(value, dict) and all(
            _plain(key) and "=" not in key and _typable_word(spec.schema["additionalProperties"], each)
            for key, each in value.items()
        )
    if spec.widget in ("list", "map"):
        return True
    return _typable_word(spec.schema, value)


def _typable_object(spec: FieldSpec, value: Any) -> bool:
    if value is None:
        return spec.nullable
    known = {each.name.rpartition(".")[2]: each for each in spec.fields}
    return (
        isinstance(value, dict)
        and value.keys() <= known.keys()
        and all(typable(known[key], each) for key, each in value.items())
    )


def _typable_word(schema: Any, value: Any) -> bool:
    kinds = schema.get("type")
    kind = kinds if isinstance(kinds, str) else next((each for each in kinds or [] if each != "null"), "")
    if kind in ("number", "integer"):
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return is_number or (isinstance(value, str) and _plain(value) and not NUMBER.fullmatch(value))
    if kind == "boolean":
        return isinstance(value, bool)
    return isinstance(value, str) and _plain(value)


def _plain(text: Any) -> bool:
    """On one line, and without the space around it that a form takes away."""
    return isinstance(text, str) and bool(text) and text == text.strip() and len(text.splitlines()) == 1
