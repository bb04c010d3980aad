"""Public consultations: asked, closed by the clock, and answered theme by theme. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from shared.errors import Conflict, Rejected

ConsultationState = Literal["announced", "answered", "withdrawn"]
Phase = Literal["announced", "open", "closed", "answered", "withdrawn"]
Decision = Literal["adopted", "partly_adopted", "not_adopted"]
Stance = Literal["for", "against", "neither"]

LONGEST: Final = timedelta(days=366)
MOST_THEMES: Final = 200


class NoConsultationTime(Rejected):
    code = "no-consultation-time"


class NotOpen(Conflict):
    """Opinions are taken from the announced beginning until the announced end."""

    code = "consultation-not-open"


class NotClosed(Conflict):
    """An answer to what is still being asked would tell nobody that their opinion counted."""

    code = "consultation-not-closed"


class Withdrawn(Conflict):
    code = "consultation-withdrawn"


class AlreadyAnswered(Conflict):
    code = "already-answered"


class TooManyOpinions(Rejected):
    """A theme names more opinions than were given."""

    code = "more-than-were-given"


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    title: str
    opinion_count: int
    decision: Decision
    explanation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Consultation:
    id: UUID
    organisation_id: UUID
    title: str
    question: str
    opens_at: datetime
    closes_at: datetime
    state: ConsultationState = "announced"
    reason_code: str | None = None
    answer: str | None = None
    answered_at: datetime | None = None
    opinion_count: int | None = None
    sequence: int = 1

    def phase(self, now: datetime) -> Phase:
        if self.state != "announced":
            return self.state
        if now < self.opens_at:
            return "announced"
        return "open" if now < self.closes_at else "closed"


def check_times(*, opens_at: datetime, closes_at: datetime, now: datetime) -> None:
    """Raises NoConsultationTime."""
    if not timedelta(0) < closes_at - opens_at <= LONGEST:
        raise NoConsultationTime("a consultation ends after it begins, and within a year")
    if closes_at <= now:
        raise NoConsultationTime("a consultation is announced before it ends")


def check_open(consultation: Consultation, *, now: datetime) -> None:
    """Raises NotOpen."""
    if consultation.phase(now) != "open":
        raise NotOpen("this consultation takes no opinions now")


def withdraw(consultation: Consultation, *, reason_code: str) -> Consultation:
    """Withdrawing again changes nothing. Raises AlreadyAnswered."""
    if consultation.state == "withdrawn":
        return consultation
    if consultation.state == "answered":
        raise AlreadyAnswered("what was answered is not withdrawn")
    return replace(consultation, state="withdrawn", reason_code=reason_code, sequence=consultation.sequence + 1)


def answer(
    consultation: Consultation, *, text: str, themes: Sequence[Theme], opinion_count: int, now: datetime
) -> Consultation:
    """Publish what became of the opinions, once. Raises Withdrawn, AlreadyAnswered, NotClosed, TooManyOpinions."""
    if consultation.state == "withdrawn":
        raise Withdrawn("this consultation was withdrawn")
    if consultation.state == "answered":
        raise AlreadyAnswered("this consultation was answered")
    if now < consultation.closes_at:
        raise NotClosed("this consultation still takes opinions")
    if any(theme.opinion_count > opinion_count for theme in themes):
        raise TooManyOpinions("a theme names more opinions than were given")
    return replace(
        consultation,
        state="answered",
        answer=text,
        answered_at=now,
        opinion_count=opinion_count,
        sequence=consultation.sequence + 1,
    )
