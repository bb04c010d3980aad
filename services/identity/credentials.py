"""Proofs and the libraries that check them: passwords by Argon2id, codes by time, and their pictures."""

import hmac
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import pyotp
import segno
from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from services.identity import metrics
from services.identity.domain.second_factors import counters_around
from shared.errors import Transient


class TooBusy(Transient):
    """More people sign in at once than the memory for hashing allows."""

    code = "too-busy"


@dataclass(frozen=True, slots=True, kw_only=True)
class HashCost:
    """By default the second recommended option of RFC 9106: 64 MiB, three passes, four lanes."""

    memory_kib: int = 65_536
    passes: int = 3
    lanes: int = 4


class PasswordHashing:
    """Argon2id, two at a time in a process, so that a flood of sign-ins takes no more memory than two."""

    def __init__(self, cost: HashCost | None = None, *, at_once: int = 2, patience_seconds: float = 5) -> None:
        cost = cost or HashCost()
        self._hasher = _hasher_of(cost)
        self._turns = threading.BoundedSemaphore(at_once)
        self._patience_seconds = patience_seconds
        # What is compared where there is no password, so that an unknown name takes as long as a known one.
        self._nobody = _nobody_at(cost)

    def hash(self, password: str) -> str:
        """Raises TooBusy."""
        with self._turn():
            return self._hasher.hash(password)

    def verify(self, stored: str | None, password: str) -> bool:
        """Takes the same work without a stored hash. Raises TooBusy."""
        with self._turn():
            try:
                self._hasher.verify(stored or self._nobody, password)
            except (VerificationError, InvalidHashError):
                return False
        return stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Whether it was made at another cost than today's."""
        return self._hasher.check_needs_rehash(stored)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        started = time.perf_counter()
        if not self._turns.acquire(timeout=self._patience_seconds):
            raise TooBusy("too many sign-ins at this moment; try again")
        try:
            yield
        finally:
            self._turns.release()
            metrics.password_hash_seconds.observe(time.perf_counter() - started)


def _hasher_of(cost: HashCost) -> PasswordHasher:
    return PasswordHasher(time_cost=cost.passes, memory_cost=cost.memory_kib, parallelism=cost.lanes, type=Type.ID)


@cache
def _nobody_at(cost: HashCost) -> str:
    """Made once for each cost: no password stands behind it, so it need be no other for another app."""
    return _hasher_of(cost).hash("nobody's password")


def find_counter(secret: str, code: str, *, timestamp: float, after: int) -> int | None:
    """Return the counter that this code belongs to, where it is good now and newer than the last one used."""
    generator = pyotp.HOTP(secret)
    found = None
    for counter in counters_around(timestamp, after=after):
        # Every one is compared, so that the time taken does not tell which.
        if hmac.compare_digest(generator.at(counter), code):
            found = counter
    return found


def new_secret() -> str:
    """160 bits, as an authenticator takes them."""
    return pyotp.random_base32()


def enrolment_address(secret: str, *, account: str, issuer: str = "Lianxin") -> str:
    """The otpauth address that an authenticator reads."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=issuer)


def picture_of(address: str) -> str:
    """A QR code as SVG, without an XML head, to stand within a page."""
    return str(segno.make(address, error="m").svg_inline(scale=5, border=3, svgclass=None, lineclass=None))
