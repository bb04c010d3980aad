"""What intake publishes of annual appraisals that a cadre file told of."""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.base import Event

AppraisalGrade = Literal["excellent", "competent", "basic", "incompetent", "ungraded"]


class AppraisalResultRecorded(Event):
    """The grade of a cadre's annual appraisal of a year, or another one than was told before."""

    type: ClassVar[str] = "cn.lianxin.appraisal_result.recorded.v1"
    key: ClassVar[str] = "intake.appraisal_result.recorded.v1"
    aggregate: ClassVar[str] = "appraisal_result"
    summary: ClassVar[str] = "The result of an annual appraisal was taken over from a cadre file"

    appraisal_result_id: UUID
    cadre_id: UUID
    year: Annotated[int, Field(ge=1949, le=2199)]
    grade: AppraisalGrade


EVENTS: tuple[type[Event], ...] = (AppraisalResultRecorded,)
