"""One call: signed, where it may go, and over in time."""

import datetime
import ipaddress
import ssl
import time
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from portal.errors import InvalidInput
from portal.webhooks import addresses, sending
from portal.webhooks.sending import Call
from tests.webhooks.receiver import (
    drip,
    endless_body,
    endless_headers,
    hang,
    hang_up,
    receiver,
    send_on,
    talk_nonsense,
    wait_for,
)


def call(url: str, **given: object) -> Call:
    return Call("delivery-1", url, sending.new_secret(), b'{"a":1}', 1_800_000_000, **given)


def test_the_signature_is_that_of_the_standard():
    """The example of https://github.com/standard-webhooks/standard-webhooks (its test vector)."""
    known = Call(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "https://x.example",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        b'{"test": 2432232314}',
        1614265330,
    )

    assert sending.signature(known) == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_call_arrives_as_it_was_signed():
    with receiver(204) as there:
        sent = call(there.url)
        outcome = sending.send(sent)

    headers, body = there.got[0]
    assert (outcome.status, outcome.problem) == (204, "")
    assert body == sent.body
    assert headers["Webhook-Id"] == "delivery-1"
    assert headers["Webhook-Timestamp"] == "1800000000"
    assert headers["Webhook-Signature"] == sending.signature(sent)
    assert headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (500, 500, "answered with 500"),
        (404, 404, "answered with 404"),
        (410, 410, "answered with 410"),
        (hang_up, None, "connection broke"),
        (talk_nonsense, None, "connection broke"),
        (endless_headers, None, "connection broke"),
        (hang, None, "did not answer within 0.5 seconds"),
        (drip, None, "did not answer within 0.5 seconds"),
        (endless_body, 200, ""),
        (wait_for(20), 429, "answered with 429"),
    ],
)
def test_whatever_the_other_side_does_a_call_ends_with_an_outcome(answer, status, words):
    started = time.monotonic()
    with receiver(answer) as there:
        outcome = sending.send(call(there.url, seconds=0.5))

    assert outcome.status == status
    assert (words in outcome.problem) if words else not outcome.problem
    assert time.monotonic() - started < 5


def test_a_redirect_is_not_followed():
    with receiver() as elsewhere, receiver(send_on(elsewhere.url)) as there:
        outcome = sending.send(call(there.url))

    assert (outcome.status, "not followed" in outcome.problem) == (307, True)
    assert elsewhere.got == []


@pytest.mark.parametrize(
    ("given", "pause"),
    [("20", 20), ("999999999", 0), ("99999999", 3600), ("Wed, 21 Oct 2026 07:28:00 GMT", 0), ("-5", 0)],
)
def test_a_wish_to_wait_is_heard_within_reason(given, pause):
    with receiver(lambda handler: handler.plain(503, Retry_After=given)) as there:
        assert sending.send(call(there.url)).retry_after == pause


def test_nobody_there():
    with receiver() as gone:
        url = gone.url

    assert "Nobody listens" in sending.send(call(url)).problem
    assert "not known" in sending.send(call("http://no-such-host.invalid/")).problem


# ── where it may go ─────────────────────────────────────────────────────────────────────────────────────────

NEVER = [
    "169.254.169.254", "168.63.129.16", "fe80::1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1",
    "0.0.0.0", "::", "224.0.0.1", "ff02::1",
]  # fmt: skip
PRIVATE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "::1", "fd00::1", "::ffff:10.0.0.1",
    "64:ff9b::7f00:1", "2002:0a00:0001::1", "192.0.2.1", "198.18.0.1", "240.0.0.1", "255.255.255.255",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "20.50.2.1", "2603:1030::1", "::ffff:8.8.8.8", "64:ff9b::808:808"]


def test_private_addresses_are_called_only_where_a_setting_says_so(settings):
    for allowed in (False, True):
        settings.WEBHOOKS_PRIVATE = allowed
        assert [a for a in NEVER if addresses.is_allowed(ip_address(a))] == []
        assert [a for a in PUBLIC if not addresses.is_allowed(ip_address(a))] == []
        assert [a for a in PRIVATE if addresses.is_allowed(ip_address(a)) != allowed] == []


def test_what_a_name_leads_to_is_looked_at_with_every_call(settings):
    settings.WEBHOOKS_PRIVATE = False
    with receiver() as there:
        outcome = sending.send(call(there.url.replace("127.0.0.1", "localhost")))

    assert "private network" in outcome.problem
    assert there.got == []


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("", "This is no address"),
        ("hooks.example.com", "This is no address"),
        ("https://", "This is no address"),
        ("https://a.example:0/", "This is no address"),
        ("https://a.example:99999/", "This is no address"),
        ("https://[::1/", "This is no address"),
        ("ftp://a.example/", "Only https"),
        ("file:///etc/passwd", "This is no address"),
        ("gopher://a.example/", "Only https"),
        ("https://user@a.example/", "Leave out"),
        ("https://a.example/#x", "Leave out"),
        ("https://a.example/ x", "without spaces"),
        ("https://a.example/\r\nX: y", "without spaces"),
        ("https://ä.example/", "ASCII"),
        ("https://a.example/" + "x" * 500, "500"),
        ("https://127.0.0.1/", "private network"),
        ("https://[::1]/", "private network"),
        ("https://169.254.169.254/metadata", "private network"),
        (
            "https://2130706433/",
            "",
        ),  # a name as far as anybody can see here; what it leads to is refused later
    ],
)
def test_an_address_that_can_never_be_called_is_refused_at_once(settings, url, word):
    settings.WEBHOOKS_PRIVATE = False
    if not word:
        return addresses.check(url)
    with pytest.raises(InvalidInput, match=word) as refused:
        addresses.check(url)
    assert list(refused.value.problems) == ["url"]
    return None


def test_numbers_that_are_names_lead_nowhere_private(settings):
    settings.WEBHOOKS_PRIVATE = False
    for host in ("2130706433", "0x7f000001", "017700000001", "127.1"):
        with pytest.raises(addresses.Refused):
            addresses.resolve(host, 443)


def test_without_tls_only_on_a_laptop(settings):
    addresses.check("http://hooks.example/")
    settings.LAPTOP = False

    with pytest.raises(InvalidInput, match="https"):
        addresses.check("http://hooks.example/")


# ── TLS ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    """For 127.0.0.1, signed by itself; with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "receiver")])
    today = datetime.datetime.now(datetime.UTC)
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(alternative, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "receiver.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def context(certificate) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_a_certificate_that_is_trusted(context, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with receiver(context=context) as there:
        outcome = sending.send(call(there.url))

    assert (outcome.status, outcome.problem) == (200, "")
    assert there.got[0][0]["Host"] == f"127.0.0.1:{there.server_address[1]}"


def test_a_certificate_of_nobody_that_is_trusted(context):
    with receiver(context=context) as there:
        outcome = sending.send(call(there.url))

    assert "certificate is not valid" in outcome.problem
    assert there.got == []


def test_a_certificate_of_another_host(context, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with receiver(context=context) as there:
        outcome = sending.send(call(there.url.replace("127.0.0.1", "localhost")))

    assert "certificate is not valid" in outcome.problem


@pytest.mark.parametrize("answer", [hang, drip])
def test_a_slow_one_is_cut_off_under_tls_as_well(context, certificate, monkeypatch, answer):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with receiver(answer, context=context) as there:
        outcome = sending.send(call(there.url, seconds=0.5))

    assert "did not answer within 0.5 seconds" in outcome.problem
