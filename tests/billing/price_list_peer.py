"""A small Azure Retail Prices API: its format over real HTTP on this machine, with its faults to order."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

CLAUSE = re.compile(r"(\w+) eq '((?:[^']|'')*)'")
FILTERS = {
    "serviceName": "serviceName",
    "armRegionName": "armRegionName",
    "priceType": "type",
}
PATH = "/api/retail/prices"


def listed(**values: Any) -> dict[str, Any]:
    """A row with every field that the API writes."""
    return {
        "currencyCode": "USD",
        "tierMinimumUnits": 0.0,
        "retailPrice": 0.1,
        "unitPrice": values.get("retailPrice", 0.1),
        "armRegionName": "northeurope",
        "location": "EU North",
        "effectiveStartDate": "2024-01-01T00:00:00Z",
        "meterId": "00000000-0000-0000-0000-000000000001",
        "meterName": "B2S",
        "productId": "DZH318Z0BQPS",
        "skuId": "DZH318Z0BQPS/00TG",
        "availabilityId": None,
        "productName": "Things BS Series",
        "skuName": "B2S",
        "serviceName": "Things",
        "serviceId": "DZH313Z7MMC8",
        "serviceFamily": "Compute",
        "unitOfMeasure": "1 Hour",
        "type": "Consumption",
        "isPrimaryMeterRegion": True,
        "armSkuName": "",
        **values,
    }


@dataclass(frozen=True)
class Fault:
    """One answer that is not a page."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class PriceListPeer:
    """Filters as OData does, in upper and lower case, and pages like the API. `asked` is every question so far."""

    items: list[dict[str, Any]] = field(default_factory=list)
    page_size: int = 100
    faults: list[Fault | None] = field(default_factory=list)  # of the next answers; None is a good one
    next_link: Callable[[str], str] = staticmethod(lambda link: link)  # what becomes of a NextPageLink
    asked: list[dict[str, str]] = field(default_factory=list)
    url: str = ""

    def answer(self, target: str) -> Fault:
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.asked.append(query)
        fault = self.faults.pop(0) if self.faults else None
        if fault:
            return fault
        if parts.path != PATH or query.get("api-version") != "2023-01-01-preview":
            return Fault(400, b'{"Error": {"Code": "InvalidApiVersion"}}')
        clauses = CLAUSE.findall(query.get("$filter", ""))
        if " and ".join(f"{name} eq '{value}'" for name, value in clauses) != query["$filter"]:
            return Fault(
                400, b'{"Error": {"Code": "BadRequest", "Message": "Invalid OData parameters supplied"}}'
            )
        return Fault(200, json.dumps(self._page(query, clauses)).encode())

    def _page(self, query: dict[str, str], clauses: list[tuple[str, str]]) -> dict[str, Any]:
        currency = query.get("currencyCode", "'USD'").strip("'")
        found = [
            row
            for row in self.items
            if row["currencyCode"] == currency
            and all(str(row[FILTERS[name]]) == value.replace("''", "'") for name, value in clauses)
            and (query.get("meterRegion") != "'primary'" or row["isPrimaryMeterRegion"])
        ]
        start = int(query.get("$skip", 0))
        page = found[start : start + self.page_size]
        link = None
        if start + self.page_size < len(found):
            again = {**query, "$skip": str(start + self.page_size)}
            link = f"{self.url}?" + "&".join(f"{name}={quote(value)}" for name, value in again.items())
        return {
            "BillingCurrency": currency,
            "CustomerEntityId": "Default",
            "CustomerEntityType": "Retail",
            "Items": page,
            "NextPageLink": link and self.next_link(link),
            "Count": len(page),
        }


@contextmanager
def serving(peer: PriceListPeer) -> Iterator[PriceListPeer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said = peer.answer(self.path)
            self.send_response(said.status)
            for name, value in {"Content-Length": str(len(said.body)), **said.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said.body)

        def log_message(self, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        peer.url = f"http://127.0.0.1:{server.server_port}{PATH}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield peer
        finally:
            server.shutdown()
            thread.join()
