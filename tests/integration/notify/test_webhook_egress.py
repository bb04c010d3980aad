"""The channel never connects to an address that was not checked, whatever names, rebinding and proxies say."""

import asyncio
import ssl
from ipaddress import ip_address
from uuid import UUID

import pytest
import trustme

from services.notify.channels.webhooks import Call, CallLimits, WebhookChannel
from services.notify.domain.destinations import EgressRules, read_networks
from tests.integration.notify.receiving import LOOPBACK_RULES, Receiver, reply

pytestmark = pytest.mark.integration
BULKHEAD = UUID(int=1)


def call(url, rules, *, resolve=None, tls=None, before=None):
    async def story():
        trap = await Receiver().start()
        channel = WebhookChannel(rules, limits=CallLimits(total_seconds=5), tls=tls, resolve=resolve)
        made = url.format(port=trap.port)
        try:
            if before is not None:
                before()
            answer = (await channel.call(Call(bulkhead=BULKHEAD, url=made, headers={}, body=b"{}"))).answer
        finally:
            await channel.close()
            await trap.stop()
        return answer, trap.connections

    return asyncio.run(story())


def names(*rounds):
    """A name server that says something else each time it is asked."""
    answers = [[ip_address(address) for address in addresses] for addresses in rounds]
    asked = []

    async def resolve(host, port):
        asked.append((host, port))
        return answers[min(len(asked), len(answers)) - 1]

    return resolve, asked


ANY_PORT = EgressRules(ports=frozenset(range(1, 65_536)))


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "127.1", "0x7f000001", "2130706433", "017700000001", "0", "[::1]", "[::ffff:127.0.0.1]"],
)
def test_however_this_machine_is_written_it_is_not_called(host):
    answer, connections = call(f"https://{host}:{{port}}/", ANY_PORT)

    assert (answer.fault, connections) == ("address", 0)


def test_a_name_with_one_bad_address_among_good_ones_is_not_called():
    resolve, _ = names(["1.1.1.1", "127.0.0.1"])

    assert call("https://partner.example.cn:{port}/", ANY_PORT, resolve=resolve)[0].fault == "address"


def test_a_name_is_looked_up_once_and_what_was_checked_is_what_is_called():
    """Public when it is checked, this machine when it is asked again: nobody asks again."""
    resolve, asked = names(["192.0.2.1"], ["127.0.0.1"])
    rules = EgressRules(ports=ANY_PORT.ports, networks=read_networks(["192.0.2.0/24"]))

    answer, connections = call("https://partner.example.cn:{port}/", rules, resolve=resolve)

    assert len(asked) == 1
    assert connections == 0
    assert answer.fault in {"connection", "timeout"}


def test_every_new_connection_is_checked_anew():
    resolve, asked = names(["127.0.0.1"], ["10.0.0.1"])

    async def story():
        receiver = await Receiver(always=lambda _: reply(200, "Connection: close")).start()
        channel = WebhookChannel(LOOPBACK_RULES, resolve=resolve)
        made = Call(bulkhead=BULKHEAD, url=f"http://localhost:{receiver.port}/", headers={}, body=b"{}")
        answers = [(await channel.call(made)).answer for _ in range(2)]
        await channel.close()
        await receiver.stop()
        return answers

    first, second = asyncio.run(story())

    assert (first.status, second.fault, len(asked)) == (200, "address", 2)


def test_proxies_of_the_environment_are_not_asked(monkeypatch):
    async def story():
        proxy, receiver = await Receiver().start(), await Receiver().start()
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        channel = WebhookChannel(LOOPBACK_RULES)
        answer = (await channel.call(Call(bulkhead=BULKHEAD, url=receiver.url, headers={}, body=b"{}"))).answer
        await channel.close()
        await proxy.stop()
        await receiver.stop()
        return answer, proxy.connections

    answer, connections = asyncio.run(story())

    assert (answer.status, connections) == (204, 0)


def test_the_receiver_proves_the_name_and_not_the_address():
    """Connected to a checked address, TLS and Host still speak of the name; a certificate of another name ends it."""
    authority = trustme.CA()
    seen = []

    def context(name):
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(made)
        made.sni_callback = lambda _, sni, __: seen.append(sni)
        return made

    async def ask(name):
        hosts = []

        async def serve(reader, writer):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            hosts.append(next(line for line in head.split("\r\n") if line.lower().startswith("host:")))
            writer.write(reply(204, "Connection: close"))
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context(name))
        port = server.sockets[0].getsockname()[1]
        resolve, _ = names(["127.0.0.1"])
        trusting = ssl.create_default_context()
        authority.configure_trust(trusting)
        rules = EgressRules(ports=frozenset({port}), networks=read_networks(["127.0.0.0/8"]))
        channel = WebhookChannel(rules, tls=trusting, resolve=resolve)
        made = Call(bulkhead=BULKHEAD, url=f"https://partner.example.cn:{port}/", headers={}, body=b"{}")
        answer = (await channel.call(made)).answer
        await channel.close()
        server.close()
        await server.wait_closed()
        return answer, hosts, port

    good, hosts, port = asyncio.run(ask("partner.example.cn"))
    bad, none, _ = asyncio.run(ask("somebody.example.cn"))

    assert (good.status, hosts, seen[0]) == (204, [f"Host: partner.example.cn:{port}"], "partner.example.cn")
    assert (bad.fault, none) == ("tls", [])


def test_a_name_that_nobody_knows_is_a_failed_connection():
    answer, _ = call("https://no-such-host.invalid/", EgressRules())

    assert answer.fault == "connection"
