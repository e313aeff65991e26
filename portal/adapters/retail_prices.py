"""
The price list of Azure's Retail Prices API: public, read page by page, without an account.

https://learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices
"""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

import requests
from pydantic import BaseModel, ValidationError

from portal.errors import OutsideError, Unavailable
from portal.ports import ListPrice

logger = logging.getLogger(__name__)

SOURCE: Final = "azure-retail-prices"
CONSUMPTION: Final = "Consumption"
# Other offers that the list shows beside the usual one, told apart by a word in the name of the SKU.
NOT_ALWAYS_THERE: Final = ("Spot", "Low Priority")
MOST_PAGES: Final = 1000  # a service in a region has far fewer
NO_ANSWER: Final = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
PORT_OF: Final = {"http": 80, "https": 443}


class _Item(BaseModel):
    """A row as the API writes it; the many other names are not read."""

    serviceName: str
    productName: str
    skuName: str
    meterName: str
    meterId: str
    armRegionName: str
    unitOfMeasure: str
    tierMinimumUnits: Decimal
    retailPrice: Decimal
    currencyCode: str
    effectiveStartDate: datetime
    type: str
    isPrimaryMeterRegion: bool = True


class _Page(BaseModel):
    Items: list[_Item]
    NextPageLink: str | None


class _Busy(Exception):
    """It may answer the next time; `asked_pause` in seconds is what it asks for itself."""

    def __init__(self, problem: str, asked_pause: float = 0.0) -> None:
        super().__init__(problem)
        self.asked_pause = asked_pause


class RetailPrices:
    def __init__(
        self,
        url: str,
        api_version: str = "2023-01-01-preview",
        timeout: tuple[float, float] = (5, 60),
        attempts: int = 6,
        back_off: float = 1.0,
        longest_pause: float = 60.0,
    ) -> None:
        """timeout: to connect, to answer; back_off: before the second attempt, then doubled. All in seconds."""
        self._url = url
        self._version = api_version
        self._timeout = timeout
        self._attempts = attempts
        self._back_off = back_off
        self._longest_pause = longest_pause
        self._session = requests.Session()

    def of(self, service: str, region: str, currency: str) -> Sequence[ListPrice]:
        wanted = f"serviceName eq {_quoted(service)} and armRegionName eq {_quoted(region)}"
        query = {
            "api-version": self._version,
            "currencyCode": _quoted(currency),
            "meterRegion": _quoted("primary"),
            "$filter": f"{wanted} and priceType eq {_quoted(CONSUMPTION)}",
        }
        items = [item for page in self._pages(query) for item in page.Items if _is_usual(item)]
        for item in items:
            if (item.serviceName, item.armRegionName, item.currencyCode) != (service, region, currency):
                raise OutsideError(
                    f"The price list was asked for {service} in {region} in {currency}, and answered with "
                    f"{item.serviceName} in {item.armRegionName} in {item.currencyCode}."
                )
        today = datetime.now(UTC).date()
        return [_price(item, today) for item in items]

    def _pages(self, query: Mapping[str, str]) -> Iterator[_Page]:
        link, seen = f"{self._url}?{urlencode(query, quote_via=quote)}", set[str]()
        while link:
            if link in seen or len(seen) == MOST_PAGES:
                raise OutsideError("The price list does not end: a page names one that came before it.")
            if _origin(link) != _origin(self._url):
                raise OutsideError(f"The price list goes on at another address: {link[:80]}.")
            seen.add(link)
            try:
                page = _Page.model_validate_json(self._get(link))
            except ValidationError as error:
                first = error.errors(include_input=False, include_url=False)[0]
                where = ".".join(str(part) for part in first["loc"])
                raise OutsideError(
                    f"The price list sent a page that cannot be read: {where} {first['msg']}."
                ) from error
            yield page
            link = page.NextPageLink or ""

    def _get(self, link: str) -> bytes:
        """The body, asked for again while the list is busy; Unavailable, OutsideError."""
        problem = ""
        for attempt in range(self._attempts):
            try:
                return self._ask(link)
            except _Busy as busy:
                if busy.asked_pause > self._longest_pause:
                    raise Unavailable(
                        f"The price list asks to wait for {busy.asked_pause:.0f} seconds: try again later."
                    ) from busy
                problem, pause = str(busy), max(busy.asked_pause, self._back_off * 2.0**attempt)
            if attempt + 1 < self._attempts:
                logger.info("the price list will be asked again in %.1f seconds: %s", pause, problem)
                time.sleep(min(pause, self._longest_pause))
        raise Unavailable(f"The price list did not answer, asked {self._attempts} times: {problem}.")

    def _ask(self, link: str) -> bytes:
        try:
            response = self._session.get(link, timeout=self._timeout, allow_redirects=False)
        except NO_ANSWER as error:
            raise _Busy(type(error).__name__) from error
        except requests.RequestException as error:
            raise OutsideError(f"The price list cannot be asked: {type(error).__name__}.") from error
        status = response.status_code
        if status == 429 or status >= 500:
            raise _Busy(f"status {status}", _asked_pause(response))
        if status != 200:
            raise OutsideError(f"The price list refused the question: status {status}, {_words(response)}.")
        return response.content


def _is_usual(item: _Item) -> bool:
    """What everybody pays who just uses it. The question says so too, but wrong prices cost more than a look."""
    return (
        item.type == CONSUMPTION
        and item.isPrimaryMeterRegion
        and not any(word in item.skuName or word in item.meterName for word in NOT_ALWAYS_THERE)
    )


def _price(item: _Item, today: date) -> ListPrice:
    return ListPrice(
        service=item.serviceName,
        meter=f"{item.productName} / {item.skuName} / {item.meterName}",
        meter_id=item.meterId,
        region=item.armRegionName,
        unit=item.unitOfMeasure,
        tier_minimum=item.tierMinimumUnits,
        price=item.retailPrice,
        currency=item.currencyCode,
        effective_from=item.effectiveStartDate.date(),
        source=SOURCE,
        confidence="live",
        as_of=today,
    )


def _quoted(text: str) -> str:
    """As OData writes a text."""
    return "'" + text.replace("'", "''") + "'"


def _origin(link: str) -> tuple[str, str | None, int | None]:
    try:
        parts = urlsplit(link)
        return parts.scheme, parts.hostname, parts.port or PORT_OF.get(parts.scheme)
    except ValueError:  # not an address
        return "", None, None


def _asked_pause(response: requests.Response) -> float:
    """Seconds, from either form of Retry-After: a number, or a date."""
    text = response.headers.get("Retry-After", "")
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return 0.0


def _words(response: requests.Response) -> str:
    """What the API says of it, on one line and not too long."""
    return " ".join(response.text.split())[:200] or "without a reason"
