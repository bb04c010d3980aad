"""E-mail over SMTP: handing mails to one server, over as few connections as possible."""

import contextlib
import re
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from email.headerregistry import Address
from typing import Literal, TypedDict

from typing_extensions import Unpack

from services.notify.channels.mail_writing import UnsafeMail, build_message
from services.notify.domain.deliveries import Outgoing
from shared.gateways.circuits import Pace
from shared.gateways.results import Result
from shared.links import TlsFiles

Watch = Callable[[smtplib.SMTP], None]
PERMANENT = 500
GOODBYE = 421
_ENHANCED_STATUS = re.compile(rb"\b[245]\.\d{1,3}\.\d{1,3}\b")


class MailChannel:
    """Hands mails to one SMTP server. `send` may be called from several threads, each call has its own connection."""

    def __init__(
        self,
        server: tuple[str, str, int],
        login: tuple[str, str] | None,
        *,
        sender: Address,
        timeout_seconds: float,
        tls: TlsFiles | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._pace = pace
        self._scheme, self._host, self._port = server
        self._tls = tls or TlsFiles()
        self._login = login
        self._sender = sender
        self._timeout_seconds = timeout_seconds

    most_at_once = 50
    workers = 2
    hands = 1

    @property
    def groups(self) -> Collection[str]:
        return ()

    @property
    def pace(self) -> Pace | None:
        return self._pace

    def endpoint_of(self, address: str) -> str:  # noqa: ARG002 - all mail goes through one server
        return "email"

    def send(self, mails: Sequence[Outgoing], *, within_seconds: float) -> Iterator[tuple[Outgoing, Result]]:
        """Send over as few connections as possible and say of each mail what became of it, before the next is sent.

        What is not sent when the time is up comes back unused. A server that answers by drips is cut off then.
        """
        deadline = time.monotonic() + within_seconds
        session = _Session(self._connect, within_seconds=within_seconds)
        try:
            for position, mail in enumerate(mails):
                if time.monotonic() >= deadline:
                    yield mail, Result(outcome="unused")
                    continue
                try:
                    session.open()
                except (smtplib.SMTPException, OSError) as error:
                    # Nothing is wrong with these mails: whatever refuses the connection, even for good, is tried again.
                    yield mail, _lost(error)
                    for unsent in mails[position + 1 :]:
                        yield unsent, Result(outcome="unused")
                    return
                yield mail, session.hand_over(mail, self._sender)
        finally:
            session.close()

    def _connect(self, watch: Watch) -> smtplib.SMTP:
        options: _Options = {
            # smtplib would otherwise ask the DNS for our own name, without a time limit.
            "local_hostname": self._sender.domain,
            "timeout": self._timeout_seconds,
        }
        if self._scheme == "smtps":
            context = self._tls.make_context()
            smtp: smtplib.SMTP = _WatchedSMTPS(watch, self._host, self._port, context=context, **options)
        else:
            smtp = _WatchedSMTP(watch, self._host, self._port, **options)
        try:
            if self._scheme == "smtp+starttls":
                smtp.starttls(context=self._tls.make_context())
            if self._login is not None:
                smtp.login(*self._login)
        except BaseException:
            smtp.close()
            raise
        return smtp


class _Options(TypedDict):
    local_hostname: str
    timeout: float


class _WatchedSMTP(smtplib.SMTP):
    """Makes itself known before it connects: a server can drip from its very first line."""

    def __init__(self, watch: Watch, host: str, port: int, **options: Unpack[_Options]) -> None:
        watch(self)
        super().__init__(host, port, **options)


class _WatchedSMTPS(smtplib.SMTP_SSL):
    """The same over TLS from the first byte."""

    def __init__(
        self, watch: Watch, host: str, port: int, *, context: ssl.SSLContext, **options: Unpack[_Options]
    ) -> None:
        watch(self)
        super().__init__(host, port, context=context, **options)


class _Session:
    """A connection that is opened when it is needed, again after a loss, and cut off when the time is up."""

    def __init__(self, connect: Callable[[Watch], smtplib.SMTP], *, within_seconds: float) -> None:
        self._connect = connect
        self._smtp: smtplib.SMTP | None = None
        self._watched: smtplib.SMTP | None = None
        # The time limit of a socket starts again with every byte, so the whole needs a watch of its own.
        self._watch = threading.Timer(within_seconds, self._cut)
        self._watch.daemon = True
        self._watch.start()

    def open(self) -> None:
        if self._smtp is None:
            self._smtp = self._connect(self._keep_watch)

    def hand_over(self, mail: Outgoing, sender: Address) -> Result:
        smtp = self._smtp
        if smtp is None:
            raise RuntimeError("the session is not open")
        try:
            smtp.sendmail(sender.addr_spec, [mail.address], build_message(mail, sender))
        except UnsafeMail as error:
            return Result(outcome="failed", reason=error.code)
        except smtplib.SMTPRecipientsRefused as error:
            [(code, text)] = error.recipients.values()
            return self._refused(code, text)
        except smtplib.SMTPResponseException as error:
            return self._refused(error.smtp_code, error.smtp_error)
        except smtplib.SMTPNotSupportedError as error:
            return Result(outcome="failed", reason=_describe(error))
        except (smtplib.SMTPException, OSError) as error:
            self._drop()
            return _lost(error)
        return Result(outcome="sent")

    def close(self) -> None:
        self._watch.cancel()
        smtp, self._smtp = self._smtp, None
        if smtp is None:
            return
        try:
            smtp.quit()
        except (smtplib.SMTPException, OSError):
            smtp.close()

    def _refused(self, code: int, text: bytes | str) -> Result:
        """5xx is for good, the rest is for now. 421 is also the server's goodbye."""
        is_gone = code == GOODBYE or self._smtp is None or self._smtp.sock is None
        if is_gone:
            self._drop()
        found = _ENHANCED_STATUS.search(text if isinstance(text, bytes) else text.encode("utf-8", "replace"))
        reason = f"smtp {code}" + (f" {found.group().decode()}" if found else "")
        outcome: Literal["failed", "retry"] = "failed" if code >= PERMANENT else "retry"
        return Result(outcome=outcome, reason=reason, blames_endpoint=is_gone)

    def _drop(self) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            smtp.close()

    def _keep_watch(self, smtp: smtplib.SMTP) -> None:
        self._watched = smtp

    def _cut(self) -> None:
        sock = self._watched.sock if self._watched is not None else None
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


def _lost(error: Exception) -> Result:
    return Result(outcome="retry", reason=f"connection: {_describe(error)}", blames_endpoint=True)


def _describe(error: Exception) -> str:
    """Name a failure without what the server said, which may repeat the address."""
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{type(error).__name__} {error.smtp_code}"
    return type(error).__name__
