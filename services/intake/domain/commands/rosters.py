"""Requests out of cadre files of other systems, which name persons without our staff numbers."""

from dataclasses import dataclass

from services.intake.domain.appraisals import AppraisalGrade
from services.intake.domain.commands.base import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchPerson(Command):
    """Say which cadre a person of such files is. Natural key: name, month of birth and unit together."""

    person_name: str
    birth_month: str
    unit_name: str
    staff_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordAppraisalResult(Command):
    """Natural key: the cadre whom the person was matched with, and the year. A repeat with another grade amends it."""

    person_name: str
    birth_month: str
    unit_name: str
    year: int
    grade: AppraisalGrade
