"""What every service reads from the environment, and which values it refuses to start with."""

from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PLACEHOLDERS = frozenset(
    {"guest", "postgres", "admin", "password", "secret", "changeme", "change-me", "lianxin", "test"}
)
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
SHORTEST_PASSWORD = 16

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
    audit_export_directory: Path | None = None  # each service writes into a folder of its name below it
    allowed_origins: tuple[str, ...] = ()  # of pages elsewhere that may ask for changes with a session
    api_host: str = "127.0.0.1"
    api_port: Port = 8080
    management_host: str = "127.0.0.1"
    management_port: Port = 9090
    access_file: Path | None = None
    time_zone: str = "Asia/Shanghai"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    pool_size: Annotated[int, Field(ge=1, le=100)] = 4
    crash_points: str = ""  # test mode only

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

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if self.crash_points and self.mode != "test":
            raise ValueError("crash_points: may be set in test mode only")
        if self.mode == "embedded" and {self.api_host, self.management_host} - LOOPBACK:
            raise ValueError("api_host, management_host: embedded mode listens on loopback only; use production mode")
        return self

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

    @model_validator(mode="after")
    def _shares_no_password(self) -> Self:
        if _password(self.database_url) == _password(self.broker_url):
            raise ValueError("database_url, broker_url: must not share one password")
        return self


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


def _password(url: SecretStr) -> str | None:
    return urlsplit(url.get_secret_value()).password
