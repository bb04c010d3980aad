"""What citizens are told by messages: which of them, when, and in which words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from shared.errors import Conflict, NotFound

Kind = Literal["received", "answered"]
State = Literal["due", "claimed", "sent", "failed", "expired", "withdrawn"]
Language = Literal["zh", "en"]
Skipped = Literal["old", "elsewhere", "moved_on", "no_phone", "not_wanted", "too_many"]

OWN_SOURCE: Final = "lianxin"  # whoever told another system hears from that one


class UnknownMessage(NotFound):
    code = "unknown-message"


class NotReplayable(Conflict):
    """It is under way or arrived, is not wanted, or what it said is not kept any more."""

    code = "not-replayable"


class NobodyToTell(Conflict):
    """The issue names no citizen, or one whose data are restricted or gone."""

    code = "nobody-to-tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """`linked` is used where there is an address to rate by."""

    plain: str
    linked: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TellingRules:
    wordings: Mapping[Kind, Wording]
    valid_for: timedelta
    quiet_from: time
    quiet_until: time
    most_a_day: int
    asked_first: frozenset[str]
    zone: ZoneInfo
    language: Language = "zh"
    rating_url: str | None = None

    def is_quiet(self, now: datetime) -> bool:
        """Quiet hours may go over midnight."""
        wall = now.astimezone(self.zone).time()
        if self.quiet_from <= self.quiet_until:
            return self.quiet_from <= wall < self.quiet_until
        return wall >= self.quiet_from or wall < self.quiet_until


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """An issue as far as it says whether its citizen is told of it. `wish`: what the citizen said, if anybody asked."""

    issue_id: UUID
    type: str
    source: str
    received_at: datetime
    closed_at: datetime | None
    outcome: str | None
    citizen_ref: UUID | None
    has_phone: bool
    wish: bool | None
    told_today: int
    may_rate: bool


def why_not(matter: Matter, kind: Kind, rules: TellingRules) -> Skipped | None:
    """None: the citizen is told."""
    if matter.source != OWN_SOURCE:
        return "elsewhere"
    if kind == "answered" and (matter.closed_at is None or matter.outcome in {"merged", "withdrawn"}):
        return "moved_on"
    if matter.citizen_ref is None or not matter.has_phone:
        return "no_phone"
    if matter.wish is False or (matter.wish is None and matter.type in rules.asked_first):
        return "not_wanted"
    return "too_many" if matter.told_today >= rules.most_a_day else None


def word(kind: Kind, rules: TellingRules, *, received_at: datetime, link: str | None) -> str:
    wording = rules.wordings[kind]
    day = received_at.astimezone(rules.zone).date()
    date = f"{day.month}月{day.day}日" if rules.language == "zh" else day.isoformat()
    if link is not None and wording.linked is not None:
        return wording.linked.format(date=date, link=link)
    return wording.plain.format(date=date)
