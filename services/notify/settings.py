"""What notify reads from the environment."""

import re
from email.headerregistry import Address
from email.utils import getaddresses, parseaddr
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import unquote, urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from shared.links import BadLink, TlsFiles, tls_files
from shared.settings import Port, ServiceSettings

_SENDER = re.compile(r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{1,189}", re.ASCII)
DEFAULT_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


class NotifySettings(ServiceSettings):
    """Settings of notify, from variables that begin with LIANXIN_NOTIFY_."""

    model_config = SettingsConfigDict(env_prefix="LIANXIN_NOTIFY_", extra="ignore", hide_input_in_errors=True)

    smtp_url: SecretStr = SecretStr("smtp://127.0.0.1:1025")
    smtp_timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 10
    mail_per_minute: Annotated[int, Field(ge=1, le=100_000)] = 600
    mail_from: str = "Lianxin <lianxin@localhost>"
    sms_gateway: Path | None = None
    rules: Path | None = None
    calendar_file: Path | None = None  # days off and working days of this place: docs/clocks.md
    stream_seconds: Annotated[float, Field(gt=0, le=3_600)] = 300  # after which a stream of one's inbox ends
    stream_poll_seconds: Annotated[float, Field(ge=0.05, le=30)] = 2
    desk_url: str | None = None  # where the pages of issues are, for the links in notices
    robots: Path | None = None
    digest_interval_seconds: Annotated[float, Field(ge=1, le=2_678_400)] = 60
    sweep_seconds: Annotated[float, Field(ge=0.5, le=30)] = 5  # a worker without a task for a minute is not ready
    delivery_attempts_max: Annotated[int, Field(ge=1, le=10_000)] = 200
    delivery_valid_hours: Annotated[float, Field(gt=0, le=720)] = 48
    webhook_origin: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")] = "lianxin.localhost"
    webhook_ports: tuple[Port, ...] = (443,)
    webhook_hosts: tuple[str, ...] = ()  # without any, every host
    webhook_networks: tuple[IPv4Network | IPv6Network, ...] = ()  # private ones that partners live in
    webhook_ca_file: Path | None = None  # whom partners' certificates are of, in place of the system's authorities
    webhook_seconds: Annotated[float, Field(ge=1, le=30)] = 20  # for one attempt, all in all
    webhook_connections: Annotated[int, Field(ge=1, le=64)] = 8  # to one endpoint
    webhook_plain_loopback: bool = False  # test mode only: receivers on this machine, without TLS

    @field_validator("smtp_url")
    @classmethod
    def _is_mail_server(cls, url: SecretStr) -> SecretStr:
        parts = urlsplit(url.get_secret_value())
        if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
            raise ValueError("must be a URL of smtp, smtp+starttls or smtps")
        if parts.scheme == "smtp" and parts.username:
            raise ValueError("a password is sent over smtp+starttls or smtps only")
        try:
            tls_files(url.get_secret_value())
        except BadLink as fault:
            raise ValueError(str(fault)) from None
        return url

    @field_validator("mail_from")
    @classmethod
    def _is_one_sender(cls, sender: str) -> str:
        address = parseaddr(sender)[1]
        one_only = len(getaddresses([sender])) == 1 and sender.isprintable() and "=?" not in sender
        if not one_only or not _SENDER.fullmatch(address):
            raise ValueError("must be one address, with or without a name: Lianxin <lianxin@example.org>")
        return sender

    @model_validator(mode="after")
    def _calls_nobody_by_mistake(self) -> Self:
        if self.webhook_plain_loopback and self.mode != "test":
            raise ValueError("webhook_plain_loopback: may be set in test mode only")
        for network in self.webhook_networks:
            if network.prefixlen < (8 if network.version == 4 else 16):
                raise ValueError("webhook_networks: no larger than a /8, or a /16 of IPv6")
            if (network.is_loopback or network.is_link_local or network.is_multicast) and self.mode != "test":
                raise ValueError("webhook_networks: this machine, its neighbours and groups are no partners")
        return self

    @property
    def sender(self) -> Address:
        name, address = parseaddr(self.mail_from)
        return Address(display_name=name, addr_spec=address)

    @property
    def mail_server(self) -> tuple[str, str, int]:
        """Scheme, host and port."""
        parts = urlsplit(self.smtp_url.get_secret_value())
        return parts.scheme, parts.hostname or "", parts.port or DEFAULT_PORTS[parts.scheme]

    @property
    def mail_tls(self) -> TlsFiles | None:
        return tls_files(self.smtp_url.get_secret_value())

    @property
    def mail_login(self) -> tuple[str, str] | None:
        parts = urlsplit(self.smtp_url.get_secret_value())
        return (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
