"""Public consultations: announcing, withdrawing and answering them, and what everybody may read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from services.intake.domain import consultations as domain
from services.intake.domain.commands.base import Outcome
from services.intake.domain.commands.consultations import (
    AnnounceConsultation,
    AnswerConsultation,
    WithdrawConsultation,
)
from services.intake.domain.consultations import Consultation, Phase, Theme
from services.intake.domain.repeats import other_content, out_of_reach, unknown
from services.intake.handlers.batches import Events, run_batch
from services.intake.handlers.standing import Moved, take_each
from services.intake.storage import consultations as storage
from services.intake.storage import registers
from services.intake.storage.opinions import count_opinions
from services.intake.storage.reach import find_reached_organisation_ids
from shared.contracts.intake.participation import ConsultationAnswered, ConsultationOpened, ConsultationWithdrawn
from shared.database import Connection, Pool, transaction
from shared.errors import Rejected
from shared.outbox import OutgoingEvent
from shared.reach import SYSTEM

END = datetime(2200, 1, 1, tzinfo=UTC)
LAST = UUID(int=(1 << 128) - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """What everybody may read of a consultation: the question, and in the end what became of the opinions."""

    id: UUID
    organisation_code: str
    organisation_name: str
    title: str
    question: str
    opens_at: datetime
    closes_at: datetime
    phase: Phase
    answer: str | None
    answered_at: datetime | None
    opinion_count: int | None
    themes: list[Theme]


def announce(pool: Pool, commands: Sequence[AnnounceConsultation], *, now: datetime) -> list[Outcome]:
    """Announce consultations. The same again changes nothing; other content under the same id is a conflict."""

    def run(connection: Connection, fresh: list[AnnounceConsultation], events: Events) -> list[Outcome]:
        organisations = find_reached_organisation_ids(connection, [item.organisation_code for item in fresh])
        return [_announce(connection, item, events, organisations, now) for item in fresh]

    return run_batch("announce_consultations", pool, commands, run, now=now)


def _announce(
    connection: Connection,
    command: AnnounceConsultation,
    events: Events,
    organisations: dict[str, UUID],
    now: datetime,
) -> Outcome:
    if command.organisation_code not in organisations:
        known = registers.find_organisation_ids(connection, [command.organisation_code])
        return out_of_reach() if known else unknown("organisation")
    asked = Consultation(
        id=command.id,
        organisation_id=organisations[command.organisation_code],
        title=command.title,
        question=command.question,
        opens_at=command.opens_at,
        closes_at=command.closes_at,
    )
    standing = _find(connection, command.id)
    if standing is not None:
        is_same = _asked_part(standing) == _asked_part(asked)
        return Outcome(status="unchanged", id=asked.id) if is_same else other_content(asked.id)
    try:
        domain.check_times(opens_at=asked.opens_at, closes_at=asked.closes_at, now=now)
    except Rejected as refusal:
        return Outcome(status="rejected", code=refusal.code, detail=refusal.detail)
    if not storage.insert_consultation(connection, asked, recorded_at=now):
        return other_content(asked.id)
    event = ConsultationOpened(
        consultation_id=asked.id,
        organisation_id=asked.organisation_id,
        opens_at=asked.opens_at,
        closes_at=asked.closes_at,
    )
    events.append(OutgoingEvent(event=event, sequence=1, correlation_id=command.correlation_id))
    return Outcome(status="created", id=asked.id)


def _find(connection: Connection, consultation_id: UUID) -> Consultation | None:
    try:
        return storage.lock_consultation(connection, consultation_id)
    except storage.ConsultationNotFound:
        return None


def _asked_part(asked: Consultation) -> tuple[object, ...]:
    return (asked.organisation_id, asked.title, asked.question, asked.opens_at, asked.closes_at)


def withdraw(pool: Pool, commands: Sequence[WithdrawConsultation], *, now: datetime) -> list[Outcome]:
    def step(connection: Connection, command: WithdrawConsultation) -> Moved | None:
        before = storage.lock_consultation(connection, command.id)
        after = domain.withdraw(before, reason_code=command.reason_code)
        if after == before:
            return None
        storage.set_consultation(connection, after)
        event = ConsultationWithdrawn(consultation_id=after.id, withdrawn_at=now, reason_code=command.reason_code)
        return Moved(event, after.sequence)

    return take_each("withdraw_consultations", pool, commands, step, now=now)


def answer(pool: Pool, commands: Sequence[AnswerConsultation], *, now: datetime) -> list[Outcome]:
    """Publish what became of the opinions. The same answer again changes nothing."""

    def step(connection: Connection, command: AnswerConsultation) -> Moved | None:
        before = storage.lock_consultation(connection, command.id)
        if before.answer == command.text and storage.list_themes(connection, before.id) == list(command.themes):
            return None
        count = count_opinions(connection, before.id)
        after = domain.answer(before, text=command.text, themes=command.themes, opinion_count=count, now=now)
        storage.insert_themes(connection, after.id, command.themes)
        storage.set_consultation(connection, after)
        return Moved(_tell_answer(after.id, command, count, now), after.sequence)

    return take_each("answer_consultations", pool, commands, step, now=now)


def _tell_answer(
    consultation_id: UUID, command: AnswerConsultation, opinion_count: int, now: datetime
) -> ConsultationAnswered:
    decisions = [theme.decision for theme in command.themes]
    return ConsultationAnswered(
        consultation_id=consultation_id,
        answered_at=now,
        opinion_count=opinion_count,
        adopted_count=decisions.count("adopted"),
        partly_adopted_count=decisions.count("partly_adopted"),
        not_adopted_count=decisions.count("not_adopted"),
    )


def list_published(pool: Pool, *, before: tuple[datetime, UUID] | None, limit: int, now: datetime) -> list[Publication]:
    """What is or was asked, newest first, without the themes. It is the same for everybody: nobody is asked who."""
    with transaction(pool, reach=SYSTEM) as connection:
        found = storage.list_public(connection, before=before or (END, LAST), limit=limit)
    return [_publish(one, [], now) for one in found]


def get_published(pool: Pool, consultation_id: UUID, *, now: datetime) -> Publication:
    """Raises ConsultationNotFound, also for one that was withdrawn."""
    with transaction(pool, reach=SYSTEM) as connection:
        found = storage.list_public(connection, before=(END, LAST), limit=1, consultation_id=consultation_id)
        if not found:
            raise storage.ConsultationNotFound("there is no such consultation")
        return _publish(found[0], storage.list_themes(connection, consultation_id), now)


def _publish(public: storage.PublicConsultation, themes: list[Theme], now: datetime) -> Publication:
    asked = public.consultation
    return Publication(
        id=asked.id,
        organisation_code=public.organisation_code,
        organisation_name=public.organisation_name,
        title=asked.title,
        question=asked.question,
        opens_at=asked.opens_at,
        closes_at=asked.closes_at,
        phase=asked.phase(now),
        answer=asked.answer,
        answered_at=asked.answered_at,
        opinion_count=asked.opinion_count,
        themes=themes,
    )
