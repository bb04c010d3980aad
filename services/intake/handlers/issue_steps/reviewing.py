"""What others say of an issue: exclusion from assessment, supervision, escalation."""

from services.intake.domain.commands.issue_steps import (
    DecideExclusion,
    EscalateIssue,
    RequestExclusion,
    SuperviseIssue,
)
from services.intake.domain.issues import reviewing as domain
from services.intake.domain.issues.exclusions import EXCLUSIONS, Exclusion
from services.intake.domain.issues.life import Issue
from services.intake.domain.issues.rules import UnknownReason
from services.intake.handlers.issue_steps.taking import Decide, Steps, Turn


def request_exclusion(turn: Turn, issue: Issue, command: RequestExclusion) -> Steps:
    preset = _preset(command.reason_code)
    return domain.request_exclusion(issue, preset=preset, at=turn.now, note=command.note, actor=command.actor)


def decide_exclusion(turn: Turn, issue: Issue, command: DecideExclusion) -> Steps:
    preset = None if command.reason_code is None else _preset(command.reason_code)
    return domain.decide_exclusion(issue, preset=preset, at=turn.now, note=command.note, actor=command.actor)


def supervise(turn: Turn, issue: Issue, command: SuperviseIssue) -> Steps:
    return domain.supervise(issue, reason_code=command.reason_code, at=turn.now, note=command.note, actor=command.actor)


def escalate(turn: Turn, issue: Issue, command: EscalateIssue) -> Steps:
    code = command.organisation_code
    return domain.escalate(
        issue,
        level=command.level,
        reason_code=command.reason_code,
        at=turn.now,
        organisation_id=None if code is None else turn.organisation_id(code),
        note=command.note,
        actor=command.actor,
    )


def _preset(code: str) -> Exclusion:
    if code not in EXCLUSIONS:
        raise UnknownReason("no such reason for leaving an issue out of assessment")
    return EXCLUSIONS[code]


STEPS: dict[type, Decide] = {
    RequestExclusion: request_exclusion,
    DecideExclusion: decide_exclusion,
    SuperviseIssue: supervise,
    EscalateIssue: escalate,
}
