"""Our own doors over TLS: the API and the management port of a real process."""

import http.client
import os
import socket
import ssl
import subprocess
import sys
import time

import pytest

from embedded.layout import free_port

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def ports():
    first = free_port()
    return {"api": first, "management": free_port(avoid=[first])}


@pytest.fixture
def process(new_database, broker, certificates, keys_folder, ports):
    values = {
        "MODE": "test",
        "DATABASE_URL": new_database("notify").url,
        "IDENTITY_DATABASE_URL": new_database("identity").url,
        "BROKER_URL": broker.urls["notify"],
        "KEYS_DIRECTORY": str(keys_folder / "notify"),
        "API_PORT": str(ports["api"]),
        "MANAGEMENT_PORT": str(ports["management"]),
        "CERTIFICATE_FILE": str(certificates.server),
        "CERTIFICATE_KEY_FILE": str(certificates.server_key),
        "MANAGEMENT_CLIENT_CA_FILE": str(certificates.ca),
    }
    environment = os.environ | {f"LIANXIN_NOTIFY_{name}": value for name, value in values.items()}
    process = subprocess.Popen([sys.executable, "-m", "services.notify", "serve"], env=environment)
    yield process
    process.terminate()
    assert process.wait(20) == 0


def context(certificates, *, ca=None, card=True, foreign=False):
    made = ssl.create_default_context(cafile=ca or certificates.ca)
    if foreign:
        made.load_cert_chain(certificates.foreign_client, certificates.foreign_client_key)
    elif card:
        made.load_cert_chain(certificates.client, certificates.client_key)
    return made


def ask(port, path, tls, host="localhost"):
    connection = http.client.HTTPSConnection(host, port, context=tls, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def wait_until_up(port, tls):
    deadline = time.monotonic() + 40
    while True:
        try:
            return ask(port, "/healthz", tls)
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "the process did not come up"
            time.sleep(0.1)


@pytest.mark.usefixtures("process")
def test_the_doors_speak_tls_and_the_figures_are_for_those_with_a_card(certificates, ports):
    tls = context(certificates)

    assert wait_until_up(ports["management"], tls)[0] == 200
    assert wait_until_up(ports["api"], context(certificates, card=False))[0] == 404
    assert b"python_info" in ask(ports["management"], "/metrics", tls)[1]
    for doubtful in (context(certificates, card=False), context(certificates, foreign=True)):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            ask(ports["management"], "/metrics", doubtful)
    for port in ports.values():
        with pytest.raises(ssl.SSLCertVerificationError):
            ask(port, "/", context(certificates, ca=certificates.foreign_ca))
        with pytest.raises(ssl.SSLCertVerificationError, match=r"127\.0\.0\.1"):
            ask(port, "/", tls, host="127.0.0.1")
        assert say_in_plain_text(port) == b""
        refuse_old_versions(port)


@pytest.mark.usefixtures("process")
def test_who_never_ends_the_greeting_keeps_nobody_waiting(certificates, ports):
    tls = context(certificates)
    wait_until_up(ports["management"], tls)

    with socket.create_connection(("localhost", ports["management"])):
        assert ask(ports["management"], "/healthz", tls)[0] == 200


def say_in_plain_text(port):
    with socket.create_connection(("localhost", port), timeout=15) as plain:
        plain.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        try:
            answer = plain.recv(1000)
        except ConnectionError:
            return b""
    return answer if answer.startswith(b"HTTP") else b""


def refuse_old_versions(port):
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLS"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        ask(port, "/", old)
