"""Where a webhook may go: judged by the URL's plain shape, and then by each address that its name stands for.

A name is never judged: the resolver takes 127.1, 0x7f000001 and ①②⑦.0.0.1 for loopback, and a name may stand for one
address now and for another one a moment later. Whoever connects asks here about the very address it connects to.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, Literal
from urllib.parse import SplitResult, urlsplit

from shared.errors import Rejected

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

LONGEST_URL: Final = 2_000
DEFAULT_PORTS: Final = {"https": 443, "http": 80}
LOOPBACK_NAMES: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_PLAIN: Final = re.compile(r"[\x21-\x7e]+", re.ASCII)
_NAME: Final = re.compile(
    r"(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)

# Beyond what the standard library calls not global: ranges whose packets end up somewhere else than they seem to.
_NOT_PUBLIC: Final[tuple[Network, ...]] = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # carriers' own, and one cloud's metadata
        "192.0.0.0/24",
        "192.88.99.0/24",  # relays of 6to4
        "198.18.0.0/15",
        "224.0.0.0/3",  # multicast, reserved, broadcast
        "2001::/23",  # Teredo, benchmarks, ORCHID and other protocols' own
        "2002::/16",  # 6to4: an IPv4 address in disguise
        "3fff::/20",
    )
)
_UNICAST: Final = IPv6Network("2000::/3")
_NAT64: Final = IPv6Network("64:ff9b::/96")
# Where clouds hand out credentials to whoever asks: no list of an installation opens these.
_METADATA: Final = frozenset(
    ip_address(address)
    for address in ("169.254.169.254", "169.254.170.2", "100.100.100.200", "192.0.0.192", "fd00:ec2::254")
)


class UnsafeDestination(Rejected):
    """The URL is not one that we would ever call."""

    code = "unsafe-destination"


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    scheme: Literal["https", "http"]
    host: str
    port: int
    target: str  # path and query


@dataclass(frozen=True, slots=True, kw_only=True)
class EgressRules:
    """What an installation allows. `networks` are private ones that partners live in, such as a government intranet.

    Plain HTTP is for receivers on this machine, in tests.
    """

    ports: frozenset[int] = frozenset({443})
    networks: tuple[Network, ...] = ()
    plain_loopback: bool = False
    hosts: frozenset[str] = field(default=frozenset())  # without any, every host

    def read_url(self, url: str) -> Destination:
        """Raises UnsafeDestination; the message names the rule and never the URL."""
        parts = _split(url)
        host = (parts.hostname or "").lower()
        if parts.scheme != "https" and not (self.plain_loopback and parts.scheme == "http" and host in LOOPBACK_NAMES):
            raise UnsafeDestination("the URL must be one of https")
        if not _is_host(host):
            raise UnsafeDestination("the URL names no host that we could call")
        if self.hosts and host not in self.hosts:
            raise UnsafeDestination("the host is not among those that this installation calls")
        port = _port_of(parts)
        if port not in self.ports and not (self.plain_loopback and host in LOOPBACK_NAMES):
            raise UnsafeDestination("the port is not among those that this installation calls")
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return Destination(scheme="https" if parts.scheme == "https" else "http", host=host, port=port, target=target)

    def permits(self, address: Address) -> bool:
        """Whether this address may be connected to."""
        if isinstance(address, IPv6Address):
            if address.scope_id is not None:
                return False
            address = address.ipv4_mapped or address
        if address in _METADATA or address.is_multicast or address.is_unspecified:
            return False
        if any(address.version == network.version and address in network for network in self.networks):
            return True
        return _is_public(address)

    def permits_all(self, addresses: Collection[Address]) -> bool:
        """One bad address among good ones is enough: which of them would be used is not ours to choose."""
        return bool(addresses) and all(self.permits(address) for address in addresses)


def read_networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Raises ValueError for what is no network, and for what takes in the whole internet."""
    networks = tuple(ip_network(text) for text in texts)
    if any(network.prefixlen < (8 if network.version == 4 else 16) for network in networks):
        raise ValueError("a network that partners live in is no larger than a /8, or a /16 of IPv6")
    return networks


def _split(url: str) -> SplitResult:
    if len(url) > LONGEST_URL or not _PLAIN.fullmatch(url) or "\\" in url:
        raise UnsafeDestination(f"a URL has up to {LONGEST_URL} printable ASCII characters and no backslash")
    if "#" in url:
        raise UnsafeDestination("the URL must not have a fragment")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise UnsafeDestination("not a URL") from None
    if "@" in parts.netloc:
        raise UnsafeDestination("the URL must not carry credentials")
    if "[" in parts.netloc and ":" not in (parts.hostname or ""):
        raise UnsafeDestination("only an address of IPv6 stands in brackets")
    return parts


def _port_of(parts: SplitResult) -> int:
    try:
        return DEFAULT_PORTS[parts.scheme] if parts.port is None else parts.port
    except ValueError:
        raise UnsafeDestination("the URL's port is none") from None


def _is_host(host: str) -> bool:
    if ":" in host:
        try:
            return isinstance(ip_address(host), IPv6Address) and "%" not in host
        except ValueError:
            return False
    return len(host) <= 253 and _NAME.fullmatch(host) is not None


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address):
        if address in _NAT64:
            return _is_public(IPv4Address(int(address) & 0xFFFFFFFF))
        if address not in _UNICAST or _is_tunnel(address):
            return False
    if any(address.version == network.version and address in network for network in _NOT_PUBLIC):
        return False
    return address.is_global and not (address.is_reserved or address.is_private or address.is_link_local)


def _is_tunnel(address: IPv6Address) -> bool:
    """ISATAP: the last four bytes are an IPv4 address of the site."""
    return (int(address) >> 32) & 0xFDFFFFFF == 0x00005EFE
