"""Cadre files of other systems: saying once who is who, and taking over the results of annual appraisals."""

import hashlib
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.intake.domain.commands.base import Outcome
from services.intake.domain.commands.rosters import MatchPerson, RecordAppraisalResult
from services.intake.domain.repeats import other_content, unknown
from services.intake.handlers.batches import Events, run_batch
from services.intake.handlers.records import hexadecimal
from services.intake.sealing import vault
from services.intake.storage import registers
from services.intake.storage import rosters as storage
from shared.contracts.intake.appraisals import AppraisalResultRecorded
from shared.database import Connection, Pool
from shared.outbox import OutgoingEvent

UNMATCHED = Outcome(
    status="rejected",
    code="unmatched-person",
    detail="no file of matches says yet which cadre this person is; names alone are never enough",
)
Key = tuple[UUID, int]


def match_persons(pool: Pool, commands: Sequence[MatchPerson], *, now: datetime) -> list[Outcome]:
    """Keep who is who. A repeat changes nothing; a person who is somebody else already is a conflict."""

    def run(connection: Connection, fresh: list[MatchPerson], _: Events) -> list[Outcome]:
        cadres = registers.find_cadre_ids(connection, [command.staff_number for command in fresh])
        persons = [_digest(command) for command in fresh]
        rows = {
            hexadecimal(person): cadres[command.staff_number]
            for person, command in zip(persons, fresh, strict=True)
            if command.staff_number in cadres
        }
        new = storage.insert_matches(connection, rows, recorded_at=now)
        standing = storage.list_matches(connection, persons)
        outcomes = []
        for person, command in zip(persons, fresh, strict=True):
            cadre_id = cadres.get(command.staff_number)
            if cadre_id is None:
                outcomes.append(unknown("cadre"))
            elif standing[person] != cadre_id:
                outcomes.append(other_content(standing[person]))
            else:
                outcomes.append(Outcome(status="created" if person in new else "unchanged", id=cadre_id))
                new.discard(person)
        return outcomes

    return run_batch("match_persons", pool, commands, run, now=now)


def record_appraisal_results(pool: Pool, commands: Sequence[RecordAppraisalResult], *, now: datetime) -> list[Outcome]:
    """Keep the results of persons who were matched; the others are refused, and go in with the file's next import."""

    def run(connection: Connection, fresh: list[RecordAppraisalResult], events: Events) -> list[Outcome]:
        persons = [_digest(command) for command in fresh]
        cadres = storage.list_matches(connection, persons)
        told: dict[Key, RecordAppraisalResult] = {}
        for person, command in zip(persons, fresh, strict=True):
            if person in cadres:
                told[cadres[person], command.year] = command  # of one batch the last word counts
        rows = [
            {"id": command.id, "cadre_id": cadre_id, "year": year, "grade": command.grade}
            for (cadre_id, year), command in told.items()
        ]
        written = storage.upsert_results(connection, rows, recorded_at=now)
        for row in written.values():
            command = told[row.cadre_id, row.year]
            event = AppraisalResultRecorded(
                appraisal_result_id=row.id, cadre_id=row.cadre_id, year=row.year, grade=command.grade
            )
            events.append(OutgoingEvent(event=event, sequence=row.sequence, correlation_id=command.correlation_id))
        return [
            _outcome(command, (cadres[person], command.year), told, written) if person in cadres else UNMATCHED
            for person, command in zip(persons, fresh, strict=True)
        ]

    return run_batch("record_appraisal_results", pool, commands, run, now=now)


def _outcome(
    command: RecordAppraisalResult,
    key: Key,
    told: dict[Key, RecordAppraisalResult],
    written: dict[Key, storage.WrittenResult],
) -> Outcome:
    row = written.get(key)
    if row is None or told[key] is not command:
        return Outcome(status="unchanged")
    return Outcome(status="created" if row.sequence == 1 else "changed", id=row.id)


def _digest(command: MatchPerson | RecordAppraisalResult) -> bytes:
    """Keyed: names and months of birth are few enough to be tried out."""
    parts = (command.person_name, command.birth_month, command.unit_name)
    plain = "\x1f".join("".join(unicodedata.normalize("NFC", part).split()) for part in parts)
    return vault().keyed(hashlib.blake2b(plain.encode(), digest_size=16).digest())
