"""Sorting a batch of records into new ones, standing ones, refused ones and ones that name something unknown."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from services.intake.domain.commands.base import Outcome
from services.intake.domain.repeats import AnyStored, KnownRecords, Named, id_taken, number_taken
from services.intake.domain.times import TimeCheck
from services.intake.storage.reach import RecordKind, is_id_taken, is_number_taken
from shared.database import Connection

AnyNamed = TypeVar("AnyNamed", bound=Named)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate(Generic[AnyNamed]):
    """A command with what the checks found, and the digest of its content."""

    command: AnyNamed
    check: TimeCheck
    content_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted(Generic[AnyNamed, AnyStored]):
    """A candidate with the record it made, or else met; neither means that it names something unknown."""

    candidate: Candidate[AnyNamed]
    made: AnyStored | None
    met: AnyStored | None


def sort_out(
    candidates: Sequence[Candidate[AnyNamed]],
    inserted: Sequence[AnyStored],
    list_standing: Callable[[list[AnyNamed]], list[AnyStored]],
) -> list[Sorted[AnyNamed, AnyStored]]:
    """Find for every candidate the record it made or met; asks for standing ones only when some are missing."""
    known = KnownRecords[AnyStored]()
    known.add(inserted, fresh=True)
    missing = [
        candidate.command
        for candidate in candidates
        if candidate.check.refusal is None and known.find(candidate.command) is None
    ]
    if missing:
        known.add(list_standing(missing), fresh=False)
    found = []
    for candidate in candidates:
        accepted = candidate.check.refusal is None
        made = known.claim_new(candidate.command, candidate.content_hash) if accepted else None
        met = known.find(candidate.command) if accepted and made is None else None
        found.append(Sorted(candidate=candidate, made=made, met=met))
    return found


def refuse_taken(connection: Connection, kind: RecordKind, command: Named) -> Outcome | None:
    """Where the command's id or its source's number stands for a record that the sender may not see."""
    if is_id_taken(connection, kind, command.id):
        return id_taken()
    if is_number_taken(connection, kind, command.source, command.source_number):
        return number_taken()
    return None


def created(record: Named, check: TimeCheck) -> Outcome:
    return Outcome(status="created", id=record.id, flags=tuple(check.flags))


def hexadecimal(digest: bytes) -> str:
    """The text that PostgreSQL reads as bytea."""
    return "\\x" + digest.hex()
