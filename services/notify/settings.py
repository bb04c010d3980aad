"""What notify reads from the environment."""

import re
from email.headerregistry import Address
from email.utils import getaddresses, parseaddr
from typing import Annotated
from urllib.parse import unquote, urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from shared.links import BadLink, TlsFiles, tls_files
from shared.settings import ServiceSettings

_SENDER = re.compile(r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{1,189}", re.ASCII)
DEFAULT_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


class NotifySettings(ServiceSettings):
    """Settings of notify, from variables that begin with LIANXIN_NOTIFY_."""

    model_config = SettingsConfigDict(env_prefix="LIANXIN_NOTIFY_", extra="ignore", hide_input_in_errors=True)

    smtp_url: SecretStr = SecretStr("smtp://127.0.0.1:1025")
    smtp_timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 10
    mail_from: str = "Lianxin <lianxin@localhost>"
    digest_interval_seconds: Annotated[float, Field(ge=1, le=2_678_400)] = 60
    sweep_seconds: Annotated[float, Field(ge=0.5, le=30)] = 5  # a worker without a task for a minute is not ready
    delivery_attempts_max: Annotated[int, Field(ge=1, le=10_000)] = 200
    delivery_valid_hours: Annotated[float, Field(gt=0, le=720)] = 48

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
