"""Steps through their handlers on PostgreSQL, in random batches: the log, the events and the rows tell one story."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from services.intake.domain.commands import issue_steps as commands
from services.intake.domain.commands.base import Actor, IdempotencyKey
from services.intake.domain.issues.life import Issue
from services.intake.domain.issues.steps import Details, Step, take
from services.intake.domain.issues.table import TABLE
from services.intake.handlers import issues
from services.intake.handlers.issue_steps.batch import take_steps
from services.intake.handlers.issue_steps.events import event_of
from services.intake.handlers.issue_steps.log import list_steps
from services.intake.handlers.texts import hold
from services.intake.storage.issue_steps import lock_issues
from shared.contracts.intake.deadlines import Deadlines, DeadlinesMoved
from shared.contracts.intake.issues import IssueClosed
from shared.database import transaction
from shared.identifiers import new_id
from tests.integration.intake.commands import an_issue
from tests.integration.intake.conftest import NOW

pytestmark = pytest.mark.integration

PEOPLE = [Actor(account_id=UUID(int=100 + number), person_id=f"p{number // 2}") for number in range(4)]
IDS = ("organisation_id", "cadre_id", "merged_into")
BY_HAND: dict[str, dict[str, Any]] = {
    "AssignIssue": {"organisation_code": "town"},
    "ReturnIssue": {"reason_code": "other"},
    "SignIssue": {},
    "RespondToIssue": {},
    "StartIssue": {},
    "PauseIssue": {"reason_code": "other", "note": "等材料"},
    "ResumeIssue": {},
    "SetAssistingUnits": {"assisting_codes": ("county",)},
    "SetUrgency": {"urgency": "urgent", "reason_code": "danger"},
    "RequestExtension": {"due_at": NOW + timedelta(days=12), "reason_code": "other"},
    "DecideExtension": {"granted": True},
    "RaiseObjection": {"reason_code": "other"},
    "DecideObjection": {"upheld": True},
    "ReplyToIssue": {"text": "已修好", "means": "phone"},
    "CloseIssue": {"outcome": "resolved", "reply": "已修好", "reply_to_merged": "已修好"},
    "OrderRedo": {"reason_code": "other"},
    "ReopenIssue": {"reason_code": "not_solved", "asked_by": "citizen"},
    "RequestExclusion": {"reason_code": "judicial_matter"},
    "DecideExclusion": {"reason_code": "legal_channel"},
    "SuperviseIssue": {"reason_code": "overdue"},
    "EscalateIssue": {"level": 1, "reason_code": "overdue"},
    "MergeIssue": {"reply": "并案办理"},
}
kinds, places = st.sampled_from(sorted(BY_HAND)), st.sampled_from(["town", "county"])
asked_for = st.tuples(kinds, st.sampled_from(range(3)), st.sampled_from(PEOPLE), places)


class Handled(RuleBasedStateMachine):
    """Three issues, and whoever likes tries whatever comes to mind."""

    pool: Any

    @initialize(places=st.lists(st.sampled_from([None, "town", "county"]), min_size=3, max_size=3))
    def receive(self, places):
        self.now = NOW
        told = [an_issue(organisation_code=place, received_at=NOW, due_at=NOW + timedelta(days=5)) for place in places]
        self.ids = [command.id for command in told]
        issues.receive_issues(self.pool, told, now=NOW)
        self.states: dict[UUID, str] = {}

    @rule(batch=st.lists(asked_for, min_size=1, max_size=6), hours=st.integers(0, 30), keyed=st.booleans())
    def try_a_batch(self, batch, hours, keyed):
        self.now += timedelta(hours=hours)
        steps = [self.command(place, *one, keyed=keyed) for place, one in enumerate(batch)]
        before = self.read_all()

        outcomes = take_steps(self.pool, steps, now=self.now)

        changed = {step.id for step, outcome in zip(steps, outcomes, strict=True) if outcome.status == "changed"}
        for issue_id, log in self.read_all().items():
            if log != before[issue_id]:
                assert issue_id in changed or log[-1]["kind"] == "replied", "nothing changes but what is asked for"
        if keyed:
            again = take_steps(self.pool, steps, now=self.now + timedelta(seconds=1))
            for first, second in zip(outcomes, again, strict=True):
                assert first.status not in {"changed", "unchanged"} or second.status == "unchanged"

    def command(self, place, name, which, actor, unit, *, keyed):
        said = dict(BY_HAND[name])
        if name == "AssignIssue":
            said["organisation_code"] = unit
        if name == "MergeIssue":
            said["into_id"] = self.ids[(which + 1) % 3]
        key = IdempotencyKey(caller="c", key=str(new_id()), fingerprint=bytes(16)) if keyed else None
        return getattr(commands, name)(id=self.ids[which], correlation_id=f"t{place}", actor=actor, key=key, **said)

    def read_all(self):
        return {issue_id: self.read_log(issue_id) for issue_id in self.ids}

    def read_log(self, issue_id):
        with transaction(self.pool) as connection:
            rows = connection.execute(
                "SELECT sequence, kind, happened_at, actor_id, actor_person, reason_code, details"
                "  FROM issue_step WHERE issue_id = %s ORDER BY sequence",
                [issue_id],
            ).fetchall()
        names = ("sequence", "kind", "happened_at", "actor_id", "actor_person", "reason_code", "details")
        return [dict(zip(names, row, strict=True)) for row in rows]

    @invariant()
    def rows_events_and_log_agree(self):
        for issue_id in self.ids:
            log = self.read_log(issue_id)
            with transaction(self.pool) as connection:
                stands = hold(lock_issues(connection, [issue_id])).before[issue_id]
                told: list[Any] = connection.execute(
                    "SELECT sequence, event_type, payload FROM outbox WHERE aggregate_id = %s ORDER BY sequence",
                    [issue_id],
                ).fetchall()
            assert [sequence for sequence, _, _ in told] == list(range(1, stands.sequence + 1))
            told = [one for one in told if one[1] != DeadlinesMoved.type]  # follow from steps and are none
            assert [sequence for sequence, _, _ in told] == [row["sequence"] for row in log]
            replies = [record.reply for record in list_steps(self.pool, issue_id)]
            issue = self.first(stands, log[0])
            for row, reply, (_, event_type, payload) in zip(log[1:], replies[1:], told[1:], strict=True):
                step = _step(row, reply)
                assert issue.status in TABLE[step.kind].allowed_in, "the documented table forbids this"
                event = event_of(issue_id, step)
                deadlines = Deadlines.model_fields if event_type == IssueClosed.type else ()
                said = {name: value for name, value in payload.items() if name not in deadlines}
                assert (event.type, event.model_dump(mode="json", exclude_none=True)) == (event_type, said)
                issue = take(issue, [step])
            assert replace(issue, sequence=stands.sequence, due_at=stands.due_at) == stands

    def first(self, stands: Issue, received: dict[str, Any]) -> Issue:
        """What the issue was received with; of the later issue only what no step ever changes."""
        unit = _uuid(received["details"].get("organisation_id"))
        return Issue(
            id=stands.id, source=stands.source, source_number=None, received_at=NOW, due_at=NOW + timedelta(days=5),
            organisation_id=unit, first_organisation_id=unit, assigned_at=None if unit is None else NOW, sequence=1,
            flags=[], content_hash=stands.content_hash, progress_hash=stands.progress_hash,
        )  # fmt: skip


def _uuid(text: str | None) -> UUID | None:
    return None if text is None else UUID(text)


def _step(row: dict[str, Any], reply: str | None) -> Step:
    details = dict(row["details"])
    for name in IDS:
        if name in details:
            details[name] = UUID(details[name])
    if "assisting" in details:
        details["assisting"] = tuple(UUID(text) for text in details["assisting"])
    if "due_at" in details:
        details["due_at"] = datetime.fromisoformat(details["due_at"])
    return Step(
        kind=row["kind"],
        happened_at=row["happened_at"],
        reason_code=row["reason_code"],
        details=Details(**details),
        actor=Actor(account_id=row["actor_id"], person_id=row["actor_person"]),
        reply=reply,
    )


def test_the_log_the_events_and_the_rows_tell_one_story(registered):
    class Here(Handled):
        pool = registered

    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=12,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
        ),
    )
