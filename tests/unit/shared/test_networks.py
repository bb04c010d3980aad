"""Whose word about a sender's address is taken."""

from ipaddress import ip_network

import pytest
from starlette.datastructures import Headers

from shared.networks import forwarded_for, network_of, sender_of

PROXIES = (ip_network("172.30.57.0/24"), ip_network("fd00::/64"))


@pytest.mark.parametrize(
    ("peer", "told", "sender"),
    [
        ("172.30.57.4", "203.0.113.9", "203.0.113.9"),
        ("172.30.57.4", None, "172.30.57.4"),
        ("172.30.57.4", "203.0.113.9, 172.30.57.8", "203.0.113.9"),
        ("172.30.57.4", "10.0.0.1, 203.0.113.9", "203.0.113.9"),  # what stands before it, the sender wrote itself
        ("203.0.113.9", "10.0.0.1", "203.0.113.9"),
        ("127.0.0.1", "10.0.0.1", "127.0.0.1"),
        ("::ffff:172.30.57.4", "2001:db8::1", "2001:db8::1"),
        ("172.30.57.4", "no address", "172.30.57.4"),
        (None, "10.0.0.1", "unknown"),
    ],
)
def test_only_a_proxy_of_ours_is_believed(peer: str | None, told: str | None, sender: str) -> None:
    assert sender_of(peer, told, PROXIES) == sender


def test_whoever_has_many_addresses_has_one_network() -> None:
    assert network_of("203.0.113.9") == network_of("203.0.113.200") == "203.0.113.0/24"
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:1") == "2001:db8::/64"


def test_a_line_that_the_sender_wrote_does_not_hide_that_of_the_proxy() -> None:
    lines = [(b"x-forwarded-for", b"10.0.0.1"), (b"x-forwarded-for", b"203.0.113.9")]

    assert sender_of("172.30.57.4", forwarded_for(Headers(raw=lines)), PROXIES) == "203.0.113.9"
    assert sender_of("172.30.57.4", forwarded_for(Headers(raw=[])), PROXIES) == "172.30.57.4"
