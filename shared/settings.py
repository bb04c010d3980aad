"""What every service reads from the environment, and which values it refuses to start with."""

import ssl
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.links import LOOPBACK, BadLink, check_link, make_server_context
from shared.schedule import load_schedule

PLACEHOLDERS = frozenset(
    {"guest", "postgres", "admin", "password", "secret", "changeme", "change-me", "lianxin", "test"}
)
SHORTEST_PASSWORD = 16
PATH = r"^/([A-Za-z0-9_-]+/)*$"  # of pages, on the same host
PLACE = r"^(https?://[A-Za-z0-9.:\[\]-]+)?/([A-Za-z0-9_-]+/)*$"  # of pages, perhaps on another host

Port = Annotated[int, Field(ge=1, le=65535)]


class UnsafeSetting(Exception):
    """A setting is missing or unsafe; the message names the variable and never its value."""


class ProcessSettings(BaseSettings):
    """What every process has. Each service sets its own `env_prefix`."""

    model_config = SettingsConfigDict(extra="ignore", hide_input_in_errors=True)

    mode: Literal["embedded", "production", "test"] = "embedded"
    database_url: SecretStr
    owner_database_url: SecretStr | None = None  # migrate only
    identity_database_url: SecretStr | None = None  # serve only: as the role that may ask who is asking
    keys_directory: Path | None = None
    cipher: Literal["aes256gcm", "sm4gcm"] = "aes256gcm"  # what is written with; both are read
    retention_schedule: Path | None = None  # what an installation keeps for another time than is shipped
    audit_export_directory: Path | None = None  # each service writes into a folder of its name below it
    allowed_origins: tuple[str, ...] = ()  # of pages elsewhere that may ask for changes with a session
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()  # whose X-Forwarded-For is believed
    api_host: str = "127.0.0.1"
    api_port: Port = 8080
    management_host: str = "127.0.0.1"
    management_port: Port = 9090
    time_zone: str = "Asia/Shanghai"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    pool_size: Annotated[int, Field(ge=1, le=100)] = 4
    reads_per_minute: Annotated[int, Field(ge=60, le=10_000_000)] = 1_200  # lists, searches and reads of one account
    crash_points: str = ""  # test mode only
    certificate_file: Path | None = None  # with it the API and the management port speak TLS and nothing else
    certificate_key_file: Path | None = None
    management_client_ca_file: Path | None = None  # with it /metrics is for holders of a certificate of this authority
    allow_plaintext_links: bool = False  # to servers elsewhere: for a network that nobody else can listen to

    @field_validator("database_url", "owner_database_url", "identity_database_url")
    @classmethod
    def _is_postgres(cls, url: SecretStr | None) -> SecretStr | None:
        return _checked_url(url, {"postgresql", "postgres"})

    @field_validator("allowed_origins")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            parts = urlsplit(origin)
            if parts.scheme not in {"http", "https"} or origin != f"{parts.scheme}://{parts.netloc}":
                raise ValueError("must be origins such as https://lianxin.example.org, without a path")
        return origins

    @field_validator("time_zone")
    @classmethod
    def _is_known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError("is not a time zone of the IANA database") from None
        return name

    @field_validator("retention_schedule")
    @classmethod
    def _keeps_long_enough(cls, file: Path | None) -> Path | None:
        load_schedule(file)
        return file

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if self.crash_points and self.mode != "test":
            raise ValueError("crash_points: may be set in test mode only")
        if self.mode == "embedded" and {self.api_host, self.management_host} - LOOPBACK:
            raise ValueError("api_host, management_host: embedded mode listens on loopback only; use production mode")
        return self

    @model_validator(mode="after")
    def _shares_no_password(self) -> Self:
        """One word opens one account of one server: whoever learns it must not have learned two."""
        opened: dict[str, tuple[str, str | None, str]] = {}
        for name, value in self:
            if not isinstance(value, SecretStr) or not name.endswith("_url"):
                continue
            parts = urlsplit(value.get_secret_value())
            account = (parts.scheme.rstrip("s"), parts.username, name)
            other = opened.setdefault(unquote(parts.password or ""), account) if parts.password else account
            if other[:2] != account[:2] and self.mode != "test":
                raise ValueError(f"{other[2]}, {name}: must not share one password")
        return self

    @model_validator(mode="after")
    def _is_encrypted(self) -> Self:
        """Names the setting: each link to another machine, and each door that another machine can reach."""
        for name, value in self:
            if isinstance(value, SecretStr) and name.endswith("_url") and value:
                try:
                    check_link(value.get_secret_value(), allow_plaintext=self.allow_plaintext_links)
                except BadLink as fault:
                    raise ValueError(f"{name}: {fault}, or allow_plaintext_links must be said") from None
        if (self.certificate_file is None) != (self.certificate_key_file is None):
            raise ValueError("certificate_file, certificate_key_file: one is of no use without the other")
        if self.management_client_ca_file is not None and self.certificate_file is None:
            raise ValueError("management_client_ca_file: needs certificate_file")
        is_open = bool({self.api_host, self.management_host} - LOOPBACK) and self.certificate_file is None
        if self.mode == "production" and is_open and not self.allow_plaintext_links:
            raise ValueError(
                "certificate_file: is needed where others can reach this process, or allow_plaintext_links must be said"
            )
        return self

    def make_door_context(self, *, client_ca: Path | None = None) -> ssl.SSLContext | None:
        """TLS for a door of this process; None without a certificate. Raises UnsafeSetting."""
        if self.certificate_file is None or self.certificate_key_file is None:
            return None
        try:
            return make_server_context(self.certificate_file, self.certificate_key_file, client_ca=client_ca)
        except (OSError, ssl.SSLError) as error:
            raise UnsafeSetting(f"refusing to start: certificate_file: {type(error).__name__}") from None

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


class ServiceSettings(ProcessSettings):
    """What a service that speaks to the broker has beyond that."""

    broker_url: SecretStr
    task_broker_url: SecretStr | None = None
    deploy_broker_url: SecretStr | None = None  # migrate only

    @field_validator("broker_url", "task_broker_url", "deploy_broker_url")
    @classmethod
    def _is_amqp(cls, url: SecretStr | None) -> SecretStr | None:
        return _checked_url(url, {"amqp", "amqps"})


Settings = TypeVar("Settings", bound=ProcessSettings)


def load(kind: type[Settings], *, secrets_directory: str | None = None) -> Settings:
    """Read settings from the environment, and from files of a secrets directory. Raises UnsafeSetting."""
    try:
        return kind(_secrets_dir=secrets_directory)
    except ValidationError as error:
        prefix = str(kind.model_config.get("env_prefix", ""))
        faults = [
            f"{prefix}{'_'.join(str(part) for part in fault['loc']).upper() or 'settings'}: {fault['msg']}"
            for fault in error.errors(include_input=False, include_url=False)
        ]
        raise UnsafeSetting("refusing to start: " + "; ".join(faults)) from None


def _checked_url(url: SecretStr | None, schemes: set[str]) -> SecretStr | None:
    if url is None:
        return None
    parts = urlsplit(url.get_secret_value())
    if parts.scheme not in schemes or not parts.hostname:
        raise ValueError(f"must be a URL of {' or '.join(sorted(schemes))}")
    if (parts.username or "").lower() in {"guest", "postgres", "root"}:
        raise ValueError("must name a user of its own, not a default account")
    password = unquote(parts.password or "")
    if (
        len(password) < SHORTEST_PASSWORD
        or password.lower() in PLACEHOLDERS
        or len(set(password)) < SHORTEST_PASSWORD // 2
    ):
        raise ValueError(f"its password must have at least {SHORTEST_PASSWORD} characters and be no placeholder")
    return url
