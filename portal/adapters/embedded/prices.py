"""The price list in the file that Groundwork ships: what a portal without internet goes by."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from portal.errors import OutsideError
from portal.ports import ListPrice


class PriceFile:
    def __init__(self, file: Path | str) -> None:
        self._file = Path(file)

    def of(self, service: str, region: str, currency: str) -> Sequence[ListPrice]:
        try:
            # Decimal from the text: a float in between could add a digit.
            rows = json.loads(self._file.read_text(encoding="utf-8"), parse_float=Decimal)["rows"]
            wanted = (service, region, currency)
            return [_price(row) for row in rows if (row["service"], row["region"], row["currency"]) == wanted]
        except (OSError, ArithmeticError, KeyError, TypeError, ValueError) as error:
            problem = f"{type(error).__name__}: {error}"
            raise OutsideError(f"The price file {self._file.name} cannot be read: {problem}.") from error


def _price(row: Mapping[str, Any]) -> ListPrice:
    as_of = date.fromisoformat(row["as_of"])
    return ListPrice(
        service=row["service"],
        meter=row["meter"],
        meter_id=row.get("meter_id", ""),
        region=row["region"],
        unit=row["unit"],
        tier_minimum=Decimal(row.get("tier_minimum", 0)),
        price=Decimal(row["price"]),
        currency=row["currency"],
        effective_from=as_of,
        source=row["source"],
        confidence=row["confidence"],
        as_of=as_of,
    )
