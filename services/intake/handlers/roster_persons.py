"""Who the persons of cadre files are: said by a person, or known again by a document number, and else suggested."""

import hashlib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from services.intake.domain.commands.base import Outcome
from services.intake.domain.commands.rosters import DecideCandidate, MatchPerson, PersonOfFile
from services.intake.domain.repeats import not_found, other_content, unknown
from services.intake.handlers.batches import Events, run_batch
from services.intake.handlers.records import hexadecimal
from services.intake.sealing import vault
from services.intake.storage import registers
from services.intake.storage import roster_persons as storage
from shared.database import Connection, Pool, transaction

UNMATCHED = Outcome(
    status="rejected",
    code="unmatched-person",
    detail="nobody has said yet which cadre this person is; names alone are never enough",
)
TWO_PERSONS = Outcome(
    status="conflict",
    code="document-of-another",
    detail="name and unit are those of one cadre, and the document number is another's",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCandidate:
    """Whom a person of a file may be, and why it looks so."""

    id: UUID
    person_name: str
    birth_month: str
    unit_name: str
    staff_number: str
    basis: storage.Basis
    suggested_at: datetime


def match_persons(pool: Pool, commands: Sequence[MatchPerson], *, now: datetime) -> list[Outcome]:
    """Keep who is who. A repeat changes nothing; a person who is somebody else already is a conflict."""

    def run(connection: Connection, fresh: list[MatchPerson], _: Events) -> list[Outcome]:
        cadres = registers.find_cadre_ids(connection, [command.staff_number for command in fresh])
        wanted = {
            _digest(command): (command, cadres[command.staff_number])
            for command in reversed(fresh)
            if command.staff_number in cadres
        }
        new = _keep_matches(connection, wanted.values(), now)
        standing = storage.list_matches(connection, [_digest(command) for command in fresh])
        agreed = [one for person, one in wanted.items() if standing[person] == one[1]]
        _keep_documents(connection, agreed, now)
        outcomes = []
        for command in fresh:
            person, cadre_id = _digest(command), cadres.get(command.staff_number)
            if cadre_id is None:
                outcomes.append(unknown("cadre"))
            elif standing[person] != cadre_id:
                outcomes.append(other_content(standing[person]))
            else:
                outcomes.append(Outcome(status="created" if person in new else "unchanged", id=cadre_id))
                new.discard(person)
        return outcomes

    return run_batch("match_persons", pool, commands, run, now=now)


def identify(connection: Connection, commands: Sequence[PersonOfFile], *, now: datetime) -> list[UUID | Outcome]:
    """Return who each is, or why that is not known. Who is known by one sign is kept by the other as well."""
    persons = [_digest(command) for command in commands]
    documents = [_document(command) for command in commands]
    matched = storage.list_matches(connection, persons)
    known = storage.list_documents(connection, [one for one in documents if one is not None])
    found: list[UUID | Outcome] = []
    for person, document in zip(persons, documents, strict=True):
        by_match, by_document = matched.get(person), known.get(document) if document is not None else None
        if by_match is not None and by_document is not None and by_match != by_document:
            found.append(TWO_PERSONS)
        else:
            found.append(by_match or by_document or UNMATCHED)
    told = [(command, who) for command, who in zip(commands, found, strict=True) if isinstance(who, UUID)]
    _keep_matches(connection, [one for one in told if _digest(one[0]) not in matched], now)
    _keep_documents(connection, told, now)
    strangers = {_digest(one): one for one, who in zip(commands, found, strict=True) if who is UNMATCHED}
    if strangers:
        storage.suggest(connection, [_described(one) for one in strangers.values()], suggested_at=now)
    return found


def list_candidates(pool: Pool, *, after: tuple[datetime, UUID] | None, limit: int) -> list[ShownCandidate]:
    """Those on which nobody has decided, the oldest first."""
    with transaction(pool) as connection:
        found = storage.list_open_candidates(connection, after=after, limit=limit)
    return [_shown(one) for one in found]


def decide_candidates(pool: Pool, commands: Sequence[DecideCandidate], *, now: datetime) -> list[Outcome]:
    """Confirming makes the match that the next import of the file goes by. A decision is made once."""

    def run(connection: Connection, fresh: list[DecideCandidate], _: Events) -> list[Outcome]:
        standing = storage.lock_candidates(connection, [command.id for command in fresh])
        decided: dict[UUID, bool] = {}
        outcomes = []
        for command in fresh:
            candidate = standing.get(command.id)
            before = decided.get(command.id, candidate.is_same if candidate else None)
            if candidate is None:
                outcomes.append(not_found("candidate"))
            elif before is not None:
                same = before == command.is_same
                outcomes.append(Outcome(status="unchanged", id=command.id) if same else other_content(command.id))
            else:
                decided[command.id] = command.is_same
                outcomes.append(Outcome(status="changed", id=command.id))
        confirmed = [standing[one] for one, is_same in decided.items() if is_same]
        rows = [_match_row(one.person, one.name_and_month, one.cadre_id) for one in confirmed]
        storage.insert_matches(connection, rows, recorded_at=now)
        storage.set_decided(connection, decided, decided_at=now)
        return outcomes

    return run_batch("decide_roster_candidates", pool, commands, run, now=now)


def _keep_matches(connection: Connection, told: Iterable[tuple[PersonOfFile, UUID]], now: datetime) -> set[bytes]:
    rows = {_digest(one): _match_row(_digest(one), _name_and_month(one), cadre_id) for one, cadre_id in told}
    return storage.insert_matches(connection, list(rows.values()), recorded_at=now) if rows else set()


def _keep_documents(connection: Connection, told: Sequence[tuple[PersonOfFile, UUID]], now: datetime) -> None:
    rows = {document: who for one, who in told if (document := _document(one)) is not None}
    if rows:
        storage.insert_documents(connection, rows, recorded_at=now)


def _match_row(person: bytes, name_and_month: bytes, cadre_id: UUID) -> dict[str, Any]:
    return {
        "person": hexadecimal(person),
        "name_and_month": hexadecimal(name_and_month),
        "cadre_id": cadre_id,
    }


def _described(one: PersonOfFile) -> Mapping[str, Any]:
    """The seal is bound to the person's digest, which is the same for every candidate."""
    person = _digest(one)
    text = orjson.dumps([one.person_name, one.birth_month, one.unit_name]).decode()
    return {
        "person": hexadecimal(person),
        "name_and_month": hexadecimal(_name_and_month(one)),
        "name": one.person_name,
        "person_sealed": vault().seal_if("roster_candidate", "person_sealed", UUID(bytes=person), text),
    }


def _shown(one: storage.Candidate) -> ShownCandidate:
    text = vault().open("roster_candidate", "person_sealed", UUID(bytes=one.person), one.person_sealed, None)
    name, month, unit = orjson.loads(text or '["", "", ""]')
    return ShownCandidate(
        id=one.id,
        person_name=name,
        birth_month=month,
        unit_name=unit,
        staff_number=one.staff_number,
        basis=one.basis,
        suggested_at=one.suggested_at,
    )


def _digest(command: PersonOfFile) -> bytes:
    return _keyed(command.person_name, command.birth_month, command.unit_name)


def _name_and_month(command: PersonOfFile) -> bytes:
    return _keyed(command.person_name, command.birth_month)


def _document(command: PersonOfFile) -> bytes | None:
    return None if command.document_number is None else _keyed("document", command.document_number.upper())


def _keyed(*parts: str) -> bytes:
    """Keyed: names, months of birth and document numbers are few enough to be tried out."""
    plain = "\x1f".join("".join(unicodedata.normalize("NFC", part).split()) for part in parts)
    return vault().keyed(hashlib.blake2b(plain.encode(), digest_size=16).digest())
