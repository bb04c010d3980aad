"""A folder of record files as dossiers: docs/scoring-records.md says what each file and column means."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from services.assessment.fair.records import (
    DAY,
    MICRO,
    UNASSESSED,
    Cadre,
    Contact,
    Dossier,
    Handover,
    Issue,
    Rating,
    Span,
)
from services.assessment.fair.shares import Hold, share_by_time
from services.assessment.importing.records import cells
from services.assessment.importing.records.cells import quarter_ends
from services.assessment.importing.records.customs import find_customs, knows_persons
from services.assessment.importing.records.naming import name_apart
from services.assessment.importing.records.tables import REQUIRED, BadRecords, Columns, read_table, text

CADRES: Final[Columns] = {
    "cadre": (text, REQUIRED),
    "peer_group": (text, ""),
    "region": (text, ""),
    "unit": (text, ""),
    "deprivation": (cells.micro, 0),
}
ISSUES: Final[Columns] = {
    "issue": (text, REQUIRED),
    "cadre": (text, ""),
    "received_at": (cells.instant, REQUIRED),
    "category": (text, ""),
    "complexity": (text, ""),
    "channel": (text, ""),
    "complainant": (text, ""),
    "place": (text, ""),
    "answered_at": (cells.instant, None),
    "closed_at": (cells.instant, None),
    "answer_due_at": (cells.instant, None),
    "due_at": (cells.instant, None),
    "answer_allowed_hours": (cells.seconds, None),
    "allowed_hours": (cells.seconds, None),
    "outcome": (cells.outcome, ""),
    "reopened": (cells.yes_no, False),
    "denied": (cells.yes_no, False),
    "checked": (cells.yes_no, None),
    "reply": (cells.yes_no, None),
    "contact": (text, ""),
    "disowned": (cells.yes_no, False),
    "answer_recorded_at": (cells.instant, None),
    "closing_recorded_at": (cells.instant, None),
}
SHARES: Final[Columns] = {
    "issue": (text, REQUIRED),
    "cadre": (text, REQUIRED),
    "share": (cells.micro, REQUIRED),
}
TRANSFERS: Final[Columns] = {
    "issue": (text, REQUIRED),
    "from_cadre": (text, REQUIRED),
    "to_cadre": (text, REQUIRED),
    "at": (cells.instant, REQUIRED),
}
RATINGS: Final[Columns] = {
    "rating": (text, ""),
    "issue": (text, ""),
    "contact": (text, ""),
    "method": (cells.method, REQUIRED),
    "level": (cells.level, REQUIRED),
    "rated_at": (cells.instant, REQUIRED),
    "rater": (text, ""),
    "device": (text, ""),
    "public_device": (cells.yes_no, None),
}
CONTACTS: Final[Columns] = {
    "contact": (text, REQUIRED),
    "cadre": (text, REQUIRED),
    "kind": (text, "visit"),
    "occurred_at": (cells.instant, REQUIRED),
    "recorded_at": (cells.instant, None),
    "duration_minutes": (cells.minutes, None),
    "citizen": (text, ""),
    "confirmed": (cells.yes_no, False),
    "disowned": (cells.yes_no, False),
}
TARGETS: Final[Columns] = {"cadre": (text, REQUIRED), "target": (cells.count, REQUIRED)}
PERIOD: Final[Columns] = {
    "starts_at": (cells.instant, REQUIRED),
    "ends_at": (cells.instant, REQUIRED),
    "as_of": (cells.instant, None),
}
AS_THEY_ARE: Final = (
    *("issue", "received_at", "category", "complexity", "channel"),
    *("complainant", "place", "answered_at", "closed_at", "contact"),
    *("answer_recorded_at", "closing_recorded_at"),
)
LONGEST_PERIOD: Final = 20 * 366 * DAY
FILES: Final = ("cadres.csv", "issues.csv")


@dataclass(slots=True, kw_only=True)
class Reading:
    """What has been read so far, and how many lines were repeats of an id."""

    dossiers: dict[str, Dossier] = field(default_factory=dict)
    issues: dict[str, list[tuple[str, Issue]]] = field(default_factory=dict)  # with everybody who has a share
    cadre_of_contact: dict[str, str] = field(default_factory=dict)
    called: set[str] = field(default_factory=set)  # issues that a call-back rated
    latest: int | None = None
    earliest: int | None = None
    repeats: Counter[str] = field(default_factory=Counter)

    def see(self, *instants: int | None) -> None:
        for instant in instants:
            if instant is not None:
                self.latest = instant if self.latest is None else max(self.latest, instant)
                self.earliest = instant if self.earliest is None else min(self.earliest, instant)

    def dossier_of(self, where: str, cadre: str) -> Dossier:
        if cadre not in self.dossiers:
            raise BadRecords(f"{where}: names a cadre that is not in cadres.csv")
        return self.dossiers[cadre]


def read_folder(folder: Path) -> tuple[list[Dossier], Span, Counter[str]]:
    """Raises BadRecords. What is told twice under one id counts once; how often that was, is returned by file."""
    for name in FILES:
        if not (folder / name).is_file():
            raise BadRecords(f"{name} is not in the folder")
    reading = Reading()
    _read_cadres(folder, reading)
    held = _read_shares(folder), _read_transfers(folder)
    opinions = list(_rows(folder, "ratings.csv", RATINGS))
    reading.called = {row["issue"] for _, row in opinions if row["method"] == "callback"}
    _read_issues(folder, reading, *held)
    _read_contacts(folder, reading)
    _read_ratings(opinions, reading)
    dossiers = list(reading.dossiers.values())
    name_apart(dossiers)
    return dossiers, _read_period(folder, reading), reading.repeats


def _rows(folder: Path, name: str, columns: Columns) -> Iterator[tuple[str, dict[str, Any]]]:
    file = folder / name
    if file.is_file():
        yield from read_table(file, columns)


def _read_cadres(folder: Path, reading: Reading) -> None:
    targets = {row["cadre"]: row["target"] for _, row in _rows(folder, "targets.csv", TARGETS)}
    for _, row in _rows(folder, "cadres.csv", CADRES):
        if row["cadre"] in reading.dossiers:
            reading.repeats["cadres.csv"] += 1
            continue
        cadre = Cadre(**row, target=targets.get(row["cadre"], 0))
        reading.dossiers[cadre.cadre] = Dossier(cadre=cadre)
    if not reading.dossiers:
        raise BadRecords("cadres.csv: has no cadre")


def _read_shares(folder: Path) -> dict[str, dict[str, int]]:
    shares: dict[str, dict[str, int]] = {}
    for where, row in _rows(folder, "shares.csv", SHARES):
        own = shares.setdefault(row["issue"], {})
        share = own[row["cadre"]] = row["share"]
        over = sum(own.values()) - MICRO
        if not 0 <= share <= MICRO or over > len(own):
            raise BadRecords(f"{where}, share: the shares of an issue are from 0 to 1, and at most 1 together")
        if over > 0:  # two thirds and two sixths are rounded up
            own[row["cadre"]] = max(0, share - over)
    return shares


def _read_transfers(folder: Path) -> dict[str, list[dict[str, Any]]]:
    transfers: dict[str, list[dict[str, Any]]] = {}
    for _, row in _rows(folder, "transfers.csv", TRANSFERS):
        transfers.setdefault(row["issue"], []).append(row)
    return transfers


def _read_issues(
    folder: Path, reading: Reading, shares: dict[str, dict[str, int]], transfers: dict[str, list[dict[str, Any]]]
) -> None:
    lines = list(_rows(folder, "issues.csv", ISSUES))
    customs = find_customs([row for _, row in lines])
    for where, row in lines:
        if row["issue"] in reading.issues:
            reading.repeats["issues.csv"] += 1
            continue
        lead = row.pop("cadre")
        customs.tell_end(row)
        issue = _make_issue(row, reading.called)
        reading.see(issue.received_at, issue.answered_at, issue.closed_at)
        moves = sorted(transfers.get(issue.issue, []), key=lambda move: (move["at"], move["from_cadre"]))
        own = shares.get(issue.issue) or _share_out(issue, lead, moves)
        reading.issues[issue.issue] = []
        for cadre, share in own.items():
            dossier = reading.dossier_of(where, cadre)
            held = issue if share == MICRO else _with_share(issue, share)
            if share:
                dossier.issues.append(held)
                reading.issues[issue.issue].append((cadre, held))
        for move in moves:
            reading.dossier_of(where, move["from_cadre"]).handovers.append(
                Handover(
                    issue=issue.issue,
                    category=issue.category,
                    complexity=issue.complexity,
                    handed_at=move["at"],
                    channel=issue.channel,
                    to_cadre=move["to_cadre"],
                    received_at=issue.received_at,
                    close_allowed=issue.close_allowed,
                )
            )


def _make_issue(row: dict[str, Any], called: set[str]) -> Issue:
    received_at = row["received_at"]
    allowed = {
        "answer_allowed": ("answer_due_at", "answer_allowed_hours"),
        "close_allowed": ("due_at", "allowed_hours"),
    }
    limits: dict[str, int | None] = {}
    for name, (until, hours) in allowed.items():
        due, spare = row.pop(until), row.pop(hours)
        limits[name] = spare if due is None else max(0, due - received_at)
    disowned, reopened, checked = row.pop("disowned"), row.pop("reopened"), row.pop("checked")
    denied = row.pop("denied") or disowned
    closed_at = row["closed_at"]
    outcome = row.pop("outcome")
    if closed_at is None and outcome not in UNASSESSED:
        outcome = ""
    elif outcome == "":
        outcome = "unsolved"
    return Issue(
        **{name: row[name] for name in AS_THEY_ARE},
        answer_allowed=limits["answer_allowed"],
        close_allowed=limits["close_allowed"],
        has_reply=row["reply"],
        outcome=outcome,
        is_denied=denied,
        is_reopened=reopened,
        is_checked=denied or row["issue"] in called if checked is None else checked,
        is_disowned=disowned,
    )


def _with_share(issue: Issue, share: int) -> Issue:
    values: dict[str, Any] = {name: getattr(issue, name) for name in Issue.__slots__}
    return Issue(**{**values, "share": share})


def _share_out(issue: Issue, lead: str, moves: list[dict[str, Any]]) -> dict[str, int]:
    if not moves:
        return {lead: MICRO}
    holds = [Hold(cadre=moves[0]["from_cadre"], from_at=issue.received_at)]
    holds += [Hold(cadre=move["to_cadre"], from_at=max(issue.received_at, move["at"])) for move in moves]
    return share_by_time(issue, holds)


def _read_contacts(folder: Path, reading: Reading) -> None:
    for where, row in _rows(folder, "contacts.csv", CONTACTS):
        if row["contact"] in reading.cadre_of_contact:
            reading.repeats["contacts.csv"] += 1
            continue
        cadre = row.pop("cadre")
        recorded_at = row.pop("recorded_at")
        occurred_at = row["occurred_at"]
        contact = Contact(
            is_confirmed=row.pop("confirmed"),
            is_disowned=row.pop("disowned"),
            recorded_at=occurred_at if recorded_at is None else recorded_at,
            **row,
        )
        reading.see(occurred_at)
        reading.cadre_of_contact[contact.contact] = cadre
        reading.dossier_of(where, cadre).contacts.append(contact)


def _read_ratings(opinions: list[tuple[str, dict[str, Any]]], reading: Reading) -> None:
    seen: set[str] = set()
    complainants = {name: held[0][1].complainant for name, held in reading.issues.items() if held}
    knows_callers, knows_own = (
        knows_persons(
            (row["rater"], complainants.get(row["issue"], ""))
            for _, row in opinions
            if (row["method"] == "callback") == is_call
        )
        for is_call in (True, False)
    )
    named = any(row["rater"] for _, row in opinions if row["method"] != "callback") and any(complainants.values())
    for number, (where, row) in enumerate(opinions):
        rating_id = row["rating"] or f"#{number + 1}"
        if rating_id in seen:
            reading.repeats["ratings.csv"] += 1
            continue
        seen.add(rating_id)
        issue, contact = row["issue"], row["contact"]
        if bool(issue) == bool(contact):
            raise BadRecords(f"{where}: must name an issue or a contact, and not both")
        if (issue and issue not in reading.issues) or (contact and contact not in reading.cadre_of_contact):
            raise BadRecords(f"{where}: rates an issue or a contact that is not in the folder")
        is_call = row["method"] == "callback"
        known = named and (knows_callers if is_call else knows_own)
        on_office_device = row["method"] == "on_site" if row["public_device"] is None else row["public_device"]
        rating = Rating(
            rating=rating_id,
            subject_kind="issue" if issue else "contact",
            subject=issue or contact,
            method=row["method"],
            level=row["level"],
            rated_at=row["rated_at"],
            rater=row["rater"] if knows_callers or not is_call else "",  # else it is who called
            device=row["device"],
            is_public_device=on_office_device,
            is_complainant=None if known or contact else True,  # where persons are not collected, nobody is a stranger
        )
        cadres = [cadre for cadre, _ in reading.issues[issue]] if issue else [reading.cadre_of_contact[contact]]
        for cadre in cadres:
            reading.dossiers[cadre].ratings.append(rating)


def _read_period(folder: Path, reading: Reading) -> Span:
    """Without a file, from the first receipt or contact to the last thing that happened."""
    for where, row in _rows(folder, "period.csv", PERIOD):
        if row["starts_at"] >= row["ends_at"]:
            raise BadRecords(f"{where}: ends before it starts")
        as_of = row["ends_at"] if row["as_of"] is None else row["as_of"]
        return _make_span(row["starts_at"], row["ends_at"], as_of)
    if reading.earliest is None or reading.latest is None:
        return Span(starts_at=0, ends_at=1, as_of=1)
    return _make_span(reading.earliest, reading.latest + 1, reading.latest + 1)


def _make_span(starts_at: int, ends_at: int, as_of: int) -> Span:
    if ends_at - starts_at > LONGEST_PERIOD:
        raise BadRecords("the period is longer than twenty years: are times and hours mixed?")
    return Span(starts_at=starts_at, ends_at=ends_at, as_of=as_of, quarter_ends=quarter_ends(starts_at, ends_at))
