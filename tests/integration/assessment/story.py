"""Events as intake would send them: a small builder, and a random county to shuffle."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from services.assessment.domain.measures import NOBODY
from shared.contracts.base import Event
from shared.contracts.envelope import Envelope, decode, encode
from shared.contracts.intake.categories import CategoryDefined
from shared.contracts.intake.channels import ReachabilityChecked
from shared.contracts.intake.contacts import ContactAmended, ContactRecorded, ContactVoided
from shared.contracts.intake.deadlines import DeadlinesMoved
from shared.contracts.intake.duties import DutyDefined
from shared.contracts.intake.issue_endings import IssueMerged, IssueReopened, IssueReplied, RedoOrdered
from shared.contracts.intake.issue_requests import ExclusionDecided, ExtensionDecided
from shared.contracts.intake.issues import Channel, IssueAssigned, IssueClosed, IssueReceived, IssueResponded
from shared.contracts.intake.participation import (
    ReceptionDayCancelled,
    ReceptionDayHeld,
    ReceptionDayOffered,
    SuggestionDecided,
)
from shared.contracts.intake.populations import PlacePopulationRecorded
from shared.contracts.intake.ratings import (
    CallOrigin,
    Denial,
    DenialOverruled,
    MatterDenied,
    RatingAmended,
    RatingInvited,
    RatingMethod,
    RatingQuarantined,
    RatingReviewed,
    RatingSubmitted,
)
from shared.contracts.intake.registers import CadreRegistered, OrganisationRegistered, PostRecorded
from shared.contracts.intake.responsibility import ResponsibilityShared

START = datetime(2025, 1, 1, tzinfo=UTC)
OUTCOMES = ("resolved", "resolved", "resolved", "explained_policy", "not_accepted", "withdrawn", "merged")
KINDS = ("visit", "reception", "field_study")


@dataclass
class Story:
    """Each event gets the next sequence of its aggregate and passes through the real envelope."""

    correlation_id: str = "story-correlation"
    envelopes: list[Envelope] = field(default_factory=list)
    root: UUID = NOBODY  # what a test wants to find again
    town: UUID = NOBODY
    cadre_id: UUID = NOBODY
    _made: int = 0
    _sequences: dict[UUID, int] = field(default_factory=dict)
    _contacts: dict[UUID, dict[str, Any]] = field(default_factory=dict)

    def id(self) -> UUID:
        self._made += 1
        return UUID(int=0x7000 << 64 | self._made)

    def tell(self, event: Event) -> UUID:
        sequence = self._sequences.get(event.aggregate_id, 0) + 1
        self._sequences[event.aggregate_id] = sequence
        body = encode(
            event_id=self.id(),
            event_type=event.type,
            source="/lianxin/intake",
            subject=f"{event.aggregate}/{event.aggregate_id}",
            sequence=sequence,
            recorded_at=START,
            correlation_id=self.correlation_id,
            data=event.model_dump(mode="json", exclude_none=True),
        )
        self.envelopes.append(decode(body))
        return event.aggregate_id

    def take(self) -> list[Envelope]:
        told, self.envelopes = self.envelopes, []
        return told

    def organisation(self, code: str, parent_id: UUID | None = None, organisation_id: UUID | None = None) -> UUID:
        return self.tell(
            OrganisationRegistered(
                organisation_id=organisation_id or self.id(),
                code=code,
                name=f"单位{code}",
                level="60",
                parent_id=parent_id,
            )
        )

    def cadre(self, staff_number: str, cadre_id: UUID | None = None) -> UUID:
        return self.tell(
            CadreRegistered(cadre_id=cadre_id or self.id(), staff_number=staff_number, name=f"干部{staff_number}")
        )

    def post(
        self,
        cadre_id: UUID,
        organisation_id: UUID,
        from_on: date = date(2025, 1, 1),
        until_on: date | None = None,
        *,
        post_kind: str = "township_head",
        post_id: UUID | None = None,
    ) -> UUID:
        return self.tell(
            PostRecorded(
                post_id=post_id or self.id(),
                cadre_id=cadre_id,
                organisation_id=organisation_id,
                post_kind=post_kind,
                post_level="141",
                from_on=from_on,
                until_on=until_on,
            )
        )

    def duty(self, contact_kind="visit", required=4, per="month", post_kind="township_head", duty_id=None) -> UUID:
        return self.tell(
            DutyDefined(
                duty_id=duty_id or self.id(),
                post_kind=post_kind,
                contact_kind=contact_kind,
                required_count=required,
                per=per,
                valid_from=date(2025, 1, 1),
            )
        )

    def contact(self, cadre_id: UUID, at: datetime, kind="visit", organisation_id: UUID | None = None) -> UUID:
        recorded = ContactRecorded(
            contact_id=self.id(),
            cadre_id=cadre_id,
            organisation_id=organisation_id,
            kind=kind,
            occurred_at=at,
            recorded_at=at,
        )
        self._contacts[recorded.contact_id] = dict(recorded)
        return self.tell(recorded)

    def amend_contact(self, contact_id: UUID, **changes: Any) -> None:
        self._contacts[contact_id] |= changes
        self.tell(ContactAmended(**self._contacts[contact_id], amended_at=START, reason_code="mistyped"))

    def void_contact(self, contact_id: UUID) -> None:
        self.tell(ContactVoided(**self._contacts[contact_id], voided_at=START, reason_code="duplicate"))

    def issue(
        self,
        organisation_id: UUID | None,
        cadre_id: UUID | None,
        received_at: datetime,
        *,
        due_at: datetime | None = None,
        respond_by: datetime | None = None,
        citizen_ref: UUID | None = None,
        channel: Channel = "phone",
    ) -> UUID:
        return self.tell(
            IssueReceived(
                issue_id=self.id(),
                issue_type="complaint",
                category="roads",
                channel=channel,
                source="test",
                received_at=received_at,
                respond_by=respond_by,
                due_at=due_at,
                organisation_id=organisation_id,
                cadre_id=cadre_id,
                citizen_ref=citizen_ref,
            )
        )

    def assign(self, issue_id: UUID, organisation_id: UUID, cadre_id: UUID | None) -> None:
        self.tell(
            IssueAssigned(issue_id=issue_id, organisation_id=organisation_id, cadre_id=cadre_id, assigned_at=START)
        )

    def respond(self, issue_id: UUID, at: datetime, recorded_at: datetime | None = None) -> None:
        self.tell(IssueResponded(issue_id=issue_id, responded_at=at, recorded_at=recorded_at))

    def close(
        self,
        issue_id: UUID,
        at: datetime,
        outcome="resolved",
        reply_characters: int | None = None,
        recorded_at: datetime | None = None,
    ) -> None:
        closed = IssueClosed(
            issue_id=issue_id,
            closed_at=at,
            outcome=outcome,
            reply_characters=reply_characters,
            recorded_at=recorded_at,
        )
        self.tell(closed)

    def merge(self, issue_id: UUID, merged_into: UUID, at: datetime) -> None:
        self.tell(IssueMerged(issue_id=issue_id, merged_into=merged_into, merged_at=at))
        self.close(issue_id, at, "merged")

    def reopen(self, issue_id: UUID, at: datetime) -> None:
        self.tell(IssueReopened(issue_id=issue_id, reopened_at=at, reason_code="not_solved", asked_by="citizen"))

    def redo(self, issue_id: UUID, at: datetime) -> None:
        self.tell(RedoOrdered(issue_id=issue_id, ordered_at=at, reason_code="not_solved", redo_count=1))

    def extend(self, issue_id: UUID, at: datetime, due_at: datetime | None) -> None:
        self.tell(ExtensionDecided(issue_id=issue_id, decided_at=at, granted=due_at is not None, due_at=due_at))

    def move_deadlines(self, issue_id: UUID, **deadlines: datetime | None) -> None:
        self.tell(DeadlinesMoved.model_validate({"issue_id": issue_id, "moved_at": START, **deadlines}))

    def share(
        self,
        issue_id: UUID,
        slices: Sequence[tuple[UUID, UUID | None, int]],
        *,
        role: Literal["lead", "assisting"] = "lead",
        is_final: bool = False,
        tells_slices: bool = True,
    ) -> None:
        """Each slice a day, of one organisation and cadre."""
        holders = list(dict.fromkeys((organisation_id, cadre_id) for organisation_id, cadre_id, _ in slices))
        totals = [sum(count for *held, count in slices if tuple(held) == holder) for holder in holders]
        days = [START + timedelta(days=day) for day in range(len(slices) + 1)]
        told: dict[str, Any] = {
            "slice_places": [holders.index((organisation_id, cadre_id)) for organisation_id, cadre_id, _ in slices],
            "slice_from_ats": days[:-1],
            "slice_until_ats": days[1:],
            "slice_millionths": [count for *_, count in slices],
        }
        shared = ResponsibilityShared(
            ledger_id=UUID(int=issue_id.int | 1 << 120),
            issue_id=issue_id,
            shared_at=START,
            until_at=days[-1],
            is_final=is_final,
            rule_version=1,
            organisation_ids=[organisation_id for organisation_id, _ in holders],
            cadre_ids=[cadre_id for _, cadre_id in holders],
            roles=[role for _ in holders],
            millionths=totals,
            **(told if tells_slices else {}),
        )
        self.tell(shared)

    def exclude(self, issue_id: UUID, effect: Literal["all", "rating"] | None) -> None:
        decided = ExclusionDecided(issue_id=issue_id, decided_at=START, excluded=effect is not None, effect=effect)
        self.tell(decided)

    def rate(
        self,
        at: datetime,
        level: int,
        *,
        issue_id=None,
        contact_id=None,
        solved: bool | None = None,
        rater_ref: UUID | None = None,
        attitude: int | None = None,
        speed: int | None = None,
        method: RatingMethod = "link",
        call_origin: CallOrigin | None = None,
    ) -> UUID:
        return self.tell(
            RatingSubmitted(
                rating_id=self.id(),
                issue_id=issue_id,
                contact_id=contact_id,
                level=level,
                solved=solved,
                attitude=attitude,
                speed=speed,
                method=method,
                rated_at=at,
                rater_ref=rater_ref,
                call_origin=call_origin,
            )
        )

    def amend(self, rating_id: UUID, level: int, *, solved: bool | None = None) -> None:
        self.tell(RatingAmended(rating_id=rating_id, level=level, solved=solved, amended_at=START))

    def set_aside(self, rating_id: UUID) -> None:
        self.tell(RatingQuarantined(rating_id=rating_id, signals=["too_fast"], rules="default-1", quarantined_at=START))

    def review(self, rating_id: UUID, *, counts: bool) -> None:
        self.tell(RatingReviewed(rating_id=rating_id, counts=counts, reason_code="genuine", reviewed_at=START))

    def reply(self, issue_id: UUID, at: datetime) -> None:
        self.tell(IssueReplied(issue_id=issue_id, replied_at=at, means="phone"))

    def give_back(self, issue_id: UUID, organisation_id: UUID) -> None:
        self.tell(IssueAssigned(issue_id=issue_id, organisation_id=organisation_id, assigned_at=START, kind="return"))

    def decide(self, issue_id: UUID, at: datetime) -> None:
        decided = SuggestionDecided(
            suggestion_decision_id=self.id(), issue_id=issue_id, adoption="adopted", decided_at=at
        )
        self.tell(decided)

    def invite(self, at: datetime, *, issue_id: UUID | None = None, contact_id: UUID | None = None) -> None:
        invited = RatingInvited(
            invitation_id=self.id(), issue_id=issue_id, contact_id=contact_id, method="link", invited_at=at
        )
        self.tell(invited)

    def call(self, at: datetime, *, issue_id: UUID | None = None, contact_id: UUID | None = None) -> UUID:
        """The citizen was reached by a call back; the invitation that it was."""
        about = {"issue_id": issue_id, "contact_id": contact_id}
        return self.tell(RatingInvited(invitation_id=self.id(), method="callback", invited_at=at, **about))

    def deny_contact(self, contact_id: UUID, at: datetime, denial: Denial = "no_such_matter") -> UUID:
        invitation_id = self.call(at, contact_id=contact_id)
        denied = {"invitation_id": invitation_id, "contact_id": contact_id, "denied_at": at}
        self.tell(MatterDenied(denial=denial, **denied))
        return invitation_id

    def deny(self, invitation_id: UUID, issue_id: UUID, at: datetime, denial: Denial = "no_such_matter") -> None:
        self.tell(MatterDenied(invitation_id=invitation_id, issue_id=issue_id, denial=denial, denied_at=at))

    def overrule(self, invitation_id: UUID, issue_id: UUID, at: datetime) -> None:
        self.tell(DenialOverruled(invitation_id=invitation_id, issue_id=issue_id, overruled_at=at))

    def overrule_contact(self, invitation_id: UUID, contact_id: UUID, at: datetime) -> None:
        self.tell(DenialOverruled(invitation_id=invitation_id, contact_id=contact_id, overruled_at=at))

    def offer(self, organisation_id: UUID, cadre_id: UUID, at: datetime) -> UUID:
        day = {"organisation_id": organisation_id, "cadre_id": cadre_id, "from_at": at}
        return self.tell(
            ReceptionDayOffered(reception_day_id=self.id(), until_at=at + timedelta(hours=3), slot_count=6, **day)
        )

    def hold(self, reception_day_id: UUID, organisation_id: UUID, cadre_id: UUID, at: datetime) -> None:
        self.tell(
            ReceptionDayHeld(
                reception_day_id=reception_day_id,
                organisation_id=organisation_id,
                cadre_id=cadre_id,
                from_at=at,
                visitor_count=3,
            )
        )

    def cancel(self, reception_day_id: UUID) -> None:
        self.tell(
            ReceptionDayCancelled(
                reception_day_id=reception_day_id, cancelled_at=START, reason_code="ill", booked_count=0
            )
        )

    def check_channel(self, organisation_id: UUID, at: datetime, *, is_reached: bool) -> None:
        self.tell(
            ReachabilityChecked(
                reachability_check_id=self.id(),
                published_channel_id=self.id(),
                organisation_id=organisation_id,
                kind="phone",
                checked_at=at,
                is_reached=is_reached,
            )
        )

    def count_people(
        self, organisation_id: UUID, place_code: str, group: str | None, people: int, households: int | None = None
    ) -> None:
        self.tell(
            PlacePopulationRecorded(
                place_population_id=self.id(),
                organisation_id=organisation_id,
                place_code=place_code,
                population_group=group,
                counted_on=date(2024, 12, 31),
                people_count=people,
                household_count=households,
            )
        )

    def category(
        self,
        code: str,
        name: str,
        organisation_id: UUID | None = None,
        *,
        from_on: date | None = None,
        category_id: UUID | None = None,
    ) -> UUID:
        return self.tell(
            CategoryDefined(
                category_id=category_id or self.id(),
                code=code,
                name=name,
                organisation_id=organisation_id,
                from_on=from_on,
            )
        )


def random_county(seed: int, *, issues: int = 60) -> list[Envelope]:
    """Organisations in three levels, transfers, reassignments, everything that may arrive in the wrong order."""
    draw = random.Random(seed)  # noqa: S311 - repeatable shuffles, not secrets
    story = Story()
    county = story.organisation("C")
    towns = [story.organisation(f"T{number}", county) for number in range(3)]
    villages = [story.organisation(f"V{number}", draw.choice(towns)) for number in range(4)]
    story.town = towns[0]
    units = [county, *towns, *villages]
    cadres = [story.cadre(f"S{number:03}") for number in range(6)]
    for kind, per in (("visit", "month"), ("reception", "quarter"), ("field_study", "year")):
        story.duty(kind, draw.randint(2, 6), per)
    for cadre_id in cadres:
        from_on = date(2025, draw.randint(1, 4), draw.randint(1, 28))
        moved_on = date(2025, draw.randint(5, 9), draw.randint(1, 28))
        first = story.post(cadre_id, draw.choice(units), from_on)
        if draw.random() < 0.5:  # transferred: the first post is ended, another begins
            story.post(cadre_id, draw.choice(units), from_on, moved_on, post_id=first)
            story.post(cadre_id, draw.choice(units), moved_on + timedelta(days=1))
    story.organisation("V0", towns[2], villages[0])  # moved in the tree
    contacts = [
        story.contact(draw.choice(cadres), _moment(draw), draw.choice(KINDS), draw.choice([None, *units]))
        for _ in range(issues)
    ]
    for contact_id in draw.sample(contacts, len(contacts) // 3):
        story.amend_contact(
            contact_id, occurred_at=_moment(draw), kind=draw.choice(KINDS), people_count=draw.randint(0, 9)
        )
    for contact_id in draw.sample(contacts, len(contacts) // 6):
        story.void_contact(contact_id)
    for _ in range(issues):
        _tell_issue(story, draw, units, cadres)
    for contact_id in draw.sample(contacts, 8):
        _look_at(story, draw, story.rate(_moment(draw), draw.randint(1, 5), contact_id=contact_id))
    _tell_occasions(story, draw, units, cadres, contacts)
    _tell_calls(story, random.Random(seed))  # noqa: S311 - apart, so that what was told before stays as it was
    roads = story.category("roads", "道路")
    story.category("roads", "道路交通", from_on=date(2025, 4, 1), category_id=roads)
    story.category("roads", "乡村道路", towns[0])
    return story.take()


def _tell_calls(story: Story, draw: random.Random) -> None:
    received = [one.event for one in story.envelopes if isinstance(one.event, IssueReceived)]
    for event in draw.sample(received, len(received) // 4):
        at = event.received_at + timedelta(days=draw.randint(20, 40))
        call = story.call(at, issue_id=event.issue_id)
        story.deny(call, event.issue_id, at, draw.choice(["no_such_matter", "no_such_matter", "did_not_ask"]))
        if draw.random() < 0.3:
            story.overrule(call, event.issue_id, at + timedelta(days=1))


def _tell_occasions(
    story: Story, draw: random.Random, units: list[UUID], cadres: list[UUID], contacts: list[UUID]
) -> None:
    for _ in range(6):
        unit, at = draw.choice(units), _moment(draw)
        day = story.offer(unit, draw.choice(cadres), at)
        for step in draw.choices(["nothing", "hold", "cancel"], k=2):
            if step == "hold":
                story.hold(day, unit, draw.choice(cadres), at)
            elif step == "cancel":
                story.cancel(day)
        story.check_channel(draw.choice(units), _moment(draw), is_reached=draw.random() < 0.7)
        story.count_people(draw.choice(units), f"place-{draw.randint(1, 4)}", draw.choice([None, "farmers"]), 40, 12)
        story.invite(_moment(draw), contact_id=draw.choice(contacts))


def _tell_issue(story: Story, draw: random.Random, units: list[UUID], cadres: list[UUID]) -> None:
    received_at = _moment(draw)
    due_at = received_at + timedelta(days=draw.randint(1, 40)) if draw.random() < 0.8 else None
    respond_by = received_at + timedelta(days=1) if draw.random() < 0.5 else None
    assigned = draw.random() < 0.7
    issue_id = story.issue(
        draw.choice(units) if assigned else None,
        draw.choice(cadres) if assigned else None,
        received_at,
        due_at=due_at,
        respond_by=respond_by,
    )
    for _ in range(draw.choice([0, 0, 1, 2])):
        story.assign(issue_id, draw.choice(units), draw.choice([None, *cadres]))
    if draw.random() < 0.5:
        responded_at = received_at + timedelta(hours=draw.randint(1, 72))
        story.respond(issue_id, responded_at, _afterwards(issue_id, responded_at))
    _tell_second_thoughts(story, draw, issue_id, received_at, due_at)
    _tell_shares(story, draw, issue_id, units, cadres)
    if draw.random() < 0.8:
        closed_at = received_at + timedelta(days=draw.randint(1, 60))
        outcome = draw.choice(OUTCOMES)
        story.close(issue_id, closed_at, outcome, recorded_at=_afterwards(issue_id, closed_at))
        for _ in range(draw.choice([0, 0, 1, 2])):
            solved = draw.choice([None, True, False])
            _look_at(story, draw, story.rate(_moment(draw), draw.randint(1, 5), issue_id=issue_id, solved=solved))


def _tell_second_thoughts(
    story: Story, draw: random.Random, issue_id: UUID, received_at: datetime, due_at: datetime | None
) -> None:
    """Closures taken back, deadlines moved, mergers, exclusions: each perhaps and more than once."""
    if due_at is not None and draw.random() < 0.3:
        story.extend(issue_id, received_at, draw.choice([None, due_at + timedelta(days=10)]))
    for _ in range(draw.choice([0, 0, 0, 1, 2])):
        story.close(issue_id, received_at + timedelta(days=draw.randint(1, 20)), draw.choice(OUTCOMES))
        draw.choice([story.reopen, story.redo])(issue_id, received_at + timedelta(days=20))
    own = random.Random(issue_id.int)  # noqa: S311 - of its own, so that all else is drawn as ever
    _tell_course(story, own, issue_id, received_at)
    if draw.random() < 0.2:
        story.merge(issue_id, story.id(), received_at + timedelta(days=21))
        if draw.random() < 0.7:
            story.reopen(issue_id, received_at + timedelta(days=22))
    for _ in range(draw.choice([0, 0, 0, 1, 2])):
        later = received_at + timedelta(days=draw.randint(1, 60))
        moved = {name: draw.choice([None, later]) for name in ("sign_by", "respond_by", "due_at", "reply_by")}
        story.move_deadlines(issue_id, **moved)
    for _ in range(draw.choice([0, 0, 0, 1, 2])):
        story.exclude(issue_id, draw.choice([None, "all", "rating"]))


def _tell_shares(story: Story, draw: random.Random, issue_id: UUID, units: list[UUID], cadres: list[UUID]) -> None:
    """Who answers for it, worked out more than once, as this release tells it or an older one."""
    for _ in range(draw.choice([0, 0, 0, 1, 2])):
        parts = draw.choice(([1_000_000], [400_000, 600_000], [100_000, 250_000, 650_000]))
        slices = [(draw.choice(units), draw.choice([None, *cadres]), part) for part in parts]
        story.share(issue_id, slices, is_final=draw.random() < 0.5, tells_slices=draw.random() < 0.8)


def _tell_course(story: Story, draw: random.Random, issue_id: UUID, received_at: datetime) -> None:
    if draw.random() < 0.3:
        story.give_back(issue_id, story.town)
    if draw.random() < 0.3:
        story.reply(issue_id, received_at + timedelta(days=draw.randint(1, 30)))
        story.reply(issue_id, received_at + timedelta(days=draw.randint(1, 30)))
    if draw.random() < 0.1:
        story.decide(issue_id, received_at + timedelta(days=3))
    if draw.random() < 0.2:
        story.invite(received_at + timedelta(days=22), issue_id=issue_id)
    if draw.random() < 0.2:
        story.respond(issue_id, received_at + timedelta(hours=1), received_at + timedelta(days=draw.randint(1, 4)))


def _afterwards(issue_id: UUID, at: datetime) -> datetime | None:
    """When a person recorded it, of two in three; drawn by nobody, so that all else is as ever."""
    return at + timedelta(hours=12 * (issue_id.int % 3)) if issue_id.int % 3 else None


def _look_at(story: Story, draw: random.Random, rating_id: UUID) -> None:
    """What becomes of a rating: amended, set aside, decided on, each perhaps and more than once."""
    for step in draw.choices(["nothing", "amend", "set aside", "keep", "remove"], k=3):
        if step == "amend":
            story.amend(rating_id, draw.randint(1, 5), solved=draw.choice([None, True, False]))
        elif step == "set aside":
            story.set_aside(rating_id)
        elif step != "nothing":
            story.review(rating_id, counts=step == "keep")


def _moment(draw: random.Random) -> datetime:
    return START + timedelta(minutes=draw.randrange(300 * 24 * 60))
