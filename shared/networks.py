"""Where a request comes from, as far as it may be believed, and the network that stands for its sender."""

import ipaddress
from collections.abc import Collection
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

from starlette.datastructures import Headers

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
UNKNOWN: Final = "unknown"
_PREFIX_LENGTH: Final = {4: 24, 6: 64}


def network_of(address: str) -> str:
    """The /24 of an IPv4 address, the /64 of an IPv6 one: what one sender can easily have many of counts as one."""
    read = _read(address)
    if read is None:
        return UNKNOWN
    return str(ipaddress.ip_network((read, _PREFIX_LENGTH[read.version]), strict=False))


def forwarded_for(headers: Headers) -> str:
    """All that was told of the way, in order: a proxy may add a line of its own below the one that the sender wrote."""
    return ",".join(headers.getlist("x-forwarded-for"))


def sender_of(peer: str | None, forwarded_for: str | None, trusted: Collection[Network]) -> str:
    """The address that connected, or what a proxy of ours says of it: the last one in its list that is not ours."""
    sender = _read(peer or "")
    if sender is None:
        return UNKNOWN
    if not forwarded_for:
        return _written(sender)
    told = [part.strip() for part in forwarded_for.split(",") if part.strip()][-20:]
    while told and _is_trusted(sender, trusted):
        named = _read(told.pop())
        if named is None:
            break
        sender = named
    return _written(sender)


def _is_trusted(address: Address, trusted: Collection[Network]) -> bool:
    return any(address.version == network.version and address in network for network in trusted)


@lru_cache(maxsize=4_096)
def _written(address: Address) -> str:
    return str(address)


@lru_cache(maxsize=4_096)
def _read(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
