"""Where people come from, where they may be sent, which language they read."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.domain.origins import CrossSite, refuse_cross_site
from services.identity.domain.second_factors import counters_around, read_code
from services.identity.domain.sessions import is_local_path
from services.identity.web.texts import TEXTS, choose_language
from shared.networks import network_of, sender_of

PROXY = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]


@pytest.mark.parametrize("path", ["/account", "/assessment/v1/scores?of=3301", "/a//b", "/?next=https://evil.example"])
def test_a_path_of_this_host_is_followed(path):
    assert is_local_path(path)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "account",
        "//evil.example",
        "/\\evil.example",
        "/\tevil.example",
        "/a\\..\\b",
        "https://evil.example",
        "javascript:alert(1)",
        "/\r\nSet-Cookie: a=b",
        "/\u2028",
        "/\uff0fevil.example",
        "/" + "a" * 500,
        " //evil.example",
    ],
)
def test_whatever_may_lead_elsewhere_is_not(path):
    assert not is_local_path(path)


@given(st.text(max_size=40))
def test_no_text_that_is_followed_names_a_host(path):
    if is_local_path(path):
        assert path[0] == "/"
        assert path[1:2] not in ("/", "\\")
        assert not set(path) & set("\\\r\n\t\0")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.9", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", "unknown"),
        ("nonsense", "unknown"),
        ("", "unknown"),
    ],
)
def test_a_network_stands_for_all_its_addresses(address, network):
    assert network_of(address) == (network if "ffff" not in address else "203.0.113.0/24")


@pytest.mark.parametrize(
    ("peer", "told", "sender"),
    [
        ("203.0.113.9", None, "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # not a proxy of ours: its word counts for nothing
        ("10.1.1.1", "198.51.100.1", "198.51.100.1"),
        ("10.1.1.1", "192.0.2.7, 198.51.100.1", "198.51.100.1"),  # what the client itself said stands further left
        ("10.1.1.1", "198.51.100.1, 10.2.2.2", "198.51.100.1"),
        ("10.1.1.1", "nonsense", "10.1.1.1"),
        ("10.1.1.1", "", "10.1.1.1"),
        ("::ffff:10.1.1.1", "198.51.100.1", "198.51.100.1"),
        (None, "198.51.100.1", "unknown"),
    ],
)
def test_only_our_own_proxies_are_believed(peer, told, sender):
    assert sender_of(peer, told, PROXY) == sender


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "https://lianxin.example", "host": "lianxin.example"},
        {"origin": "https://allowed.example", "host": "lianxin.example"},
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
    ],
)
def test_programs_and_our_own_pages_may_ask(headers):
    refuse_cross_site(headers, allowed_origins=["https://allowed.example"])


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "null", "host": "lianxin.example"},
        {"origin": "https://lianxin.example.evil.example", "host": "lianxin.example"},
        {"origin": "https://evil.example", "host": "lianxin.example"},
        {"origin": "https://[", "host": "lianxin.example"},
        {"origin": "file://", "host": ""},
        {"origin": "https://lianxin.example:444", "host": "lianxin.example"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_pages_elsewhere_may_not(headers):
    with pytest.raises(CrossSite):
        refuse_cross_site(headers, allowed_origins=["https://allowed.example"])


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "zh"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("fr", "zh"),
        ("en;q=x", "zh"),
        ("*", "zh"),
    ],
)
def test_the_language_is_the_one_that_the_reader_likes_better(accepted, language):
    assert choose_language(accepted) == language


def test_both_languages_say_the_same_things():
    assert TEXTS["zh"].keys() == TEXTS["en"].keys()
    for part in ("errors", "role_names"):
        assert TEXTS["zh"][part].keys() == TEXTS["en"][part].keys()


@given(st.integers(0, 2**33), st.integers(-1, 2**29))
def test_a_counter_is_accepted_near_the_present_and_after_the_last_one(timestamp, after):
    for counter in counters_around(timestamp, after=after):
        assert abs(counter - timestamp // 30) <= 1
        assert counter > after


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("123456", ("123456", None)),
        ("123 456", ("123456", None)),
        ("ABCD-2345-abcd-2345-abcd-2345", (None, "abcd2345abcd2345abcd2345")),
        ("１２３４５６", (None, None)),
        ("12345", (None, None)),
        ("123456\n", (None, None)),
        ("", (None, None)),
    ],
)
def test_codes_are_read_as_people_type_them(typed, read):
    assert read_code(typed) == read
