"""The life of an issue against a plain model of it: whatever is tried, in whatever order, by whomever."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, get_args
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.intake.domain.commands.base import Actor
from services.intake.domain.commands.issues import IssueOutcome
from services.intake.domain.issues import ending, leading, problems, reviewing, working
from services.intake.domain.issues.exclusions import EXCLUSIONS
from services.intake.domain.issues.life import Issue
from services.intake.domain.issues.rules import LifeRules
from services.intake.domain.issues.steps import take
from services.intake.domain.issues.table import TABLE
from services.intake.handlers.issue_steps.events import events_of
from shared.errors import Conflict, Rejected

BEGINNING = datetime(2026, 3, 2, tzinfo=UTC)
UNITS = [UUID(int=number) for number in range(1, 6)]
PEOPLE = [Actor(account_id=UUID(int=100 + number), person_id=f"p{number // 2}") for number in range(6)]
RULES = LifeRules()
units, people = st.sampled_from(UNITS), st.sampled_from(PEOPLE)
hours = st.integers(-24, 24 * 20)


class LifeOfAnIssue(RuleBasedStateMachine):
    """The model keeps what a clerk would note on paper: which steps were taken, and what follows from them by hand."""

    @initialize(unit=st.sampled_from([None, *UNITS]), due_in=st.sampled_from([None, 1, 10]))
    def receive(self, unit, due_in):
        self.now = BEGINNING
        self.issue: Any = Issue(
            id=UUID(int=9), source="lianxin", source_number=None, received_at=BEGINNING, organisation_id=unit,
            first_organisation_id=unit, assigned_at=None if unit is None else BEGINNING, sequence=1, flags=[],
            due_at=None if due_in is None else BEGINNING + timedelta(days=due_in), content_hash=b"", progress_hash=b"",
        )  # fmt: skip
        self.received = self.issue
        self.log: list[Any] = []
        self.model = {"state": "received" if unit is None else "assigned", "lead": unit, "redos": 0, "replied": False}
        self.known = {"signed": False, "contacted": False, "started": False, "paused": False}
        self.first_due = self.issue.due_at
        self.extended = 0
        self.asked: dict[str, Any] = {}

    def attempt(self, move, *kinds, **said):
        """Take a step or see it refused; return the steps taken. The table decides on the state before all else."""
        before = self.issue
        try:
            steps = move(before, **said)
        except (Conflict, Rejected):
            return ()
        for step in steps:
            assert step.kind in kinds
        if steps:
            documented = TABLE[steps[0].kind]
            assert self.model["state"] in documented.allowed_in, "the documented table forbids this"
            assert self.model["lead"] is not None or not documented.needs_lead
            steps += problems.surface_problem(take(before, steps), at=self.now)
        self.issue = take(before, steps)
        events = events_of(before, steps, "c")
        assert [event.sequence for event in events] == list(
            range(before.sequence + 1, before.sequence + 1 + len(steps))
        )
        assert all(event.event.aggregate_id == before.id for event in events)
        self.log += steps
        with suppress(Conflict, Rejected):
            assert move(self.issue, **said) == (), "a repeat takes no step"
        return steps

    def at(self, shift):
        return self.now + timedelta(hours=shift)

    @rule(passing=st.integers(1, 24 * 7))
    def time_passes(self, passing):
        self.now += timedelta(hours=passing)

    @rule(unit=units, actor=people)
    def assign(self, unit, actor):
        if self.attempt(leading.assign, "assigned", organisation_id=unit, cadre_id=None, at=self.now, actor=actor):
            self.moved_to(unit)

    @rule(actor=people)
    def hand_back(self, actor):
        said = {"reason_code": "other", "at": self.now, "rules": RULES, "note": None, "actor": actor}
        if steps := self.attempt(leading.hand_back, "assigned", **said):
            assert steps[0].details.organisation_id is not None
            self.moved_to(steps[0].details.organisation_id)

    def moved_to(self, unit):
        if unit != self.model["lead"]:
            self.known |= {"signed": False, "started": False, "paused": False}
            self.asked = {kind: by for kind, by in self.asked.items() if kind == "exclusion"}
        self.model["lead"] = unit

    @rule(shift=hours, actor=people)
    def sign(self, shift, actor):
        if self.attempt(leading.sign, "signed", at=self.at(shift), actor=actor):
            assert self.model["lead"] is not None
            self.known["signed"] = True

    @rule(shift=hours, actor=people)
    def contact(self, shift, actor):
        if self.attempt(working.respond, "contacted", responded_at=self.at(shift), actor=actor):
            assert not self.known["contacted"]
            self.known["contacted"] = True

    @rule(shift=hours, actor=people)
    def start(self, shift, actor):
        if self.attempt(working.start, "started", at=self.at(shift), actor=actor):
            self.known["started"] = True

    @rule(actor=people)
    def pause(self, actor):
        said = {"reason_code": "other", "at": self.now, "note": None, "actor": actor}
        if self.attempt(working.pause, "paused", **said):
            assert not self.known["paused"]
            self.known["paused"] = True

    @rule(actor=people)
    def resume(self, actor):
        if self.attempt(working.resume, "resumed", at=self.now, actor=actor):
            assert self.known["paused"]
            self.known["paused"] = False

    @rule(actor=people, days=st.integers(1, 40))
    def ask_for_time(self, actor, days):
        due_at = (self.issue.due_at or self.now) + timedelta(days=days)
        said = {"due_at": due_at, "reason_code": "other", "at": self.now, "rules": RULES, "note": None, "actor": actor}
        if self.attempt(working.request_extension, "extension_requested", **said):
            assert self.now <= self.issue.due_at
            assert days <= RULES.longest_extension.days
            self.asked["extension"] = actor

    @rule(actor=people, granted=st.booleans())
    def decide_on_time(self, actor, granted):
        said = {"granted": granted, "at": self.now, "note": None, "actor": actor}
        if self.attempt(working.decide_extension, "extension_decided", **said):
            self.decided_by("extension", actor)
            self.extended += granted

    @rule(actor=people)
    def object(self, actor):
        said = {"reason_code": "other", "at": self.now, "rules": RULES, "note": None, "actor": actor}
        if self.attempt(leading.raise_objection, "objection_raised", **said):
            self.asked["objection"] = actor

    @rule(actor=people, upheld=st.booleans())
    def decide_on_objection(self, actor, upheld):
        said = {"upheld": upheld, "at": self.now, "note": None, "actor": actor}
        if self.attempt(leading.decide_objection, "objection_decided", **said):
            self.decided_by("objection", actor)

    @rule(actor=people, preset=st.sampled_from(list(EXCLUSIONS.values())))
    def ask_for_exclusion(self, actor, preset):
        said = {"preset": preset, "at": self.now, "note": None, "actor": actor}
        if self.attempt(reviewing.request_exclusion, "exclusion_requested", **said):
            self.asked["exclusion"] = actor

    @rule(actor=people, preset=st.sampled_from([None, *EXCLUSIONS.values()]))
    def decide_on_exclusion(self, actor, preset):
        said = {"preset": preset, "at": self.now, "note": None, "actor": actor}
        if self.attempt(reviewing.decide_exclusion, "exclusion_decided", **said):
            self.decided_by("exclusion", actor)
            assert self.issue.excluded == (preset.effect if preset else None)

    def decided_by(self, kind, actor):
        asker = self.asked.pop(kind)
        assert asker.account_id != actor.account_id
        assert asker.person_id != actor.person_id

    @rule(actor=people, text=st.sampled_from(["已修好", "已解释"]))
    def reply(self, actor, text):
        if self.attempt(ending.reply, "replied", text=text, means="phone", at=self.now, actor=actor):
            self.model["replied"] = True

    @rule(
        actor=people,
        shift=hours,
        outcome=st.sampled_from(get_args(IssueOutcome)),
        text=st.sampled_from([None, "已修好"]),
        reason=st.sampled_from([None, "other"]),
    )
    def close(self, actor, shift, outcome, text, reason):
        closed_at = self.at(shift)
        said = {"outcome": outcome, "reply": text, "reason_code": reason, "closed_at": closed_at, "actor": actor}
        if self.attempt(ending.close, "closed", **said):
            assert text is not None or self.model["replied"], "nobody is left without an answer"
            assert outcome != "merged"
            assert reason is not None or outcome in {"resolved", "withdrawn"}
            self.closed()
            self.model["replied"] = True

    @rule(actor=people, is_open=st.booleans(), has_merged=st.booleans())
    def merge(self, actor, is_open, has_merged):
        other = Issue(
            id=UUID(int=10), source="lianxin", source_number=None, received_at=BEGINNING, sequence=1, flags=[],
            content_hash=b"", progress_hash=b"", closed_at=None if is_open else BEGINNING,
        )  # fmt: skip
        said = {"into": other, "has_merged": has_merged, "reply": "并案办理", "at": self.now, "actor": actor}
        if self.attempt(ending.merge, "merged", "closed", **said):
            assert is_open
            assert not has_merged
            self.closed()
            self.model["replied"] = True

    def closed(self):
        self.model["state"] = "closed"
        self.known["paused"] = False
        self.asked = {kind: by for kind, by in self.asked.items() if kind == "exclusion"}

    @rule(actor=people)
    def redo(self, actor):
        said = {"reason_code": "other", "at": self.now, "note": None, "actor": actor}
        if self.attempt(ending.order_redo, "redo_ordered", **said):
            self.model["redos"] += 1
            self.opened_again()

    @rule(actor=people, reason=st.sampled_from(["not_solved", "wrongly_merged"]))
    def reopen(self, actor, reason):
        closed_at = self.issue.closed_at
        said = {
            "reason_code": reason, "asked_by": "citizen", "at": self.now, "rules": RULES, "note": None, "actor": actor,
        }  # fmt: skip
        if self.attempt(ending.reopen, "reopened", **said):
            assert self.now - closed_at <= RULES.reopen_within
            self.opened_again()

    def opened_again(self):
        self.model |= {"state": None, "replied": False}

    @rule(actor=people, level=st.integers(1, 3))
    def escalate(self, actor, level):
        said = {"level": level, "reason_code": "other", "at": self.now, "actor": actor}
        self.attempt(reviewing.escalate, "escalated", **said)

    def expected_state(self):
        if self.model["state"] == "closed":
            return "closed"
        for mark, state in (("started", "in_progress"), ("contacted", "responded"), ("signed", "signed")):
            if self.known[mark]:
                return state
        return "received" if self.model["lead"] is None else "assigned"

    @invariant()
    def is_what_the_model_says(self):
        self.model["state"] = self.expected_state()
        assert self.issue.status == self.model["state"]
        assert self.issue.organisation_id == self.model["lead"]
        assert self.issue.redo_count == self.model["redos"]
        assert (self.issue.replied_at is not None) == self.model["replied"]
        assert (self.issue.paused_at is not None) == self.known["paused"]
        assert {kind for kind, ask in self.issue.asked.items() if ask.is_open} == self.asked.keys()

    @invariant()
    def is_the_fold_of_its_log(self):
        assert take(self.received, self.log) == self.issue
        assert self.issue.sequence == 1 + len(self.log)

    @invariant()
    def first_receiver_and_deadline_stay(self):
        first = next(
            (step.details.organisation_id for step in self.log if step.kind == "assigned"), self.issue.organisation_id
        )
        assert self.issue.first_organisation_id == (self.received.organisation_id or first)
        assert self.issue.extension_count == self.extended
        if self.extended == 0:
            assert self.issue.due_at == self.first_due

    @invariant()
    def a_closure_never_lies_before_what_was_opened_again(self):
        if self.issue.closed_at is not None and self.issue.reopened_at is not None:
            assert self.issue.closed_at >= self.issue.reopened_at

    @invariant()
    def a_problem_is_raised_once_it_is_one(self):
        raised = sum(step.kind == "problem_raised" for step in self.log)
        assert raised <= 1
        if self.issue.closed_at is None:
            assert (self.issue.problem_code is not None) or problems.find_problem(self.issue) is None


TestLifeOfAnIssue = LifeOfAnIssue.TestCase
TestLifeOfAnIssue.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
