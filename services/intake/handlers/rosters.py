"""Taking over the results of annual appraisals from cadre files of other systems."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.intake.domain.commands.base import Outcome
from services.intake.domain.commands.rosters import RecordAppraisalResult
from services.intake.handlers.batches import Events, run_batch
from services.intake.handlers.roster_persons import identify
from services.intake.storage import rosters as storage
from shared.contracts.intake.appraisals import AppraisalResultRecorded
from shared.database import Connection, Pool
from shared.outbox import OutgoingEvent

Key = tuple[UUID, int]


def record_appraisal_results(pool: Pool, commands: Sequence[RecordAppraisalResult], *, now: datetime) -> list[Outcome]:
    """Keep the results of persons who were matched; the others are refused, and go in with the file's next import."""

    def run(connection: Connection, fresh: list[RecordAppraisalResult], events: Events) -> list[Outcome]:
        who = identify(connection, fresh, now=now)
        told: dict[Key, RecordAppraisalResult] = {}
        for command, cadre in zip(fresh, who, strict=True):
            if isinstance(cadre, UUID):
                told[cadre, command.year] = command  # of one batch the last word counts
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
            _outcome(command, (cadre, command.year), told, written) if isinstance(cadre, UUID) else cadre
            for command, cadre in zip(fresh, who, strict=True)
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
