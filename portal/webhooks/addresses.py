"""Where the portal may call: it stands in a network in which a stranger's address could reach what is not theirs."""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from portal.errors import InvalidInput
from portal.webhooks.models import LONGEST_URL

Address = IPv4Address | IPv6Address

# Whatever a setting says: the metadata service of clouds, and the one of Azure's hosts.
NEVER = [ip_network("169.254.0.0/16"), ip_network("168.63.129.16/32"), ip_network("fe80::/10")]
NAT64 = ip_network("64:ff9b::/96")


class Refused(Exception):
    """Nothing is sent there. The text is for whoever made the webhook."""


def check(url: str) -> None:
    """InvalidInput for an address that can never be called. What its name leads to is looked at with every call."""
    problem = _problem(url)
    if problem:
        raise InvalidInput({"url": problem})


def _problem(url: str) -> str:
    if not (url.isascii() and url.isprintable() and " " not in url and len(url) <= LONGEST_URL):
        return f"Give an address of at most {LONGEST_URL} ASCII characters without spaces."
    try:
        parts = urlsplit(url)
        is_good = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good:
        return "This is no address: write it as https://hooks.example.com/groundwork."
    if parts.scheme != "https" and not (settings.LAPTOP and parts.scheme == "http"):
        return "Only https:// is possible: what is sent must not be read on the way."
    if parts.username is not None or parts.fragment:
        return "Leave out the user, the password and what follows #: the signature says who calls."
    return _literal_problem(parts)


def _literal_problem(parts: SplitResult) -> str:
    try:
        address = ip_address(parts.hostname or "")
    except ValueError:
        return ""  # a name
    return "" if is_allowed(address) else PRIVATE


PRIVATE = "It leads into a private network, where the portal does not call."


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, all of them allowed, or Refused. Connect to these: the name may lead elsewhere then."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Refused("The name of the host is not known.") from error
    addresses = [str(where[4][0]) for where in found]
    if not all(is_allowed(ip_address(address)) for address in addresses):
        raise Refused(PRIVATE)
    return addresses


def is_allowed(address: Address) -> bool:
    address = _inner(address)
    if address.is_multicast or address.is_unspecified or any(address in net for net in NEVER):
        return False
    return address.is_global or settings.WEBHOOKS_PRIVATE


def _inner(address: Address) -> Address:
    """The IPv4 address that some IPv6 addresses lead to."""
    if isinstance(address, IPv4Address):
        return address
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else address)
