"""The link to the mail server: encrypted, verified, and signed in to only then."""

import socket
import ssl
from datetime import UTC, datetime
from email.headerregistry import Address
from uuid import UUID

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from embedded.layout import free_port
from services.notify.channels.mail import MailChannel
from services.notify.domain.deliveries import Outgoing
from shared.links import TlsFiles
from tests.integration.notify.conftest import MailServer

# Over smtps the mail server does not see that its link is encrypted, and warns.
pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")]
LOGIN = ("lianxin", "the-password-of-the-mail-server")
MAIL = Outgoing(
    delivery_id=UUID(int=1),
    address="wang@example.org",
    recipient_name="王建国",
    subject="评价",
    text_body="得分",
    html_body="<p>得分</p>",
    language="zh",
    composed_at=datetime(2026, 3, 1, tzinfo=UTC),
    message_id="<1@example.org>",
    attempt=1,
    correlation_id="c",
)


def sign_in(_, __, ___, ____, data):
    return AuthResult(success=(data.login.decode(), data.password.decode()) == LOGIN)


class Server:
    """A mail server that wants TLS from the first byte or by STARTTLS, and a login in either case."""

    def __init__(self, certificate, key, *, scheme):
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate, key)
        self.box = MailServer(port=free_port())
        secured = {"ssl_context": tls} if scheme == "smtps" else {"tls_context": tls, "require_starttls": True}
        self.controller = Controller(
            self.box,
            hostname="127.0.0.1",
            port=self.box.port,
            server_hostname="localhost",
            authenticator=sign_in,
            auth_required=True,
            auth_require_tls=scheme != "smtps",
            **secured,
        )

    def __enter__(self):
        # The controller looks whether it is up by a greeting of its own, which a certificate of the tests would fail.
        address = "127.0.0.1", self.box.port
        self.controller._trigger_server = lambda: socket.create_connection(address).close()  # type: ignore[method-assign] # nothing else turns it off
        self.controller.start()
        return self.box

    def __exit__(self, *_):
        self.controller.stop()


def send(port, *, scheme, ca, host="localhost", login=LOGIN):
    channel = MailChannel(
        (scheme, host, port),
        login,
        sender=Address(display_name="连心", addr_spec="lianxin@example.org"),
        timeout_seconds=5,
        tls=TlsFiles(cacertfile=str(ca)),
    )
    [(_, result)] = channel.send([MAIL], within_seconds=15)
    return result


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_a_mail_goes_out_over_a_verified_link_after_the_login(certificates, scheme):
    with Server(certificates.server, certificates.server_key, scheme=scheme) as box:
        result = send(box.port, scheme=scheme, ca=certificates.ca)

    assert result.outcome == "sent"
    assert len(box.received) == 1


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
@pytest.mark.parametrize("doubt", ["wrong-authority", "wrong-name", "expired", "plain-text", "wrong-login"])
def test_no_mail_goes_out_over_a_doubtful_link(certificates, scheme, doubt):
    certificate, key = certificates.server, certificates.server_key
    if doubt == "expired":
        certificate, key = certificates.expired, certificates.expired_key
    with Server(certificate, key, scheme=scheme) as box:
        result = send(
            box.port,
            scheme="smtp" if doubt == "plain-text" else scheme,
            ca=certificates.foreign_ca if doubt == "wrong-authority" else certificates.ca,
            host="127.0.0.1" if doubt == "wrong-name" else "localhost",
            login=(LOGIN[0], "wrong") if doubt == "wrong-login" else LOGIN,
        )

    assert result.outcome != "sent"
    assert LOGIN[1] not in str(result)
    assert box.received == []
