"""Problem orders surface by themselves: done again too often, passed on unit after unit, or objected to in circles."""

from datetime import datetime
from typing import Final, Literal

from services.intake.domain.issues.life import Issue
from services.intake.domain.issues.steps import Step

ProblemReason = Literal["redone_too_often", "no_lead", "objections_in_circles"]
REDOS: Final = 3
UNITS_WITHOUT_LEAD: Final = 3
OBJECTIONS: Final = 3


def find_problem(issue: Issue) -> ProblemReason | None:
    """Why an issue is a problem order, if it is one: the first reason that holds."""
    if issue.redo_count >= REDOS:
        return "redone_too_often"
    if len(issue.passed_on) >= UNITS_WITHOUT_LEAD:
        return "no_lead"
    came_back = len(set(issue.objectors)) < len(issue.objectors)
    return "objections_in_circles" if came_back or len(issue.objectors) >= OBJECTIONS else None


def surface_problem(issue: Issue, *, at: datetime) -> tuple[Step, ...]:
    """The step that makes a problem order of an open issue, once; nobody has to ask for it."""
    if issue.problem_code is not None or issue.closed_at is not None:
        return ()
    reason_code = find_problem(issue)
    return () if reason_code is None else (Step(kind="problem_raised", happened_at=at, reason_code=reason_code),)
