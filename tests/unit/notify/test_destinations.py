"""Where a webhook may go: the list of addresses and URLs that must never be called, and the few that may."""

from ipaddress import ip_address, ip_network

import pytest

from services.notify.domain.destinations import EgressRules, UnsafeDestination, read_networks

RULES = EgressRules()
PUBLIC = [
    "1.1.1.1",
    "114.114.114.114",
    "223.5.5.5",
    "8.8.8.8",
    "2400:3200::1",
    "2606:4700:4700::1111",
    "64:ff9b::808:808",
]
REFUSED = [
    # this machine
    "127.0.0.1", "127.1.2.3", "127.255.255.254", "::1", "0.0.0.0", "0.1.2.3", "::",  # noqa: S104 - to be refused
    # private, link-local, carriers' own
    "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "169.254.1.1", "100.64.0.1",
    "100.127.255.255", "fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%eth0", "fec0::1",
    # metadata
    "169.254.169.254", "169.254.170.2", "100.100.100.200", "192.0.0.192", "fd00:ec2::254", "::ffff:169.254.169.254",
    # multicast, broadcast, reserved, documentation, benchmarks
    "224.0.0.1", "239.255.255.255", "255.255.255.255", "240.0.0.1", "ff02::1", "ff0e::1", "192.0.2.1", "198.51.100.1",
    "203.0.113.1", "198.18.0.1", "198.19.255.255", "2001:db8::1", "3fff::1", "100::1", "192.0.0.1", "192.88.99.1",
    "5f00::1", "4000::1",
    # an IPv4 address in disguise
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:0:127.0.0.1", "::127.0.0.1", "::10.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b::a00:1", "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:a00:1::1", "2002:808:808::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001::1", "2001:10::1", "2001:20::1",
    "2400:3200::5efe:a00:1", "2400:3200::200:5efe:a00:1",
]  # fmt: skip
URLS_REFUSED = [
    "http://partner.example.cn/hook",
    "ftp://partner.example.cn/hook",
    "file:///etc/passwd",
    "gopher://partner.example.cn:70/_x",
    "https:///hook",
    "https://",
    "//partner.example.cn/hook",
    "https://user@partner.example.cn/hook",
    "https://user:word@partner.example.cn/hook",
    "https://good.example.cn@evil.example.cn/hook",
    "https://good.example.cn#@evil.example.cn/",
    "https://partner.example.cn/#fragment",
    "https://good.example.cn\\@evil.example.cn/",
    "https://good.example.cn\\.evil.example.cn/",
    "https://partner.example.cn:22/hook",
    "https://partner.example.cn:5432/hook",
    "https://partner.example.cn:5672/hook",
    "https://partner.example.cn:8443/hook",
    "https://partner.example.cn:0/hook",
    "https://partner.example.cn:99999/hook",
    "https://partner.example.cn:x/hook",
    "https://①②⑦.0.0.1/hook",
    "https://partner。example.cn/hook",
    "https://伙伴.cn/hook",
    "https://partner.example.cn/ho ok",
    "https://partner.example.cn/hook\r\nHost: evil",
    "https://partner.example.cn/\thook",
    "https://partner.example.cn/\x00",
    "https://partner..example.cn/",
    "https://-partner.example.cn/",
    "https://partner.example.cn./",
    "https://[fe80::1%25eth0]/",
    "https://[::1/",
    "https://[v1.x]/",
    "https://" + "a" * 64 + ".cn/",
    "https://" + "a." * 200 + "cn/",
    "https://partner.example.cn/" + "x" * 2_000,
]


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_may_be_called(address):
    assert RULES.permits(ip_address(address))


@pytest.mark.parametrize("address", REFUSED)
def test_no_other_address_may_be_called(address):
    assert not RULES.permits(ip_address(address))


def test_one_bad_address_spoils_all():
    good, bad = ip_address("1.1.1.1"), ip_address("10.0.0.1")

    assert RULES.permits_all([good, good])
    assert not RULES.permits_all([good, bad])
    assert not RULES.permits_all([])


def test_an_installation_opens_the_private_networks_of_its_partners_and_no_others():
    rules = EgressRules(networks=read_networks(["10.20.0.0/16", "fd20:1::/32"]))

    assert all(rules.permits(ip_address(address)) for address in ("10.20.1.1", "::ffff:10.20.1.1", "fd20:1::5"))
    assert not any(rules.permits(ip_address(address)) for address in ("10.21.0.1", "fd20:2::1", "127.0.0.1", "::1"))


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "::ffff:169.254.169.254", "100.100.100.200", "fd00:ec2::254", "224.0.0.1", "ff02::1", "::"],
)
def test_nothing_opens_metadata_and_multicast(address):
    networks = tuple(map(ip_network, ("0.0.0.0/0", "::/0")))

    assert not EgressRules(networks=networks).permits(ip_address(address))


@pytest.mark.parametrize("network", ["0.0.0.0/0", "::/0", "8.0.0.0/7", "fc00::/7", "10.0.0.1/8", "intranet"])
def test_a_network_that_is_none_or_far_too_large_is_refused(network):
    with pytest.raises(ValueError):  # noqa: PT011 - of the standard library or of ours
        read_networks([network])


@pytest.mark.parametrize("url", URLS_REFUSED)
def test_a_url_that_could_be_read_two_ways_is_refused(url):
    with pytest.raises(UnsafeDestination) as refusal:
        RULES.read_url(url)

    assert url not in str(refusal.value)


def test_a_plain_url_is_read():
    read = RULES.read_url("https://Partner.Example.cn/hook/a?b=c")

    assert (read.scheme, read.host, read.port, read.target) == ("https", "partner.example.cn", 443, "/hook/a?b=c")
    assert RULES.read_url("https://[2400:3200::1]").target == "/"


def test_what_the_resolver_reads_as_a_number_passes_here_and_is_caught_by_its_address():
    for host in ("127.1", "0x7f000001", "2130706433", "017700000001"):
        assert RULES.read_url(f"https://{host}/").host == host


def test_plain_http_is_for_this_machine_and_only_where_a_setting_says_so():
    rules = EgressRules(plain_loopback=True)

    assert rules.read_url("http://127.0.0.1:8080/hook").port == 8080
    for url in ("http://partner.example.cn/", "http://10.0.0.1/", "http://127.0.0.2/"):
        with pytest.raises(UnsafeDestination):
            rules.read_url(url)


def test_ports_and_hosts_are_those_of_the_installation():
    rules = EgressRules(ports=frozenset({443, 8443}), hosts=frozenset({"hub.gov.example"}))

    assert rules.read_url("https://hub.gov.example:8443/").port == 8443
    with pytest.raises(UnsafeDestination):
        rules.read_url("https://other.gov.example/")
