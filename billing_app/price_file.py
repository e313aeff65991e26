"""The file with the prices that Groundwork ships: list prices, each with its source and its date."""

import datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from billing_app.units import parsed
from catalog_app import documents
from catalog_app.documents import Strict
from catalog_app.problems import CatalogProblems, Problem

Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Short = Annotated[str, StringConstraints(min_length=1, max_length=80)]


def _known_unit(unit: str) -> str:
    parsed(unit)
    return unit


class PriceRow(Strict):
    key: Short
    region: Annotated[str, StringConstraints(pattern=r"^([a-z][a-z0-9]+|Global)$", max_length=40)]
    unit: Annotated[str, StringConstraints(max_length=20), AfterValidator(_known_unit)]
    tier_minimum: Annotated[Decimal, Field(ge=0, max_digits=18, decimal_places=4)] = Decimal(0)
    price: Annotated[Decimal, Field(ge=0, max_digits=20, decimal_places=10)]
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    service: Short
    meter: Text
    meter_id: Annotated[str, StringConstraints(max_length=40)] = ""
    source: Short
    confidence: Literal["api", "api-inferred-unit", "golden"]
    as_of: datetime.date


class PriceFile(Strict):
    about: Text
    sources: dict[str, Text]
    rows: Annotated[list[PriceRow], Field(min_length=1)]


def read(path: Path) -> list[PriceRow]:
    """The rows, or CatalogProblems with all that is wrong in the file."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogProblems([Problem(path.name, 1, f"the file cannot be read: {error}")]) from error
    document = documents.load(text, path.name)  # JSON is YAML too, and this keeps the lines
    rows = document.checked(PriceFile).rows
    known = document.data["sources"]
    found, seen = [], set()
    units: dict[tuple[str, str, str], str] = {}
    for index, row in enumerate(rows):
        tier = (row.key, row.region, row.currency, row.tier_minimum)
        if tier in seen:
            reason = f"the price of {row.key} in {row.region} is there twice"
            found.append(document.problem(("rows", index), reason))
        if row.source not in known:
            reason = f"the source {row.source} is not described under sources"
            found.append(document.problem(("rows", index, "source"), reason))
        if units.setdefault(tier[:3], row.unit) != row.unit:
            reason = f"the tiers of {row.key} in {row.region} have different units"
            found.append(document.problem(("rows", index, "unit"), reason))
        seen.add(tier)
    if found:
        raise CatalogProblems(found)
    return rows
