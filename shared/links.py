"""How a URL says that its link is encrypted, and whom it believes: TLS to every server that is not on this machine.

PostgreSQL's URLs speak libpq's language (sslmode, sslrootcert, sslcert, sslkey); those of RabbitMQ and the mail server
that of RabbitMQ's clients (cacertfile, certfile, keyfile). Certificate and host name are always checked.
"""

import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
TLS_SCHEMES = frozenset({"amqps", "https", "smtps", "smtp+starttls"})
DATABASE_SCHEMES = frozenset({"postgresql", "postgres"})
# Each of these would leave the server's certificate unchecked, and RabbitMQ's clients know them.
_WEAKENING = frozenset({"verify", "fail_if_no_peer_cert", "server_name_indication", "ssl_options"})
_FILES = ("cacertfile", "certfile", "keyfile")


class BadLink(ValueError):
    """The URL asks for less than is safe, or for something unknown; the message never repeats it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """Without a CA the system's own are believed; certificate and key are what we show ourselves with."""

    cacertfile: str | None = None
    certfile: str | None = None
    keyfile: str | None = None

    def make_context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.cacertfile)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.certfile is not None:
            context.load_cert_chain(self.certfile, self.keyfile)
        return context


def is_local(url: str) -> bool:
    """Whether the link never leaves this machine: loopback, or a socket in the file system."""
    parts = urlsplit(url)
    hosts = [parts.hostname or "", *parse_qs(parts.query).get("host", [])]
    named = [host for host in hosts if host and not host.lower().startswith(("/", "%2f"))]
    return all(host in LOOPBACK for host in named)


def is_encrypted(url: str) -> bool:
    """Whether the link is encrypted and the server's certificate and name are checked. Raises BadLink."""
    parts = urlsplit(url)
    if parts.scheme in DATABASE_SCHEMES:
        return parse_qs(parts.query).get("sslmode", []) == ["verify-full"]
    tls_files(url)
    return parts.scheme in TLS_SCHEMES


def check_link(url: str, *, allow_plaintext: bool) -> None:
    """Raises BadLink for a link that others on its way could read or change."""
    if not is_encrypted(url) and not is_local(url) and not allow_plaintext:
        parts = urlsplit(url)
        wanted = "sslmode=verify-full" if parts.scheme in DATABASE_SCHEMES else f"{parts.scheme}s"
        raise BadLink(f"must be encrypted ({wanted}): the server is not on this machine")


def tls_files(url: str) -> TlsFiles | None:
    """What the URL of a broker, a mail server or a management interface names; None without TLS. Raises BadLink."""
    parts = urlsplit(url)
    query = parse_qs(parts.query, keep_blank_values=True)
    if _WEAKENING & query.keys():
        raise BadLink("must not change how certificates are checked")
    files = {name: query[name][-1] for name in _FILES if name in query}
    if files and parts.scheme not in TLS_SCHEMES:
        raise BadLink("names certificates, but its scheme is not an encrypted one")
    if ("keyfile" in files) != ("certfile" in files):
        raise BadLink("names one of certfile and keyfile without the other")
    for name, file in files.items():
        if not Path(file).is_file():
            raise BadLink(f"its {name} is not there")
    return TlsFiles(**files) if parts.scheme in TLS_SCHEMES else None


def without_files(url: str) -> str:
    """The URL for a client that would not understand what it says of TLS."""
    parts = urlsplit(url)
    kept = "&".join(part for part in parts.query.split("&") if part.partition("=")[0] not in _FILES)
    return parts._replace(query=kept).geturl()


def make_server_context(certificate: Path, key: Path, *, client_ca: Path | None = None) -> ssl.SSLContext:
    """TLS for a door of ours; with `client_ca` only for those who show a certificate of that authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    if client_ca is not None:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context
