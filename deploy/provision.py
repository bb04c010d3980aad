"""Accounts, databases, virtual hosts and rights on the two servers; safe to repeat, before every migration.

As a program it reads the administrators' URLs and the services' own URLs from the environment (or from files of
LIANXIN_SECRETS_DIR), and gives every account the password that its service is going to use.
"""

import json
import os
import re
import secrets
import sys
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import psycopg
from psycopg import sql

from deploy.naming import ON_BROKER, SERVICES, Names, broker_settings, database_settings, with_account
from shared.links import BadLink, tls_files

# What a runtime role gets of all that its owner is going to make, and that nobody else gets anything.
FUTURE_RIGHTS = (
    "REVOKE CREATE ON SCHEMA public FROM PUBLIC",  # before PostgreSQL 15 everybody could
    "GRANT USAGE ON SCHEMA public TO {}",
    "ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {}",
    "ALTER DEFAULT PRIVILEGES GRANT USAGE ON SEQUENCES TO {}",
    "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
    "ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO {}",
)
EVERYTHING = {"configure": ".*", "write": ".*", "read": ".*"}
NOT_FOUND = 404


class ProvisionError(Exception):
    """Its text names the setting or the server's refusal, and never a password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerUrls:
    """By service, and by "deploy" for the account that declares the topology."""

    users: Mapping[str, str]
    urls: Mapping[str, str]
    task_urls: Mapping[str, str]


def provision_postgres(admin_url: str, *, name: str, passwords: Mapping[str, str]) -> dict[str, str]:
    """Give the database variables of every service; `passwords` is by role."""
    names = Names(prefix=name)
    with psycopg.connect(admin_url, autocommit=True) as admin:
        for service in SERVICES:
            for role in (names.owner(service), names.runtime(service)):
                _ensure_role(admin, role, passwords[role])
            _ensure_database(admin, names.database(service), owner=names.owner(service))
            _grant_connection(admin, names.database(service), names.runtime(service))
        _ensure_role(admin, names.identity_reader, passwords[names.identity_reader])
        _grant_asking(admin, names.database("identity"), names.identity_reader)
    for service in SERVICES:
        owner = names.owner(service)
        url = with_account(admin_url, user=owner, password=passwords[owner], path=names.database(service))
        _grant_future(url, names.runtime(service))
    return database_settings(admin_url, names, passwords)


def _ensure_role(admin: psycopg.Connection, role: str, password: str) -> None:
    # Hashed here, because a statement may end up in the server's log.
    verifier = admin.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    exists = admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    statement = "ALTER ROLE {} LOGIN PASSWORD {}" if exists else "CREATE ROLE {} LOGIN PASSWORD {}"
    admin.execute(sql.SQL(statement).format(sql.Identifier(role), sql.Literal(verifier)))


def _ensure_database(admin: psycopg.Connection, database: str, *, owner: str) -> None:
    if admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone():
        return
    if admin.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() != (True,):
        # An administrator of a hosted server must belong to a role to hand something to it.
        admin.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(owner)))
    statement = sql.SQL(
        "CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'"
    )
    admin.execute(statement.format(sql.Identifier(database), sql.Identifier(owner)))


def _grant_connection(admin: psycopg.Connection, database: str, runtime: str) -> None:
    """Nobody else may connect; temporary tables are what bulk imports load into."""
    admin.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(database)))
    admin.execute(
        sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(
            sql.Identifier(database), sql.Identifier(runtime)
        )
    )


def _grant_asking(admin: psycopg.Connection, database: str, reader: str) -> None:
    """Let the reader in. Which functions it may call is granted by identity's own migration, which makes them."""
    admin.execute(
        sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(sql.Identifier(database), sql.Identifier(reader))
    )


def _grant_future(owner_url: str, runtime: str) -> None:
    with psycopg.connect(owner_url, autocommit=True) as owner:
        for statement in FUTURE_RIGHTS:
            owner.execute(sql.SQL(statement).format(sql.Identifier(runtime)))


class Management:
    """RabbitMQ's management interface over HTTP."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        files = tls_files(url)
        self._context = files.make_context() if files is not None else None
        self._base = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/"), "", ""))
        account = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
        self._headers = {
            "Authorization": "Basic " + b64encode(account.encode()).decode(),
            "Content-Type": "application/json",
        }

    def put(self, *path: str, **content: str) -> None:
        self._send("PUT", path, json.dumps(content).encode())

    def delete(self, *path: str) -> None:
        """Nothing happens if it is gone already."""
        self._send("DELETE", path, None)

    def wait_until_ready(self, *, timeout_seconds: float) -> None:
        deadline = time.monotonic() + timeout_seconds
        while True:
            try:
                self._send("GET", ("whoami",), None)
            except ProvisionError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.3)
            else:
                return

    def _send(self, method: str, path: tuple[str, ...], content: bytes | None) -> None:
        address = "/".join([self._base, "api", *(quote(part, safe="") for part in path)])
        if not address.startswith(("http://", "https://")):
            raise ProvisionError("LIANXIN_RABBITMQ_MANAGEMENT_URL: must be a URL of http or https")
        request = urllib.request.Request(address, data=content, headers=self._headers, method=method)  # noqa: S310 - checked
        try:
            with urllib.request.urlopen(request, timeout=10, context=self._context):  # noqa: S310 - checked above
                return
        except urllib.error.HTTPError as error:
            error.close()
            if not (method == "DELETE" and error.code == NOT_FOUND):
                raise ProvisionError(f"RabbitMQ refused {method} {'/'.join(path)}: {error.code}") from None
        except OSError as error:
            raise ProvisionError(f"RabbitMQ's management at {self._base} cannot be reached: {error}") from error


def provision_broker(
    amqp_url: str,
    management_url: str,
    *,
    name: str,
    passwords: Mapping[str, str] | None = None,
    remove_guest: bool = False,
) -> BrokerUrls:
    """Make accounts that may do what they need and nothing else; `passwords` is by user, random where it is None."""
    names = Names(prefix=name)
    passwords = passwords or {user: secrets.token_urlsafe(24) for user in names.broker_users}
    management = Management(management_url)
    management.wait_until_ready(timeout_seconds=30)
    for vhost in (names.events_vhost, *(names.tasks_vhost(service) for service in ON_BROKER)):
        management.put("vhosts", vhost)
    for user in names.broker_users:
        management.put("users", user, password=passwords[user], tags="")
    management.put("permissions", names.events_vhost, names.deploy_user, **EVERYTHING)
    for service in ON_BROKER:
        _permit_service(management, names, service)
    if remove_guest:
        management.delete("users", "guest")
    urls = broker_settings(amqp_url, names, passwords)
    events = {service: urls[f"LIANXIN_{service.upper()}_BROKER_URL"] for service in ON_BROKER}
    return BrokerUrls(
        users={service: names.runtime(service) for service in ON_BROKER} | {"deploy": names.deploy_user},
        urls=events | {"deploy": urls["LIANXIN_INTAKE_DEPLOY_BROKER_URL"]},
        task_urls={service: urls[f"LIANXIN_{service.upper()}_TASK_BROKER_URL"] for service in ON_BROKER},
    )


def _permit_service(management: Management, names: Names, service: str) -> None:
    """Its own exchange with its own routing keys, its own queues, and a virtual host for its tasks alone."""
    user, events = names.runtime(service), names.events_vhost
    exchanges = "evt" if service == "intake" else "(evt|park)"  # intake consumes nothing that could be parked
    management.put(
        "permissions", events, user, configure="^$", write=rf"^{exchanges}\.{service}$", read=rf"^q\.{service}\..*"
    )
    topics = {"exchange": f"evt.{service}", "write": rf"^{service}\..*", "read": "^$"}
    management.put("topic-permissions", events, user, **topics)
    management.put("permissions", names.tasks_vhost(service), user, **EVERYTHING)


def remove_broker(management_url: str, *, name: str) -> None:
    """Forget the virtual hosts with all they hold, and the users."""
    names, management = Names(prefix=name), Management(management_url)
    for vhost in (names.events_vhost, *(names.tasks_vhost(service) for service in ON_BROKER)):
        management.delete("vhosts", vhost)
    for user in names.broker_users:
        management.delete("users", user)


class Environment:
    """Variables of the environment; a file of that name in the secrets directory goes first."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        directory = variables.get("LIANXIN_SECRETS_DIR")
        self._directory = Path(directory) if directory else None

    def read(self, name: str) -> str:
        for written in (name, name.lower()):
            if self._directory is not None and (self._directory / written).is_file():
                return (self._directory / written).read_text("utf-8").strip()
        if value := self._variables.get(name):
            return value
        raise ProvisionError(f"{name}: is missing")

    def password(self, name: str, *, of: str) -> str:
        """The password within a URL, which must be that of the account whose name the installation gives it."""
        parts = urlsplit(self.read(name))
        if unquote(parts.username or "") != of:
            raise ProvisionError(f"{name}: must name the account {of}")
        if not parts.password:
            raise ProvisionError(f"{name}: must hold a password")
        return unquote(parts.password)


def _refuse_equals(*passwords: Mapping[str, str]) -> None:
    """Raises ProvisionError naming two accounts that share a password: of one service or of two."""
    seen: dict[str, str] = {}
    for kind, by_account in zip(("database", "broker"), passwords, strict=True):
        for account, password in by_account.items():
            twin = seen.setdefault(password, f"{kind} {account}")
            if twin != f"{kind} {account}":
                raise ProvisionError(f"{kind} {account}: has the same password as {twin}")


def main(variables: Mapping[str, str]) -> int:
    environment = Environment(variables)
    name = variables.get("LIANXIN_NAME", "lianxin")
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,30}", name):
        raise ProvisionError("LIANXIN_NAME: must be a small letter, then small letters, digits or underscores")
    names = Names(prefix=name)
    database_passwords: dict[str, str] = {}
    broker_passwords: dict[str, str] = {}
    for service in SERVICES:
        prefix, owner, runtime = f"LIANXIN_{service.upper()}", names.owner(service), names.runtime(service)
        database_passwords[owner] = environment.password(f"{prefix}_OWNER_DATABASE_URL", of=owner)
        database_passwords[runtime] = environment.password(f"{prefix}_DATABASE_URL", of=runtime)
        if service in ON_BROKER:
            broker_passwords[runtime] = environment.password(f"{prefix}_BROKER_URL", of=runtime)
    reader = names.identity_reader
    database_passwords[reader] = environment.password("LIANXIN_IDENTITY_IDENTITY_DATABASE_URL", of=reader)
    deploy = names.deploy_user
    broker_passwords[deploy] = environment.password("LIANXIN_INTAKE_DEPLOY_BROKER_URL", of=deploy)
    _refuse_equals(database_passwords, broker_passwords)
    provision_postgres(environment.read("LIANXIN_POSTGRES_URL"), name=name, passwords=database_passwords)
    provision_broker(
        environment.read("LIANXIN_RABBITMQ_URL"),
        environment.read("LIANXIN_RABBITMQ_MANAGEMENT_URL"),
        name=name,
        passwords=broker_passwords,
        remove_guest=variables.get("LIANXIN_RABBITMQ_REMOVE_GUEST") == "1",
    )
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(os.environ))
    except (BadLink, ProvisionError, psycopg.Error) as error:
        sys.stderr.write(f"provision: {error}\n")
        sys.exit(1)
