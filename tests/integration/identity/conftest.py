"""A fresh identity database, and what its handlers work with."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from fastapi import FastAPI

from services.identity.api.app import create_api
from services.identity.credentials import HashCost, PasswordHashing
from services.identity.domain.accounts import Account
from services.identity.handlers.desk import Caller, Desk, system
from services.identity.settings import IdentitySettings
from services.identity.storage import accounts, passwords
from services.identity.storage.passwords import Password
from shared.crypto import KeyRing
from shared.database import Pool
from shared.keyfiles import KeyName, create_key
from shared.processes import make_authenticator
from tests.stock import Database, Stock

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
PASSWORD = "tangerine-window-42"
CHEAP = HashCost(memory_kib=1_024, passes=1, lanes=1)


@pytest.fixture(scope="session")
def hashing() -> PasswordHashing:
    return PasswordHashing(CHEAP)


@pytest.fixture
def database(new_database: Callable[[str], Database]) -> Database:
    return new_database("identity")


@pytest.fixture
def pool(stock: Stock, database: Database) -> Pool:
    return stock.pool(database.url)


@pytest.fixture
def reader_url(database: Database) -> str:
    """The URL of the role that may ask who somebody is, with the rights that an installation gives it."""
    return database.reader_url


@pytest.fixture
def reader_pool(stock: Stock, reader_url: str) -> Pool:
    return stock.pool(reader_url)


@pytest.fixture
def keys(tmp_path: Path) -> KeyRing:
    for purpose in ("second-factor", "token"):
        create_key(tmp_path, KeyName(purpose=purpose, kid=1))
    return KeyRing(tmp_path)


@pytest.fixture
def settings(database: Database, reader_url: str) -> IdentitySettings:
    return IdentitySettings(mode="test", database_url=database.url, identity_database_url=reader_url)


@pytest.fixture
def app(settings: IdentitySettings, pool: Pool, reader_pool: Pool, keys: KeyRing) -> FastAPI:
    """The real app with its real authenticator; only the network is left out."""
    authenticator = make_authenticator(settings, reader_pool, service="identity")
    return create_api(settings, pool, authenticator=authenticator, keys=keys)


@pytest.fixture
def desk(pool: Pool, hashing: PasswordHashing, keys: KeyRing) -> Desk:
    return Desk(pool=pool, hashing=hashing, keys=keys)


@pytest.fixture
def add_account(desk: Desk) -> Callable[..., Account]:
    """Make an account with the usual password, set long ago and not to be changed."""

    def add(name: str = "li.na", **more: object) -> Account:
        account_id = uuid4()
        account = Account(
            id=account_id,
            name=name,
            display_name="李娜",
            person_id=str(account_id),
            staff_number=None,
            status="active",
            created_at=NOW - timedelta(days=30),
            changed_at=NOW - timedelta(days=30),
        )
        account = replace(account, **more)  # type: ignore[arg-type] # the test names a field and its value
        password = Password(
            account_id=account.id,
            hash=desk.hashing.hash(PASSWORD),
            set_at=account.created_at,
            must_change=False,
            valid_until=None,
        )
        with system(desk.pool) as connection:
            accounts.insert_account(connection, account)
            passwords.put_password(connection, password, remembered=4)
        return account

    return add


@pytest.fixture
def caller() -> Caller:
    return Caller(network="203.0.113.0/24", at=NOW)
