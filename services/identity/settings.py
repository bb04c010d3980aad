"""What identity reads from the environment."""

from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from shared.access.principal import Role
from shared.links import LOOPBACK
from shared.settings import ProcessSettings

PLACE = r"^(https?://[A-Za-z0-9.:\[\]-]+)?/([A-Za-z0-9_-]+/)*[A-Za-z0-9_-]*$"


class IdentitySettings(ProcessSettings):
    """Settings of identity, from variables that begin with LIANXIN_IDENTITY_."""

    model_config = SettingsConfigDict(env_prefix="LIANXIN_IDENTITY_", extra="ignore", hide_input_in_errors=True)

    public_url: str | None = None  # where browsers find this service: https://lianxin.example.org/identity

    desk_url: Annotated[str, Field(pattern=PLACE)] = (
        "/intake/desk"  # where browsers find the pages of clerks and cadres
    )

    session_idle_minutes: Annotated[int, Field(ge=1, le=60)] = 15
    session_hours: Annotated[int, Field(ge=1, le=12)] = 8
    sessions_per_account: Annotated[int, Field(ge=1, le=10)] = 2
    require_second_factor: tuple[Role, ...] = ()  # whoever holds one of these
    password_composition: bool = False  # three of four kinds of characters, where GB/T 22239 is binding
    password_valid_days: Annotated[int, Field(ge=30, le=3650)] | None = None  # same reason; None: for ever
    sign_in_failures_per_network: Annotated[int, Field(ge=5, le=10_000)] = 50
    keep_interval_seconds: Annotated[float, Field(ge=1, le=3600)] = 60

    client_secret_in_body: bool = False  # else a machine's secret is taken from the Authorization header alone
    token_requests_per_minute: Annotated[int, Field(ge=1, le=10_000)] = 60  # of one machine from one network

    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    oidc_label: Annotated[str, Field(min_length=1, max_length=60)] = "OpenID Connect"
    oidc_provision: bool = False  # a person whom nobody registered gets an account, without any role

    @field_validator("oidc_issuer", "public_url")
    @classmethod
    def _is_web_address(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("must be a plain URL of https")
        if parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise ValueError("must be a URL of https, except on this machine")
        if parts.username is not None:
            raise ValueError("must not hold a user name")
        return url

    @model_validator(mode="after")
    def _provider_is_whole(self) -> Self:
        given = [self.oidc_issuer, self.oidc_client_id, self.public_url]
        if self.oidc_issuer is not None and None in given:
            raise ValueError("oidc_issuer: needs oidc_client_id and public_url as well")
        return self

    @property
    def issuer(self) -> str:
        """Who signs our access tokens: the address of this service, without a slash at its end."""
        return (self.public_url or f"http://{self.api_host}:{self.api_port}").rstrip("/")
