"""Requests out of cadre files of other systems, which name persons without our staff numbers."""

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from services.intake.domain.appraisals import AppraisalGrade
from services.intake.domain.commands.base import Command

Ladder = Literal["post_level", "rank"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonOfFile(Command):
    """How a cadre file names a person. The document number is there where the profile takes it."""

    person_name: str
    birth_month: str
    unit_name: str
    document_number: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchPerson(PersonOfFile):
    """Say which cadre a person of such files is. Natural key: name, month of birth and unit together."""

    staff_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordAppraisalResult(PersonOfFile):
    """Natural key: the cadre whom the person was matched with, and the year. A repeat with another grade amends it."""

    year: int
    grade: AppraisalGrade


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeOverPost(PersonOfFile):
    """A post as the file has it. The organisation is found by its code, or by its name where only one has it."""

    organisation_code: str | None
    organisation_name: str | None
    post_kind: str
    post_level: str
    from_on: date
    until_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeOverRank(PersonOfFile):
    """A level or rank. Natural key: the cadre, the ladder, the code and the first day; a repeat may bring the last."""

    ladder: Ladder
    rank_code: str
    from_on: date
    until_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeOverCareerLine(PersonOfFile):
    """A dated line of a CV. Natural key: the cadre, the first day and the text; a repeat may bring the last day."""

    from_on: date
    until_on: date | None = None
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideCandidate(Command):
    """Confirm or refuse that a person of a file is that cadre. `id` is the candidate's."""

    is_same: bool
