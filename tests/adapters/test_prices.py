"""What every price list promises, whatever is behind it; and how the real one is asked."""

import json
import socket
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from portal.adapters.embedded.prices import PriceFile
from portal.adapters.retail_prices import RetailPrices
from portal.errors import OutsideError, Unavailable
from portal.ports import Prices
from tests.billing.price_list_peer import Fault, PriceListPeer, listed, serving

# (product, sku, meter, region, unit, first quantity, price, currency)
LIST = [
    ("Things BS Series", "B2S", "B2S", "northeurope", "1 Hour", "0", "0.072", "USD"),
    ("Things BS Series", "B2S", "B2S", "northeurope", "1 Hour", "0", "0.0663", "EUR"),
    ("Things BS Series", "B2S", "B2S", "uksouth", "1 Hour", "0", "0.076", "USD"),
    ("Things Storage", "Hot LRS", "Hot LRS Data Stored", "northeurope", "1 GB/Month", "0", "0.022", "USD"),
    ("Things Storage", "Hot LRS", "Hot LRS Data Stored", "northeurope", "1 GB/Month", "51200", "0.0211", "USD"),
]  # fmt: skip


def row_of_file(
    product: str, sku: str, meter: str, region: str, unit: str, tier: str, price: str, currency: str
):
    return {
        "key": meter, "service": "Things", "meter": f"{product} / {sku} / {meter}", "meter_id": "m1",
        "region": region, "unit": unit, "tier_minimum": float(tier), "price": float(price),
        "currency": currency, "source": "list", "confidence": "api", "as_of": "2026-10-02",
    }  # fmt: skip


def row_of_api(
    product: str, sku: str, meter: str, region: str, unit: str, tier: str, price: str, currency: str
):
    return listed(
        productName=product, skuName=sku, meterName=meter, armRegionName=region, unitOfMeasure=unit,
        tierMinimumUnits=float(tier), retailPrice=float(price), currencyCode=currency, meterId="m1",
    )  # fmt: skip


@pytest.fixture
def peer() -> Iterator[PriceListPeer]:
    with serving(PriceListPeer(items=[row_of_api(*row) for row in LIST], page_size=2)) as peer:
        yield peer


def retail(peer: PriceListPeer, **options: Any) -> RetailPrices:
    return RetailPrices(peer.url, **{"back_off": 0.01, "timeout": (1, 1), **options})


@pytest.fixture(params=["file", "retail"])
def prices(request: pytest.FixtureRequest, tmp_path: Path, peer: PriceListPeer) -> Prices:
    if request.param == "retail":
        return retail(peer)
    path = tmp_path / "prices.json"
    path.write_text(json.dumps({"about": "a", "sources": {}, "rows": [row_of_file(*row) for row in LIST]}))
    return PriceFile(path)


# ── any list ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_service_in_a_region_is_listed_with_all_its_tiers(prices):
    found = prices.of("Things", "northeurope", "USD")

    assert [(row.meter, row.unit, row.tier_minimum, row.price) for row in found] == [
        ("Things BS Series / B2S / B2S", "1 Hour", 0, Decimal("0.072")),
        ("Things Storage / Hot LRS / Hot LRS Data Stored", "1 GB/Month", 0, Decimal("0.022")),
        ("Things Storage / Hot LRS / Hot LRS Data Stored", "1 GB/Month", 51200, Decimal("0.0211")),
    ]
    assert {(row.service, row.region, row.currency, row.meter_id) for row in found} == {
        ("Things", "northeurope", "USD", "m1")
    }


def test_a_price_says_where_it_is_from_and_since_when(prices):
    (found,) = prices.of("Things", "uksouth", "USD")

    assert found.source
    assert found.confidence
    assert found.effective_from <= found.as_of <= datetime.now(UTC).date()


def test_a_price_is_in_the_currency_that_was_asked_for(prices):
    (found,) = prices.of("Things", "northeurope", "EUR")

    assert (found.price, found.currency) == (Decimal("0.0663"), "EUR")


@pytest.mark.parametrize(
    "asked", [("Others", "northeurope", "USD"), ("Things", "moon", "USD"), ("Things", "uksouth", "EUR")]
)
def test_what_the_list_does_not_have_is_empty(prices, asked):
    assert list(prices.of(*asked)) == []


def test_names_are_taken_as_they_are(prices):
    assert list(prices.of("things", "northeurope", "USD")) == []
    assert list(prices.of("Thing's", "northeurope", "USD")) == []


# ── the file ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("text", [None, "{", "[]", '{"rows": [{}]}', '{"rows": [{"service": 1}]}'])
def test_a_file_that_cannot_be_read_is_named(tmp_path, text):
    path = tmp_path / "prices.json"
    if text is not None:
        path.write_text(text)

    with pytest.raises(OutsideError, match="The price file prices.json cannot be read"):
        PriceFile(path).of("Things", "northeurope", "USD")


# ── Azure's list ────────────────────────────────────────────────────────────────────────────────────────────


def test_the_question_is_as_the_api_wants_it(peer):
    retail(peer).of("Thing's", "northeurope", "EUR")

    assert peer.asked == [
        {
            "api-version": "2023-01-01-preview",
            "currencyCode": "'EUR'",
            "meterRegion": "'primary'",
            "$filter": "serviceName eq 'Thing''s' and armRegionName eq 'northeurope' and priceType eq 'Consumption'",
        }
    ]


def test_every_page_is_read(peer):
    peer.items = [listed(meterName=f"m{number}", meterId=f"id-{number}") for number in range(7)]

    found = retail(peer).of("Things", "northeurope", "USD")

    assert [row.meter_id for row in found] == [f"id-{number}" for number in range(7)]
    assert [asked.get("$skip") for asked in peer.asked] == [None, "2", "4", "6"]


def test_a_link_with_the_port_written_out_is_the_same_address(peer):
    adapter = RetailPrices(peer.url.replace("127.0.0.1", "LOCALHOST"), back_off=0.01)
    peer.url = peer.url.replace("127.0.0.1", "localhost")

    assert len(adapter.of("Things", "northeurope", "USD")) == 3


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_busy_list_is_asked_again(peer, status):
    peer.faults = [Fault(status), None, Fault(status)]

    assert len(retail(peer).of("Things", "northeurope", "USD")) == 3
    assert len(peer.asked) == 4


def test_it_waits_as_long_as_the_list_asks_for(peer):
    peer.faults = [Fault(429, headers={"Retry-After": "1"})]
    began = time.monotonic()

    retail(peer).of("Things", "uksouth", "USD")

    assert time.monotonic() - began >= 1


def test_the_time_to_wait_may_be_a_date(peer):
    at = datetime.now(UTC) + timedelta(seconds=2)
    peer.faults = [Fault(503, headers={"Retry-After": format_datetime(at, usegmt=True)})]
    began = time.monotonic()

    retail(peer).of("Things", "uksouth", "USD")

    assert time.monotonic() - began >= 0.9


def test_without_a_word_it_waits_longer_each_time(peer):
    peer.faults = [Fault(500), Fault(500), Fault(429, headers={"Retry-After": "soon"})]
    began = time.monotonic()

    retail(peer, back_off=0.05).of("Things", "uksouth", "USD")

    assert time.monotonic() - began >= 0.05 + 0.1 + 0.2


def test_a_list_that_stays_busy_is_given_up(peer):
    peer.faults = [Fault(429)] * 9

    with pytest.raises(Unavailable, match=r"did not answer, asked 3 times: status 429"):
        retail(peer, attempts=3).of("Things", "northeurope", "USD")
    assert len(peer.asked) == 3


def test_a_list_that_wants_a_long_pause_is_left_alone(peer):
    peer.faults = [Fault(429, headers={"Retry-After": "3600"})]

    with pytest.raises(Unavailable, match="wait for 3600 seconds"):
        retail(peer).of("Things", "northeurope", "USD")
    assert len(peer.asked) == 1


def test_a_refusal_is_not_repeated_and_says_why(peer):
    peer.faults = [Fault(400, b'{"Error": "Invalid OData parameters"}')]

    with pytest.raises(OutsideError, match=r"status 400, .*Invalid OData") as refused:
        retail(peer).of("Things", "northeurope", "USD")
    assert not isinstance(refused.value, Unavailable)
    assert len(peer.asked) == 1


@pytest.mark.parametrize("status", [301, 302, 404])
def test_nobody_is_sent_elsewhere(peer, status):
    peer.faults = [Fault(status, headers={"Location": "http://127.0.0.1:9/elsewhere"})]

    with pytest.raises(OutsideError, match=f"status {status}"):
        retail(peer).of("Things", "northeurope", "USD")


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"<html>busy</html>", b"[]", b"{}", b'{"Items": null, "NextPageLink": null}',
        b'{"Items": [{}], "NextPageLink": null}', b'{"Items": []}',
        json.dumps({"Items": [listed(retailPrice="much")], "NextPageLink": None}).encode(),
        json.dumps({"Items": [listed(retailPrice=None)], "NextPageLink": None}).encode(),
        json.dumps({"Items": [{**listed(), "tierMinimumUnits": None}], "NextPageLink": None}).encode(),
    ],
)  # fmt: skip
def test_a_broken_page_is_said_to_be_one(peer, body):
    peer.faults = [Fault(body=body)]

    with pytest.raises(OutsideError, match="a page that cannot be read"):
        retail(peer).of("Things", "northeurope", "USD")


def test_a_page_that_is_cut_off_is_asked_for_again(peer):
    peer.faults = [Fault(body=b'{"Items": [', headers={"Content-Length": "9000"})]

    assert len(retail(peer).of("Things", "northeurope", "USD")) == 3


def test_pages_that_lead_back_to_each_other_do_not_go_on_for_ever(peer):
    peer.next_link = lambda link: link.replace("skip=4", "skip=2")
    peer.items = peer.items * 3

    with pytest.raises(OutsideError, match="does not end"):
        retail(peer).of("Things", "northeurope", "USD")
    assert len(peer.asked) == 2


@pytest.mark.parametrize(
    "elsewhere", ["http://127.0.0.1:9/api", "https://evil.example/x", "file:///etc/passwd", "http://[", "//x"]
)
def test_a_link_to_another_address_is_not_followed(peer, elsewhere):
    peer.next_link = lambda link: elsewhere

    with pytest.raises(OutsideError, match="another address"):
        retail(peer).of("Things", "northeurope", "USD")


def test_a_list_that_nobody_serves_is_unavailable():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"

    with pytest.raises(Unavailable, match="ConnectionError"):
        RetailPrices(url, attempts=2, back_off=0.01).of("Things", "northeurope", "USD")


def test_a_list_that_never_answers_is_unavailable():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"

        with pytest.raises(Unavailable, match="Timeout"):
            RetailPrices(url, attempts=2, back_off=0.01, timeout=(0.1, 0.1)).of("Things", "uksouth", "USD")


@pytest.mark.parametrize("url", ["nonsense", "ftp://127.0.0.1/x", "http://", "http://127.0.0.1:99999/"])
def test_an_address_that_is_none_is_an_error_of_the_outside(url):
    with pytest.raises(OutsideError):
        RetailPrices(url, attempts=1).of("Things", "northeurope", "USD")


@pytest.mark.parametrize(
    "other",
    [
        {"type": "Reservation", "retailPrice": 1200.0, "reservationTerm": "1 Year"},
        {"type": "DevTestConsumption", "retailPrice": 0.01},
        {"skuName": "B2S Spot", "meterName": "B2S Spot", "retailPrice": 0.01},
        {"skuName": "B2S Low Priority", "meterName": "B2S Low Priority", "retailPrice": 0.01},
        {"isPrimaryMeterRegion": False, "retailPrice": 0.01},
    ],
)
def test_only_what_everybody_pays_is_read(peer, other):
    peer.items = [listed(), listed(**other)]
    peer.answer = lambda target: Fault(  # a list that does not filter
        body=json.dumps({"Items": peer.items, "NextPageLink": None}).encode()
    )

    assert [row.price for row in retail(peer).of("Things", "northeurope", "USD")] == [Decimal("0.1")]


@pytest.mark.parametrize(
    "other", [{"currencyCode": "GBP"}, {"serviceName": "Other"}, {"armRegionName": "uksouth"}]
)
def test_an_answer_to_another_question_is_refused(peer, other):
    peer.answer = lambda target: Fault(
        body=json.dumps({"Items": [listed(**other)], "NextPageLink": None}).encode()
    )

    with pytest.raises(OutsideError, match="was asked for Things in northeurope in USD, and answered with"):
        retail(peer).of("Things", "northeurope", "USD")


def test_prices_keep_every_digit(peer):
    peer.answer = lambda target: Fault(
        body=json.dumps({"Items": [listed()], "NextPageLink": None})
        .replace('"retailPrice": 0.1', '"retailPrice": 0.0000166667')
        .encode()
    )

    assert retail(peer).of("Things", "northeurope", "USD")[0].price == Decimal("0.0000166667")


def test_old_and_future_prices_are_told_apart_by_their_date(peer):
    peer.items = [
        listed(effectiveStartDate="2020-01-01T00:00:00Z"),
        listed(effectiveStartDate="2099-01-01T00:00:00Z"),
    ]

    found = retail(peer).of("Things", "northeurope", "USD")

    assert [row.effective_from for row in found] == [date(2020, 1, 1), date(2099, 1, 1)]
