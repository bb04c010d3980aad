"""The keys that sign access tokens: made, published, put to use, and ended when their last token has ended."""

from datetime import datetime, timedelta
from threading import Lock

from services.identity import metrics
from services.identity.domain.token_keys import (
    ACCEPTED_AFTER_USE,
    LONGEST_LIFE,
    PUBLISHED_BEFORE_USE,
    choose_signing,
    is_rotation_due,
    is_waiting,
)
from services.identity.signing.access_tokens import SigningKey, make_key
from services.identity.storage import token_keys
from services.identity.storage.token_keys import StoredKey
from shared.audit.chain import Line, note
from shared.crypto import CryptoProvider
from shared.database import Connection, Pool, transaction
from shared.reach import SYSTEM

PURPOSE = "token"
ENDED_KEYS_KEPT = timedelta(days=1)


def rotate_keys(pool: Pool, crypto: CryptoProvider, *, issuer: str, now: datetime, at_once: bool = False) -> str | None:
    """Publish a new key, to sign in a minute; return its id, or None where one waits for its turn already.

    `at_once` is for a key that may be known to others: all tokens out there end with the keys that signed them.
    """
    with transaction(pool, reach=SYSTEM) as connection:
        token_keys.lock_rotation(connection)
        return _rotate(connection, crypto, issuer=issuer, now=now, at_once=at_once)


def rotate_due_keys(pool: Pool, crypto: CryptoProvider, *, issuer: str, now: datetime) -> str | None:
    """Rotate when the newest key has signed for a month, and forget those whose end is long past."""
    with transaction(pool, reach=SYSTEM) as connection:
        token_keys.lock_rotation(connection)
        token_keys.delete_ended(connection, before=now - ENDED_KEYS_KEPT)
        lives = [key.life for key in token_keys.list_keys(connection, now=now)]
        if not is_rotation_due(lives, issuer=issuer, now=now):
            return None
        return _rotate(connection, crypto, issuer=issuer, now=now, at_once=False)


def list_public_keys(pool: Pool, *, now: datetime) -> list[tuple[str, bytes]]:
    with transaction(pool, reach=SYSTEM) as connection:
        return [(key.kid, key.public_key) for key in token_keys.list_keys(connection, now=now)]


class KeyChoice:
    """The key to sign with now. Read every few seconds: a new one is published long before it signs."""

    def __init__(self, pool: Pool, crypto: CryptoProvider, *, issuer: str, believed: timedelta) -> None:
        self._pool = pool
        self._crypto = crypto
        self._issuer = issuer
        self._believed = believed
        self._lock = Lock()
        self._chosen: tuple[SigningKey, datetime] | None = None

    def choose(self, now: datetime) -> SigningKey:
        """Raises DatabaseAway, Undecipherable."""
        with self._lock:
            if self._chosen is None or not self._chosen[1] <= now < self._chosen[1] + self._believed:
                self._chosen = self._read(now), now
            return self._chosen[0]

    def _read(self, now: datetime) -> SigningKey:
        for _ in range(2):
            with transaction(self._pool, reach=SYSTEM) as connection:
                keys = {key.kid: key for key in token_keys.list_keys(connection, now=now)}
            life = choose_signing([key.life for key in keys.values()], issuer=self._issuer, now=now)
            if life is not None:
                return _open(keys[life.kid], self._crypto)
            rotate_keys(self._pool, self._crypto, issuer=self._issuer, now=now)
        raise RuntimeError("a first key signs at once")


def _rotate(connection: Connection, crypto: CryptoProvider, *, issuer: str, now: datetime, at_once: bool) -> str | None:
    lives = [key.life for key in token_keys.list_keys(connection, now=now)]
    if is_waiting(lives, issuer=issuer, now=now) and not at_once:
        return None
    has_signer = choose_signing(lives, issuer=issuer, now=now) is not None
    signs_from = now + PUBLISHED_BEFORE_USE if has_signer and not at_once else now
    made = make_key()
    token_keys.insert_key(
        connection,
        StoredKey(
            kid=made.kid,
            issuer=issuer,
            public_key=made.public_key,
            sealed_private_key=crypto.encrypt(PURPOSE, aad=_aad(made.kid), data=made.private_key),
            created_at=now,
            signs_from=signs_from,
            not_after=signs_from + LONGEST_LIFE,
        ),
    )
    if at_once:
        token_keys.delete_keys(connection, but=made.kid)
    else:
        token_keys.end_keys(connection, but=made.kid, not_after=signs_from + ACCEPTED_AFTER_USE)
    metrics.token_keys_made_total.inc()
    note(
        connection,
        Line(action="key.rotated", object_type="token_key", object_id=made.kid, details={"at_once": at_once}),
    )
    return made.kid


def _open(key: StoredKey, crypto: CryptoProvider) -> SigningKey:
    private = crypto.decrypt(PURPOSE, aad=_aad(key.kid), data=key.sealed_private_key)
    return SigningKey(kid=key.kid, issuer=key.issuer, private_key=private)


def _aad(kid: str) -> bytes:
    """So that nobody who writes into the database can put one key in the place of another."""
    return b"token_key|sealed_private_key|" + kid.encode("ascii")
