"""Opinions in consultations: given by citizens without an account, read by those who have to answer."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from services.intake.domain import consultations as domain
from services.intake.domain.citizens import normalise_name, normalise_phone
from services.intake.domain.consultations import Stance
from services.intake.sealing import vault
from services.intake.storage import consultations, opinions
from shared import limits
from shared.database import Pool, transaction
from shared.errors import Rejected
from shared.reach import SYSTEM, Reach

TABLE: Final = "opinion"
OPINIONS_AN_HOUR: Final = 20


class NothingSaid(Rejected):
    code = "nothing-said"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What somebody says. Nobody need say who they are."""

    id: UUID
    stance: Stance | None = None
    text: str | None = field(default=None, repr=False)
    name: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """An opinion as those read it who have to answer: what was said, and not by whom."""

    id: UUID
    stance: Stance | None
    channel: Literal["web", "staff"]
    text: str | None
    is_signed: bool
    given_at: datetime


def count_try(pool: Pool, network: str, *, now: datetime) -> None:
    """Call before anything is looked at that a citizen sent. Raises TooMany."""
    limits.take(pool, f"opinion:{network}", limit=OPINIONS_AN_HOUR, per_seconds=3600, now=now)


def give_opinion(
    pool: Pool, consultation_id: UUID, given: Given, *, channel: Literal["web", "staff"], now: datetime
) -> None:
    """Keep what was said. The staff's hand writes down what came on paper, within their own reach.

    Raises NothingSaid, NotValid, ConsultationNotFound, NotOpen, AlreadyGiven.
    """
    if given.stance is None and given.text is None:
        raise NothingSaid("an opinion has a stance or a text")
    new = _seal(consultation_id, given, channel, now)
    reach: Reach | None = SYSTEM if channel == "web" else None
    with transaction(pool, reach=reach) as connection:
        asked = consultations.lock_consultation(connection, consultation_id)
        domain.check_open(asked, now=now)
        opinions.insert_opinion(connection, new)


def _seal(consultation_id: UUID, given: Given, channel: Literal["web", "staff"], now: datetime) -> opinions.NewOpinion:
    phone = None if given.phone is None else normalise_phone(given.phone)
    name = None if given.name is None else normalise_name(given.name)
    sealed = {
        column: None if text is None else vault().seal(TABLE, column, given.id, text)
        for column, text in (("text", given.text), ("name", name), ("phone", phone))
    }
    return opinions.NewOpinion(
        opinion=opinions.SealedOpinion(
            id=given.id,
            stance=given.stance,
            channel=channel,
            text_sealed=sealed["text"],
            name_sealed=sealed["name"],
            phone_sealed=sealed["phone"],
            given_at=now,
        ),
        consultation_id=consultation_id,
        phone_handle=None if phone is None else vault().handle("phone", phone),
        person_handle=None if phone is None else vault().handle("phone_and_name", f"{phone}|{name or ''}"),
    )


def list_opinions(pool: Pool, consultation_id: UUID, *, after: tuple[datetime, UUID], limit: int) -> list[Opinion]:
    """Raises ConsultationNotFound where the reader is not the one to answer."""
    with transaction(pool) as connection:
        consultations.lock_consultation(connection, consultation_id)
        rows = opinions.list_opinions(connection, consultation_id, after=after, limit=limit)
    return [
        Opinion(
            id=row.id,
            stance=row.stance,
            channel=row.channel,
            text=vault().open(TABLE, "text", row.id, row.text_sealed, None),
            is_signed=row.name_sealed is not None or row.phone_sealed is not None,
            given_at=row.given_at,
        )
        for row in rows
    ]
