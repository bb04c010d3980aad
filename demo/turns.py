"""What went otherwise of late: issues opened again, redone, handed on or sent back, and citizens who were called.

A file tells of an issue forward only. So these steps go through the doors by which people take them, as of today, and
are about what was closed in the last days or is still open.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from demo import chance
from demo.county import Years
from demo.issues import Issue
from demo.people import Post
from demo.present import Ask, Unwilling

REOPENED_SHARE, REDONE_SHARE = 0.06, 0.02  # of what was closed in the last days
OF_LATE = timedelta(days=12)  # within the time in which an issue may be opened again
HANDED_ON, SENT_BACK = 8, 3
PAGE = 200
# Done already by an earlier start, or too late for it by now.
NO_MORE: Final = frozenset({404, 409, 422})
REOPENINGS: Final[Mapping[tuple[str, str], tuple[str, float]]] = {
    ("not_solved", "citizen"): ("诉求人来电表示问题没有解决。", 5.0),
    ("came_back", "citizen"): ("诉求人反映问题再次出现。", 3.0),
    ("wrongly_closed", "clerk"): ("抽查发现尚未办完即办结。", 1.0),
}
REDOS: Final[Mapping[str, tuple[str, float]]] = {
    "partly_solved": ("只解决了一部分。", 3.0),
    "citizen_not_contacted": ("没有联系诉求人。", 2.0),
    "failed_audit": ("抽查不合格。", 1.0),
}
CALLS: Final[tuple[Mapping[str, Any], ...]] = (
    {"result": "reached_rated", "level": 5, "solved": True},
    {"result": "reached_rated", "level": 4, "solved": True},
    {"result": "reached_rated", "level": 2, "solved": False},
    {"result": "reached_declined"},
    {"result": "not_reached"},
)
DENIED: Final[Mapping[str, Any]] = {"result": "reached_no_such_matter"}
DENIALS = 2  # from so many on what nobody else has looked at waits


@dataclass(frozen=True, slots=True, kw_only=True)
class Callers:
    """The importer and the clerk take steps of issues, and the officer calls citizens."""

    importer: Ask
    clerk: Ask
    officer: Ask


class Turns:
    def __init__(self, callers: Callers, years: Years, random: Random) -> None:
        self._callers = callers
        self._years = years
        self._random = random
        county = years.county
        # The township of each village.
        self._parents = {village.code: code for code, villages in county.villages.items() for village in villages}
        called = (rating.issue for rating in years.ratings if rating.method == "callback")
        self._called = {issue.source_number for issue in called if issue is not None}
        held = Counter(_holder(issue) for issue in years.issues)
        # Of these cadres one page tells everything.
        self._within_reach = {cadre for cadre, count in held.items() if count < PAGE}
        self._pages: dict[str, list[dict[str, Any]]] = {}

    def take(self) -> Counter[str]:
        """Return how many of each step were taken. Raises Unwilling, httpx.TransportError."""
        taken = Counter[str]()
        closed = self._list_closed()
        count = len(closed)
        reopened, redone = round(REOPENED_SHARE * count), round(REDONE_SHARE * count)
        drawn = chance.shuffled(self._random, closed)
        for issue in drawn[:reopened]:
            taken["reopened"] += self._reopen(issue)
        for issue in drawn[reopened : reopened + redone]:
            taken["redone"] += self._order_redo(issue)
        taken += self._hand_on(chance.shuffled(self._random, self._list_open()))
        uncalled = [
            issue for issue in drawn[reopened + redone :] if issue.citizen and issue.source_number not in self._called
        ]
        for issue, result in zip(uncalled, CALLS, strict=False):
            taken["called"] += self._call(issue, result)
        for issue in self._list_made_up()[:DENIALS]:
            taken["denied"] += self._call(issue, DENIED)
        return taken

    def _list_closed(self) -> list[Issue]:
        since = self._years.timeline.end - OF_LATE
        return [
            issue
            for issue in self._years.issues
            if issue.course.closed_at is not None
            and issue.course.closed_at > since
            and issue.course.outcome in ("resolved", "explained_policy")
            and _holder(issue) in self._within_reach
            and _holder(issue) not in {post.staff_number for post in self._years.tricksters}
        ]

    def _list_open(self) -> list[Issue]:
        since = self._years.timeline.end - OF_LATE
        return [
            issue
            for issue in self._years.issues
            if issue.course.closed_at is None
            and issue.arrival.received_at > since
            and not issue.subject_staff_number
            and issue.assignment.organisation.code in self._parents
            and _holder(issue) in self._within_reach
        ]

    def _list_made_up(self) -> list[Issue]:
        """The latest ones, that it may well remember; nobody has called about them yet."""
        who = self._years.tricksters.makes_up
        own = [
            issue
            for issue in self._years.issues
            if who is not None
            and _holder(issue) == who.staff_number
            and issue.course.outcome == "resolved"
            and issue.citizen is not None
            and issue.source_number not in self._called
        ]
        return own[::-1]

    def _reopen(self, issue: Issue) -> bool:
        reason, asked_by = chance.pick(self._random, {key: weight for key, (_, weight) in REOPENINGS.items()})
        note = REOPENINGS[reason, asked_by][0]
        return self._step(issue, "reopening", {"reason_code": reason, "asked_by": asked_by, "note": note})

    def _order_redo(self, issue: Issue) -> bool:
        reason = chance.pick(self._random, {key: weight for key, (_, weight) in REDOS.items()})
        return self._step(issue, "redos", {"reason_code": reason, "note": REDOS[reason][0]})

    def _hand_on(self, issues: Sequence[Issue]) -> Counter[str]:
        """From a village to its township, which sends some of it back."""
        taken = Counter[str]()
        for number, issue in enumerate(issues[:HANDED_ON]):
            township = self._parents[issue.assignment.organisation.code]
            deputy = next(post for post in self._years.roster.posts if _is_deputy_of(post, township))
            body = {"organisation_code": township, "staff_number": deputy.staff_number, "note": "需乡镇统筹解决。"}
            taken["handed on"] += self._step(issue, "assignments", body)
            if number < SENT_BACK:
                back = {"reason_code": "not_our_duty", "note": "属村级职责，退回办理。"}
                taken["sent back"] += self._step(issue, "return", back, ask=self._callers.clerk)
        return taken

    def _step(self, issue: Issue, step: str, body: Mapping[str, Any], *, ask: Ask | None = None) -> bool:
        issue_id = self._find(issue)
        return issue_id is not None and _post(ask or self._callers.importer, f"/v1/issues/{issue_id}/{step}", body)

    def _call(self, issue: Issue, result: Mapping[str, Any]) -> bool:
        issue_id = self._find(issue)
        call = {"id": str(uuid5(NAMESPACE_URL, f"call {issue.source_number}")), **result}
        return issue_id is not None and _post(self._callers.officer, f"/v1/issues/{issue_id}/callback-attempts", call)

    def _find(self, issue: Issue) -> str | None:
        """By its cadre and when it came in: intake names it by an id of its own."""
        cadre = _holder(issue)
        if cadre not in self._pages:
            path = f"/v1/issues?staff_number={cadre}&limit={PAGE}"
            answer = self._callers.importer("GET", path)
            if not answer.is_success:
                raise Unwilling(f"GET {path} was answered {answer.status_code}: {answer.text[:300]}")
            self._pages[cadre] = answer.json()["items"]
        received_at = issue.arrival.received_at
        found = (item["id"] for item in self._pages[cadre] if _instant(item["received_at"]) == received_at)
        return next(found, None)


def _holder(issue: Issue) -> str:
    return issue.assignment.cadre.staff_number


def _is_deputy_of(post: Post, township: str) -> bool:
    return post.kind == "township_deputy" and post.organisation.code == township and post.until_on is None


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _post(ask: Ask, path: str, body: Mapping[str, Any]) -> bool:
    answer = ask("POST", path, json=body)
    if not answer.is_success and answer.status_code not in NO_MORE:
        raise Unwilling(f"POST {path} was answered {answer.status_code}: {answer.text[:300]}")
    return bool(answer.is_success)
