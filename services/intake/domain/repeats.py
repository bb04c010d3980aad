"""Telling new records, repeats and contradictions apart, for a whole batch at once."""

from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from services.intake.domain.commands.base import Outcome


class Named(Protocol):
    """What a command and a stored record share: an id, and the number that the source knows the record by."""

    @property
    def id(self) -> UUID: ...
    @property
    def source(self) -> str: ...
    @property
    def source_number(self) -> str | None: ...


class Stored(Named, Protocol):
    @property
    def content_hash(self) -> bytes: ...


AnyStored = TypeVar("AnyStored", bound=Stored)
OUTDATED = "outdated"
NaturalKey = tuple[str, str] | UUID


def natural_key(record: Named) -> NaturalKey:
    return record.id if record.source_number is None else (record.source, record.source_number)


class KnownRecords(Generic[AnyStored]):
    """Records that stand, found by the natural key of a command or, failing that, by its id."""

    def __init__(self) -> None:
        self._by_key: dict[NaturalKey, AnyStored] = {}
        self._by_id: dict[UUID, AnyStored] = {}
        self._fresh: set[UUID] = set()

    def add(self, records: Iterable[AnyStored], *, fresh: bool) -> None:
        for record in records:
            self._by_key[natural_key(record)] = record
            self._by_id[record.id] = record
            if fresh:
                self._fresh.add(record.id)

    def find(self, command: Named) -> AnyStored | None:
        return self._by_key.get(natural_key(command)) or self._by_id.get(command.id)

    def claim_new(self, command: Named, content_hash: bytes) -> AnyStored | None:
        """Return the record that this very command created. Of equal commands in one batch the first one gets it."""
        record = self._by_id.get(command.id)
        if record is None or record.id not in self._fresh or record.content_hash != content_hash:
            return None
        self._fresh.discard(record.id)
        return record


def settle_repeat(command: Named, record: Stored, content_hash: bytes) -> Outcome:
    """Settle a command whose record stands already: the same content is a repeat, any other contradicts it."""
    if natural_key(command) == natural_key(record) and record.content_hash == content_hash:
        return Outcome(status="unchanged", id=record.id)
    return other_content(record.id)


def other_content(record_id: UUID) -> Outcome:
    detail = "a record with this id, number or key stands already with other content"
    return Outcome(status="conflict", id=record_id, code="other-content", detail=detail)


def outdated(record_id: UUID | None) -> Outcome:
    """Nothing is done to a version that the sender has not seen."""
    return Outcome(status="conflict", id=record_id, code=OUTDATED, detail="the record has changed since")


def id_taken() -> Outcome:
    """The id belongs to a record that the sender may not see."""
    return Outcome(status="conflict", code="id-taken", detail="the id belongs to something else already")


def number_taken() -> Outcome:
    """The source's number stands for a record that the sender may not see."""
    return Outcome(status="conflict", code="number-taken", detail="the number belongs to a record out of reach")


def out_of_reach() -> Outcome:
    detail = "the record would belong to an organisation out of reach, or to none"
    return Outcome(status="rejected", code="out-of-reach", detail=detail)


def unknown(what: str) -> Outcome:
    return Outcome(status="rejected", code=f"unknown-{what}", detail=f"no such {what} is registered")


def not_found(what: str) -> Outcome:
    return Outcome(status="rejected", code=f"{what}-not-found", detail=f"there is no such {what}")
