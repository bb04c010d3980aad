"""The few variables that `make run` itself reads, and the keys that it makes."""

import os
import re
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from deploy.keys import create_all
from embedded.accounts import Account, own
from embedded.errors import EmbeddedError
from embedded.layout import Layout

MANAGEMENT_PORT = 15672


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Servers that exist already, with their administrators' accounts; None where a private one is wanted."""

    name: str
    postgres_url: str | None
    rabbitmq_url: str | None
    management_url: str | None
    smtp_url: str | None
    with_demo: bool


def read_given() -> Given:
    name = os.environ.get("LIANXIN_NAME", "lianxin")
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,30}", name):
        raise EmbeddedError("LIANXIN_NAME must be a small letter, then small letters, digits or underscores")
    rabbitmq = os.environ.get("LIANXIN_RABBITMQ_URL") or None
    management = os.environ.get("LIANXIN_RABBITMQ_MANAGEMENT_URL") or None
    return Given(
        name=name,
        postgres_url=os.environ.get("LIANXIN_POSTGRES_URL") or None,
        rabbitmq_url=rabbitmq,
        management_url=management or (_usual_management(rabbitmq) if rabbitmq else None),
        smtp_url=os.environ.get("LIANXIN_NOTIFY_SMTP_URL") or None,
        with_demo=os.environ.get("LIANXIN_DEMO", "on") != "off",
    )


def _usual_management(amqp_url: str) -> str:
    """The same host and account, on the port that the management plugin has unless told otherwise."""
    account, at, address = urlsplit(amqp_url).netloc.rpartition("@")
    host = address if address.endswith("]") else re.sub(r":\d+$", "", address)
    return urlunsplit(("http", f"{account}{at}{host}:{MANAGEMENT_PORT}", "", "", ""))


def make_keys(layout: Layout, readers: Account | None) -> None:
    """Make the keys that are missing, one directory a service, and give them to the account that reads them."""
    create_all(layout.keys)
    for path in (layout.keys, *layout.keys.rglob("*")):
        own(path, readers)
