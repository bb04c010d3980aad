"""What a load is going to ask, made from a seed: stories of contacts, issues and ratings, with repeats and disorder."""

import random
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.harness.journal import Kind

CONTACT_KINDS = ("visit", "reception", "field_stay", "discussion_meeting", "online")
OUTCOMES = ("resolved", "resolved", "resolved", "explained_policy", "not_accepted", "withdrawn")
EXPLAINED = frozenset({"explained_policy", "not_accepted"})  # these say why
STEPS = frozenset({"assignment", "response", "closure"})
YEAR_BEGINS = datetime(2025, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One request. `may_be_early`: it is sent before what it builds on may exist, and may be refused for good."""

    kind: Kind
    path: str
    body: dict[str, Any]
    key: str
    reference: str | None
    may_be_early: bool = False
    method: str = "POST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How much of a load is out of the ordinary, and on whom it falls."""

    organisations: Sequence[str]
    cadres: Sequence[str]
    repeats: float = 0.05
    disorder: float = 0.05
    nameless: float = 0.1  # without an id of the client's own: the key alone makes a repeat harmless


@dataclass(slots=True)
class Plan:
    """One list of operations a thread."""

    queues: list[list[Operation]]
    records: int = 0
    operations: int = 0


@dataclass(slots=True)
class _Writer:
    rng: random.Random
    shape: Shape
    run: str
    made: int = field(default=0)

    def id(self) -> str:
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def key(self) -> str:
        self.made += 1
        return f"{self.run}-{self.made}-{self.rng.getrandbits(32):08x}"

    def instant(self, after: datetime = YEAR_BEGINS, *, within: timedelta = timedelta(days=360)) -> datetime:
        return after + timedelta(seconds=self.rng.randrange(int(within.total_seconds())))

    def story(self) -> tuple[int, list[Operation]]:
        """How many records it makes, and its operations in their natural order."""
        chance = self.rng.random()
        if chance < 0.45:
            return 1, [self.contact(nameless=self.rng.random() < self.shape.nameless)]
        if chance < 0.6:
            contact = self.contact(nameless=False)
            return 2, [contact, self.rating(contact_id=contact.reference)]
        return self.issue_story()

    def contact(self, *, nameless: bool) -> Operation:
        identifier = None if nameless else self.id()
        body = {
            "staff_number": self.rng.choice(self.shape.cadres),
            "kind": self.rng.choice(CONTACT_KINDS),
            "occurred_at": self.instant().isoformat(),
            "duration_minutes": self.rng.randrange(10, 240),
        }
        if self.rng.random() < 0.8:
            body["organisation_code"] = self.rng.choice(self.shape.organisations)
        if identifier is not None:
            body["id"] = identifier
        return Operation(kind="contact", path="/v1/contacts", body=body, key=self.key(), reference=identifier)

    def rating(self, **rated: str | None) -> Operation:
        identifier = self.id()
        body = {"id": identifier, "level": self.rng.randint(1, 5), "method": "callback", **rated}
        body["rated_at"] = self.instant(datetime(2025, 12, 1, tzinfo=UTC), within=timedelta(days=30)).isoformat()
        if "issue_id" in rated:
            body["solved"] = self.rng.random() < 0.85
        return Operation(kind="rating", path="/v1/ratings", body=body, key=self.key(), reference=identifier)

    def issue_story(self) -> tuple[int, list[Operation]]:
        identifier = self.id()
        received = self.instant(within=timedelta(days=300))
        responsible = {
            "organisation_code": self.rng.choice(self.shape.organisations),
            "staff_number": self.rng.choice(self.shape.cadres),
        }
        body = {
            "id": identifier,
            "type": self.rng.choice(("enquiry", "help", "complaint", "suggestion")),
            "category": self.rng.choice(("roads", "water", "pensions", "farmland")),
            "channel": "phone",
            "title": "路灯不亮",
            "received_at": received.isoformat(),
            "due_at": (received + timedelta(days=15)).isoformat(),
        }
        assigned_at_once = self.rng.random() < 0.3
        operations = [
            Operation(
                kind="issue",
                path="/v1/issues",
                body=body | (responsible if assigned_at_once else {}),
                key=self.key(),
                reference=identifier,
            )
        ]
        if not assigned_at_once:
            operations.append(self._step("assignment", "assignments", identifier, responsible))
        if self.rng.random() < 0.7:
            responded = {"responded_at": self.instant(received, within=timedelta(days=2)).isoformat()}
            operations.append(self._step("response", "responses", identifier, responded))
        if self.rng.random() < 0.75:
            closed = self.instant(received + timedelta(days=2), within=timedelta(days=25))
            outcome = self.rng.choice(OUTCOMES)
            closure = {
                "outcome": outcome,
                **({"reason_code": "other"} if outcome in EXPLAINED else {}),
                "reply": "已更换灯泡，请您查看。",
                "closed_at": closed.isoformat(),
            }
            operations.append(self._step("closure", "closure", identifier, closure))
            if self.rng.random() < 0.5:
                operations.append(self.rating(issue_id=identifier))
        return 1 + (operations[-1].kind == "rating"), operations

    def _step(self, kind: Kind, place: str, issue_id: str, body: dict[str, Any]) -> Operation:
        return Operation(
            kind=kind, path=f"/v1/issues/{issue_id}/{place}", body=body, key=self.key(), reference=issue_id
        )


def make_plan(*, seed: int, records: int, threads: int, shape: Shape) -> Plan:
    """At least so many records, the same ones for the same seed, with repeats on other threads and some disorder."""
    rng = random.Random(seed)  # noqa: S311 - the same load for the same seed
    writer = _Writer(rng=rng, shape=shape, run=f"s{seed}")
    plan = Plan(queues=[[] for _ in range(threads)])
    number = 0
    while plan.records < records:
        made, operations = writer.story()
        plan.records += made
        if len(operations) > 1 and rng.random() < shape.disorder:
            # The record comes after what builds on it: those are refused at first, and some of them for good.
            operations = [*(replace(each, may_be_early=True) for each in operations[1:]), operations[0]]
        plan.queues[number % threads].extend(operations)
        number += 1
    repeats = list(_repeats(plan, rng, shape.repeats))
    # A repeat may overtake: an issue that one client has closed already takes no more steps from another.
    overtaken = {each.reference for each in repeats if each.kind in STEPS}
    plan.queues = [
        [replace(each, may_be_early=True) if each.reference in overtaken else each for each in queue]
        for queue in plan.queues
    ]
    for repeated in repeats:
        plan.queues[rng.randrange(threads)].append(repeated)
    plan.operations = sum(map(len, plan.queues))
    return plan


def _repeats(plan: Plan, rng: random.Random, share: float) -> Iterator[Operation]:
    for queue in plan.queues:
        for operation in queue:
            if rng.random() < share:
                yield replace(operation, may_be_early=True)
