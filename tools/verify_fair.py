"""Compute the scores of a closed period by the fair scheme again, from an exported package and without the suite.

    python3 verify_fair.py PERIOD.jsonl               every score of the period, and the hash over all of them
    python3 verify_fair.py PERIOD.jsonl --hash HEX    and hold it against a hash that you know from elsewhere
    python3 verify_fair.py PERIOD.jsonl --cadre ID    and tell how one score comes about

A package is what GET /v1/fair-periods/PERIOD/package answers: the settings, the span, and of every cadre the records,
the score and the hashes. The hash of a period stands in the audit chain, too: in the record of its scoring.

It needs Python 3.11 and nothing else, and shares no line with the suite: docs/fair-scheme.md and the settings in the
package say how a score is made. Which records wait for somebody's decision is taken from the results: that is what
people decide, and no arithmetic. The steps of an explanation, and what a score is looked into for, are held by their
hash alone. Ends with 0: sound, 1: bad, 2: could not be checked.
"""

import argparse
import hashlib
import json
import math
import sys
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal
from fractions import Fraction
from math import fsum
from pathlib import Path
from typing import Any

SOUND, BAD, UNCHECKED = 0, 1, 2
ONE = 1_000_000
HOUR, DAY = 3_600, 86_400
WEEK, QUARTER = 7 * DAY, 91 * DAY
NAMES = ("timeliness", "reply", "resolution", "speed", "satisfaction", "outreach")
OWN_ENTRIES = ("timeliness", "reply", "speed", "outreach")
CLOCKS = {"timeliness", "speed"}  # whether the one is a witness for the other, the settings say
EXACT = Context(prec=30)
FEWEST_PEERS, PEERS_AN_AWARD = 15, 5  # below the one a group has no zones; of so many one may be excellent
LEAST_RELIABLE = Decimal("0.30")
HELD_BY_HASH = {"reasons", "explanation"}
Json = dict[str, Any]
Cell = tuple[str, ...]


class Bad(Exception):
    """A score is not what comes out of its records, or a hash does not fit. The message names the place."""


class Unchecked(Exception):
    """Something that is needed for an answer is not there or not known here."""


def canonical(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def hash_of(document: object) -> str:
    return hashlib.sha256(canonical(document)).hexdigest()


def micro(text: str) -> int:
    return int(Decimal(text) * ONE)


@dataclass(slots=True)
class Mark:
    """One record's part in one indicator: cell of like records, value, weight, and who rated."""

    cell: Cell
    value: int
    weight: int
    rater: str = ""


@dataclass(slots=True)
class Person:
    """A cadre with what the records come to."""

    place: Json
    marks: dict[str, list[Mark]] = field(default_factory=lambda: defaultdict(list))
    issues: int = 0
    contacts: int = 0


def root(count: int) -> int:
    return math.isqrt(ONE * ONE // count)


def time_credit(taken: int, allowed: int) -> int:
    """1 at an eighth of what is allowed, 0.4 at the limit, 0 at four times it, in thousand steps."""
    share = max(0, taken) * ONE // max(1, allowed)
    low, high = 0, 1_000
    while low < high:
        step = (low + high) // 2
        if break_point(step) < share:
            low = step + 1
        else:
            high = step
    return (1_000 - low) * 1_000


def break_point(step: int, known: dict[int, int] | None = None) -> int:
    known = BREAK_POINTS if known is None else known
    if step not in known:
        octave, rest = divmod(step, 200)
        known[step] = int(EXACT.multiply(EXACT.power(Decimal(2), Decimal(rest) / 200), 2**octave) * ONE / 8)
    return known[step]


BREAK_POINTS: dict[int, int] = {}


def repeats(issues: list[Json], hours: int, key_of: Callable[[Json], tuple[str, ...] | None]) -> set[str]:
    last: dict[tuple[str, ...], int] = {}
    found = set()
    for one in sorted(issues, key=lambda issue: (issue["received_at"], issue["issue"])):
        key = key_of(one)
        if key is None:
            continue
        if key in last and one["received_at"] - last[key] <= hours * HOUR:
            found.add(one["issue"])
        last[key] = one["received_at"]
    return found


def same_complainant(issue: Json) -> tuple[str, ...] | None:
    return (issue["complainant"], issue["category"], issue.get("place", "")) if issue.get("complainant") else None


def same_matter(issue: Json) -> tuple[str, ...] | None:
    return (issue["category"], issue["place"]) if issue.get("place") else None


def is_past(issue: Json, allowed: int | None, instant: int) -> bool:
    return allowed is not None and instant - issue["received_at"] > allowed


def is_contradicted(issue: Json) -> bool:
    return issue.get("outcome") == "solved" and (issue.get("is_reopened", False) or issue.get("is_denied", False))


def is_disowned(record: Json) -> bool:
    """The citizen who was asked by others knows nothing of this issue or contact."""
    found: bool = record.get("is_disowned", False)
    return found


def value_answer(issue: Json, as_of: int, settings: Json) -> int | None:
    allowed, closed_at = issue.get("answer_allowed"), issue.get("closed_at")
    if allowed is None:
        return None
    answered_at = issue.get("answered_at", closed_at)
    if answered_at is None:
        return 0 if is_past(issue, allowed, as_of) else None
    taken = answered_at - issue["received_at"]
    if taken < settings["values"]["instant_seconds"] and issue.get("has_reply") is False:
        return 0
    return time_credit(taken, allowed)


def value_reply(issue: Json, as_of: int) -> int | None:
    has_reply = issue.get("has_reply")
    if has_reply is None or has_reply:
        return None if has_reply is None else ONE
    is_running = issue.get("closed_at") is None and not is_past(issue, issue.get("close_allowed"), as_of)
    return None if is_running else 0


def value_resolution(issue: Json, as_of: int, settings: Json) -> int | None:
    outcome, allowed = issue.get("outcome", ""), issue.get("close_allowed")
    if outcome == "explained":
        return None
    if outcome == "":
        return 0 if is_past(issue, allowed, as_of) else None
    if outcome == "unsolved":
        return 0
    if is_contradicted(issue):
        return micro(settings["values"]["contradicted"])
    closed_at = issue.get("closed_at")
    late = closed_at is not None and is_past(issue, allowed, closed_at)
    return micro(settings["values"]["solved_late"]) if late else ONE


def believe_times(issue: Json, settings: Json) -> Json:
    """What a person told afterwards counts as a share of the time sooner than it was recorded, and no more."""
    share = micro(settings["values"].get("told_sooner", "0"))
    believed = dict(issue)
    for at, recorded_at in (("answered_at", "answer_recorded_at"), ("closed_at", "closing_recorded_at")):
        if share and issue.get(at) is not None and issue.get(recorded_at) is not None:
            taken = max(0, issue[recorded_at] - issue["received_at"])
            believed[at] = max(issue[at], issue[recorded_at] - taken * share // ONE)
    return believed


def mark_issue(person: Person, issue: Json, weight: int, as_of: int, settings: Json, aside: set[str]) -> None:
    """Of an issue a part alone may wait for somebody's decision: the time of the answer, all times, or the labels."""
    issue = believe_times(issue, settings)
    cell = cell_of(issue["issue"], labels_of(issue), aside)
    outcome = issue.get("outcome", "")
    disowned = micro(settings["values"].get("disowned", "0"))
    if disowned and is_disowned(issue):
        person.marks["resolution"].append(Mark(cell, disowned, weight))
        return
    for name, value in (
        ("timeliness", value_answer(issue, as_of, settings)),
        ("reply", value_reply(issue, as_of)),
        ("resolution", value_resolution(issue, as_of, settings)),
        ("explaining", None if outcome == "" else ONE if outcome == "explained" else 0),
        ("leaving", None if outcome == "" or not settings["values"].get("left_out_margin") else 0),
        ("speed", value_speed(issue)),
    ):
        if value is not None and not waits(issue, name, aside):
            person.marks[name].append(Mark(cell, value, weight))


def labels_of(issue: Json) -> Cell:
    return issue["category"], issue["complexity"], issue.get("channel", "")


def cell_of(issue: str, labels: Cell, aside: set[str]) -> Cell:
    """Where the labels of an issue wait, no like records are known, and what is of it is compared with all."""
    return () if f"{issue}#label" in aside else labels


def waits(issue: Json, name: str, aside: set[str]) -> bool:
    of_answer, of_clock = (f"{issue['issue']}{part}" in aside for part in ("#answer", "#clock"))
    return (name == "timeliness" and (of_answer or of_clock)) or (name == "speed" and of_clock)


def value_speed(issue: Json) -> int | None:
    closed_at, allowed = issue.get("closed_at"), issue.get("close_allowed")
    if issue.get("outcome") != "solved" or is_contradicted(issue) or not allowed or closed_at is None:
        return None
    return time_credit(closed_at - issue["received_at"], allowed)


def knows(rating: Json, issue: Json | None, contacts: dict[str, Json]) -> bool:
    """Whether the rater is the complainant, or the citizen of a confirmed contact."""
    told: bool | None = rating.get("is_complainant")
    if told is not None:
        return told
    rater: str = rating.get("rater", "")
    if rating["subject_kind"] == "contact":
        contact = contacts.get(rating["subject"])
        return contact is not None and contact.get("is_confirmed", False) and rater in ("", contact.get("citizen", ""))
    if issue is None:
        return False
    complainant: str = issue.get("complainant", "")
    is_own: bool = rater == complainant != ""
    return is_own or (rating["method"] == "callback" and rater == "")


def mark_ratings(
    person: Person,
    ratings: list[Json],
    issues: dict[str, Json],
    contacts: dict[str, Json],
    settings: Json,
    aside: set[str],
) -> None:
    rule = settings["ratings"]
    own_channel = [one for one in ratings if one["method"] != "callback"]
    by_rater = Counter(one["rater"] for one in ratings if one.get("rater"))
    by_device = Counter(one["device"] for one in own_channel if one.get("device"))
    by_hour = Counter(one["rated_at"] // HOUR for one in own_channel)
    closed = sum(one.get("share", ONE) for one in issues.values() if one.get("closed_at") is not None)
    unasked = sum(one["subject_kind"] == "issue" for one in own_channel)
    crowd = min(ONE, max(ONE, closed * micro(rule["own_share"]) // ONE) // unasked) if unasked else ONE
    for one in ratings:
        issue = issues.get(one["subject"]) if one["subject_kind"] == "issue" else None
        weight = micro(rule[one["method"]]) if knows(one, issue, contacts) else 0
        limit = ONE // (by_rater[one.get("rater", "")] or 1)
        if one["method"] != "callback":
            if one.get("device") and not one.get("is_public_device", False):
                limit = min(limit, ONE // by_device[one["device"]])
            limit = min(limit, micro(rule["hour_limit"]) // by_hour[one["rated_at"] // HOUR])
        if one["method"] != "callback" and one["subject_kind"] == "issue":
            weight = weight * crowd // ONE
        weight = weight * min(ONE, limit) // ONE
        weight = weight * (issue.get("share", ONE) if issue else ONE) // ONE
        like = (issue["category"], issue["complexity"]) if issue else (one["subject_kind"], "")
        cell = cell_of(one["subject"], (*like, one["method"]), aside)
        person.marks["satisfaction"].append(Mark(cell, (one["level"] - 1) * (ONE // 4), weight, one.get("rater", "")))


def count_contacts(contacts: list[Json], confirmed: set[str], target: int, span: Json, settings: Json) -> int:
    rule = settings["outreach"]
    met = Counter((one["citizen"], one["occurred_at"] // QUARTER) for one in contacts if one.get("citizen"))
    weeks: dict[int, list[int]] = defaultdict(list)
    for one in contacts:
        worth = ONE
        if is_disowned(one) and micro(rule.get("disowned", "1")) < ONE:
            weeks[one["occurred_at"] // WEEK].append(micro(rule["disowned"]))
            continue
        if not (one.get("is_confirmed", False) or one["contact"] in confirmed):
            worth = micro(rule["unconfirmed"])
        minutes = one.get("duration_minutes")
        if minutes is not None and minutes < rule["short_minutes"] and one["kind"] != "call":
            worth = worth * micro(rule["short"]) // ONE
        if one["recorded_at"] - one["occurred_at"] > rule["late_days"] * DAY:
            worth = worth * micro(rule["late"]) // ONE
        same = met.get((one.get("citizen", ""), one["occurred_at"] // QUARTER), 1)
        if same > 1:
            worth = worth * root(same) // ONE
        weeks[one["occurred_at"] // WEEK].append(worth)
    number = max(1, (span["ends_at"] - span["starts_at"]) // WEEK)
    limit = max(rule["weekly_floor"] * ONE, rule["weekly_multiple"] * target * ONE // number)
    return sum(min(limit, sum(worths)) for worths in weeks.values())


def count_person(inputs: Json, aside: set[str], span: Json, settings: Json) -> Person:
    person = Person(place=inputs["cadre"])
    issues = [one for one in inputs["issues"] if one["issue"] not in aside]
    ratings = [one for one in inputs["ratings"] if one["rating"] not in aside and one["subject"] not in aside]
    contacts = [one for one in inputs["contacts"] if one["contact"] not in aside]
    values = settings["values"]
    unheard = {one["issue"] for one in inputs["issues"] if is_disowned(one)}
    unheard |= {one["contact"] for one in inputs["contacts"] if is_disowned(one)}
    if not micro(values.get("disowned", "0")):
        unheard = set()
    ratings = [one for one in ratings if one["subject"] not in unheard]
    twice = repeats(issues, values["duplicate_hours"], same_complainant)
    twice |= repeats(issues, values["matter_hours"], same_matter)
    single = [one for one in issues if one["issue"] not in twice]
    for one, weight in weigh([one for one in single if one.get("outcome") not in ("left_out", "excluded")]):
        person.issues += one.get("share", ONE)
        mark_issue(person, one, weight, span["as_of"], settings, aside)
    if values.get("left_out_margin"):
        for one, weight in weigh([one for one in single if one.get("outcome") == "left_out"]):
            waiting = aside if settings["signals"].get("labels_left_out") else set()
            person.marks["leaving"].append(Mark(cell_of(one["issue"], labels_of(one), waiting), ONE, weight))
    known = [one for one in ratings if one["subject"] not in twice]
    mark_ratings(
        person,
        known,
        {one["issue"]: one for one in issues},
        {one["contact"]: one for one in contacts},
        settings,
        aside,
    )
    confirmed = {one["contact"] for one in issues if one.get("contact") and one["issue"] not in unheard}
    confirmed |= {one["subject"] for one in ratings if one["subject_kind"] == "contact"}
    person.contacts = count_contacts(contacts, confirmed, inputs["cadre"].get("target", 0), span, settings)
    return person


def weigh(issues: list[Json]) -> Iterator[tuple[Json, int]]:
    by_complainant = Counter(one["complainant"] for one in issues if one.get("complainant"))
    for one in issues:
        times = by_complainant[one.get("complainant", "")] or 1
        yield one, one.get("share", ONE) * root(times) // ONE


@dataclass(slots=True)
class Usual:
    """What is usual for a cell, and how far single records scatter, in millionths."""

    mean: int
    expected: dict[Cell, int]
    scatter: dict[Cell, int]

    def vary(self, cell: Cell) -> int:
        return self.scatter.get(cell, 0) if cell else max(0, self.mean * (ONE - self.mean)) // ONE


def ratio(parts: Iterable[tuple[float, float]]) -> float:
    pairs = list(parts)
    return fsum(top for top, _ in pairs) / fsum(below for _, below in pairs)


def fit(people: dict[str, Person], name: str, prior: float) -> Usual | None:
    """Cells, and the people's and regions' own levels, in turns: four rounds of eight sweeps."""
    sums: dict[tuple[str, Cell], list[int]] = {}
    for cadre, person in people.items():
        for mark in person.marks.get(name, []):
            if mark.weight and mark.cell:
                own = sums.setdefault((cadre, mark.cell), [0, 0, 0])
                own[0] += mark.weight
                own[1] += mark.weight * mark.value
                own[2] += mark.weight * mark.value * mark.value
    rows = [
        (cadre, cell, weight / ONE, total / (ONE * ONE), square / (ONE * ONE * ONE))
        for (cadre, cell), (weight, total, square) in sorted(sums.items())
    ]
    if not rows:
        return None
    mean = fsum(row[3] for row in rows) / fsum(row[2] for row in rows)
    levels: dict[str, float] = {}
    expected: dict[Cell, float] = {}
    for _ in range(4):
        expected = fit_cells(rows, levels, mean, prior)
        levels = fit_levels(rows, expected, people)
    return Usual(
        mean=round(mean * ONE),
        expected={cell: round(value * ONE) for cell, value in expected.items()},
        scatter=fit_scatter(rows, expected, prior),
    )


Row = tuple[str, Cell, float, float, float]


def gather(pairs: Iterable[tuple[Any, float, float]]) -> dict[Any, tuple[float, float]]:
    parts: dict[Any, tuple[list[float], list[float]]] = {}
    for key, top, below in pairs:
        tops, belows = parts.setdefault(key, ([], []))
        tops.append(top)
        belows.append(below)
    return {key: (fsum(tops), fsum(belows)) for key, (tops, belows) in parts.items()}


def fit_cells(rows: list[Row], levels: dict[str, float], mean: float, prior: float) -> dict[Cell, float]:
    sums = gather((cell, total - weight * levels.get(cadre, 0.0), weight) for cadre, cell, weight, total, _ in rows)
    effects: dict[tuple[int, str], float] = {}
    width = max(len(cell) for cell in sums)

    def main(cell: Cell, without: int = -1) -> float:
        return fsum(effects.get((axis, word), 0.0) for axis, word in enumerate(cell) if axis != without)

    for _ in range(8):
        for axis in range(width):
            parts = gather(
                (cell[axis], total - weight * (mean + main(cell, axis)), weight)
                for cell, (total, weight) in sums.items()
            )
            effects.update({(axis, word): total / (weight + 1.0) for word, (total, weight) in parts.items()})
    expected = {}
    for cell, (total, weight) in sums.items():
        usual = mean + main(cell)
        expected[cell] = usual + (total - weight * usual) / (weight + prior)
    return expected


def fit_levels(rows: list[Row], expected: dict[Cell, float], people: dict[str, Person]) -> dict[str, float]:
    left = [(cadre, total - weight * expected[cell], weight) for cadre, cell, weight, total, _ in rows]
    region = {cadre: person.place["region"] for cadre, person in people.items()}
    places = gather((region[cadre], total, weight) for cadre, total, weight in left)
    means = {place: total / (weight + 8.0) for place, (total, weight) in places.items()}
    return {
        cadre: (total + 8.0 * means[region[cadre]]) / (weight + 8.0) for cadre, (total, weight) in gather(left).items()
    }


def fit_scatter(rows: list[Row], expected: dict[Cell, float], prior: float) -> dict[Cell, int]:
    squares = gather(
        (
            cell,
            square - 2 * expected[cell] * total + weight * expected[cell] * expected[cell],
            weight,
        )
        for _, cell, weight, total, square in rows
    )
    mean = ratio(squares.values())
    return {cell: round((square + prior * mean) / (weight + prior) * ONE) for cell, (square, weight) in squares.items()}


def half_even(top: int, below: int) -> int:
    quotient, rest = divmod(top, below)
    return quotient + (2 * rest > below or (2 * rest == below and quotient % 2 == 1))


def find_habits(people: dict[str, Person], usual: Usual, prior: int) -> dict[tuple[str, str], int]:
    sums: dict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
    for cadre, person in people.items():
        for mark in person.marks.get("satisfaction", []):
            if mark.rater and mark.weight:
                count, total = sums[mark.rater].get(cadre, (0, 0))
                sums[mark.rater][cadre] = count + 1, total + mark.value - usual.expected.get(mark.cell, usual.mean)
    habits = {}
    for rater, cadres in sums.items():
        count = sum(number for number, _ in cadres.values())
        total = sum(difference for _, difference in cadres.values())
        for cadre, (number, difference) in cadres.items():
            if len(cadres) > 1:
                habits[rater, cadre] = half_even(total - difference, count - number + prior)
    return habits


@dataclass(slots=True)
class Sums:
    weight: int = 0
    squared: int = 0
    residual: int = 0
    scatter: int = 0
    noise: int = 0

    def add(self, weight: int, residual: int, variance: int) -> None:
        self.weight += weight
        self.squared += weight * weight
        self.residual += weight * residual
        self.scatter += weight * residual * residual
        self.noise += weight * weight * variance


def sum_up(
    cadre: str, person: Person, tables: dict[str, Usual], habits: dict[tuple[str, str], int], settings: Json
) -> dict[str, Sums]:
    found: dict[str, Sums] = {}
    floor = micro(settings["values"]["speed_floor"])
    for name in ("timeliness", "reply", "resolution", "speed", "satisfaction"):
        for mark in person.marks.get(name, []):
            if not mark.weight or name not in tables:
                continue
            usual = tables[name]
            residual = mark.value - usual.expected.get(mark.cell, usual.mean)
            residual -= habits.get((mark.rater, cadre), 0) if mark.rater else 0
            if name == "speed":
                residual = max(residual, floor)
            found.setdefault(name, Sums()).add(mark.weight, residual, usual.vary(mark.cell))
    for mark, share in excesses(person, tables, settings):
        usual = tables["resolution"]
        weight = mark.weight * share // ONE
        found.setdefault("resolution", Sums()).add(
            weight, -usual.expected.get(mark.cell, usual.mean), usual.vary(mark.cell)
        )
    return found


def excesses(person: Person, tables: dict[str, Usual], settings: Json) -> Iterator[tuple[Mark, int]]:
    """What is explained, or left out, counts as unsolved as far as it exceeds what is usual, with a margin."""
    if "resolution" in tables:
        for name, margin in (("explaining", "explained_margin"), ("leaving", "left_out_margin")):
            if name in tables:
                yield from excess(person.marks.get(name, []), tables[name], settings["values"], margin)


def excess(marks: list[Mark], table: Usual, values: Json, margin: str) -> Iterator[tuple[Mark, int]]:
    kinds = [mark for mark in marks if mark.weight]
    found = sum(mark.weight * mark.value for mark in kinds) / (ONE * ONE)
    if not found:
        return
    usual = sum(mark.weight * table.expected.get(mark.cell, table.mean) for mark in kinds) / (ONE * ONE)
    if values.get("usual_from_none"):
        usual = max(0.0, usual)
    allowed = micro(values.get(margin, "0")) / ONE * math.sqrt(0.9 * max(0.0, usual) + 0.1)
    share = int(max(0.0, found - usual - allowed) / found * ONE)
    for mark in kinds:
        if share and mark.value:
            yield mark, share


@dataclass(slots=True)
class Evidence:
    cadre: str
    place: Json
    mean: float
    effective: float
    load: float


@dataclass(slots=True)
class Adjusted:
    rest: dict[str, float]
    effective: dict[str, float]
    between: float
    within: float


def centre(values: list[float], weights: list[float], keys: list[str]) -> list[float]:
    means = {
        key: top / below
        for key, (top, below) in gather(
            (key, value * weight, weight) for key, value, weight in zip(keys, values, weights, strict=True)
        ).items()
    }
    return [value - means[key] for value, key in zip(values, keys, strict=True)]


def slope(along: list[float], values: list[float], weights: list[float]) -> float:
    square = fsum(w * a * a for w, a in zip(weights, along, strict=True))
    if square <= 1e-6:
        return 0.0
    return fsum(w * a * v for w, a, v in zip(weights, along, values, strict=True)) / square


def effects(places: list[str], rest: list[float], weights: list[float]) -> list[float]:
    sums = gather((place, value * weight, weight) for place, value, weight in zip(places, rest, weights, strict=True))
    if len(sums) < 2:
        return [0.0] * len(rest)
    means = {place: (top / below, below) for place, (top, below) in sums.items()}
    total = fsum(size for _, size in means.values())
    spread = fsum(size * value * value for value, size in means.values()) - (len(means) - 1)
    base = total - fsum(size * size for _, size in means.values()) / total
    variance = max(0.0, spread / base) if base > 0 else 0.0
    drawn = {
        place: value * variance / (variance + 1 / size) if variance else 0.0 for place, (value, size) in means.items()
    }
    return [drawn[place] for place in places]


def adjust(evidence: list[Evidence], within: float, settings: Json, *, by_load: bool) -> Adjusted:
    """Less what load, region and unit explain, about the peers' mean; three passes, as the spread gets known."""
    people = sorted(evidence, key=lambda one: one.cadre)
    groups = [one.place["peer_group"] for one in people]
    share = micro(settings["adjustment"]["circumstance"]) / ONE
    lowest = micro(settings["adjustment"]["load_lowest"]) / ONE
    between, rest = max(1e-6, within / 10), [0.0] * len(people)
    for _ in range(3):
        weights = [1 / (between + within / one.effective) for one in people]
        rest = centre([one.mean for one in people], weights, groups)
        if by_load:
            depth = centre([one.load for one in people], weights, groups)
            by = min(0.0, max(lowest, slope(depth, rest, weights)))
            rest = [a - by * b for a, b in zip(rest, depth, strict=True)]
        index = centre([one.place.get("deprivation", 0) / ONE for one in people], weights, groups)
        by = slope(index, rest, weights)
        left = [a - by * b for a, b in zip(rest, index, strict=True)]
        regions = effects([one.place["region"] for one in people], left, weights)
        rest = [a - (by * b + share * c) for a, b, c in zip(rest, index, regions, strict=True)]
        units = effects([one.place["unit"] for one in people], rest, weights)
        rest = centre([a - share * b for a, b in zip(rest, units, strict=True)], weights, groups)
        sizes = [one.effective for one in people]
        base = fsum(sizes) - fsum(size * size for size in sizes) / fsum(sizes)
        spread = fsum(size * value**2 for size, value in zip(sizes, rest, strict=True))
        found = (spread - within * (len(people) - len(set(groups)))) / base if base > 0 else 1e-6
        between = max(within / 200, max(1e-6, found))
    return Adjusted(
        rest={one.cadre: value for one, value in zip(people, rest, strict=True)},
        effective={one.cadre: one.effective for one in people},
        between=between,
        within=within,
    )


def logarithm(count: int) -> float:
    return float(EXACT.ln(Decimal(count)))


def adjust_all(people: dict[str, Person], sums: dict[str, dict[str, Sums]], settings: Json) -> dict[str, Adjusted]:
    adjusted = {}
    for name in NAMES:
        by_load = name != "outreach"
        evidence, within = recorded(name, people, sums) if by_load else outreach(people, settings)
        if evidence and within > 0:
            adjusted[name] = adjust(evidence, within, settings, by_load=by_load)
    return adjusted


def recorded(name: str, people: dict[str, Person], sums: dict[str, dict[str, Sums]]) -> tuple[list[Evidence], float]:
    own = {cadre: one[name] for cadre, one in sums.items() if name in one and one[name].weight and one[name].noise}
    squares = [
        (one.scatter * one.weight - one.residual * one.residual) / (one.weight * ONE * ONE * ONE)
        for one in own.values()
    ]
    free = fsum(one.weight / ONE * (1 - 1 / (one.weight * one.weight / one.squared)) for one in own.values())
    within = fsum(squares) / free if free > 0 else 0.0
    if within <= 0:
        return [], 0.0
    return [
        Evidence(
            cadre,
            people[cadre].place,
            one.residual / (one.weight * ONE),
            within / (one.noise / (one.weight * one.weight * ONE)),
            logarithm(people[cadre].issues // ONE + 2),
        )
        for cadre, one in own.items()
    ], within


def outreach(people: dict[str, Person], settings: Json) -> tuple[list[Evidence], float]:
    rule = settings["outreach"]
    owing = {cadre: person for cadre, person in people.items() if person.place.get("target", 0) > 0}
    values = {
        cadre: int(
            (
                EXACT.ln(EXACT.divide(Decimal(person.contacts + ONE), Decimal((person.place["target"] + 1) * ONE)))
                * ONE
            ).to_integral_value()
        )
        for cadre, person in owing.items()
    }
    groups: dict[str, list[int]] = defaultdict(list)
    for cadre, person in owing.items():
        groups[person.place["peer_group"]].append(values[cadre])
    evidence, ratios = [], []
    for cadre, person in owing.items():
        own = groups[person.place["peer_group"]]
        value = min(micro(rule["highest"]), max(micro(rule["lowest"]), values[cadre] - sum(own) // len(own)))
        evidence.append(Evidence(cadre, person.place, value / ONE, float(person.place["target"]), 0.0))
        ratios.append(person.contacts / (person.place["target"] * ONE))
    mean = fsum(ratios) / len(ratios) if ratios else 0.0
    return evidence, 1 / mean if mean > 0 else 0.0


def load_factors(adjusted: dict[str, Adjusted]) -> dict[str, float]:
    """How far one common factor is behind each indicator, from their covariances; sixty rounds."""
    names = [name for name in NAMES if name in adjusted]
    known: dict[tuple[str, str], tuple[float, float]] = {}
    for at, first in enumerate(names):
        for second in names[at + 1 :]:
            known[first, second] = known[second, first] = correlate(adjusted[first], adjusted[second])
    loadings = dict.fromkeys(names, 0.5)
    for _ in range(60):
        for name in names:
            others = [(known[name, other], loadings[other]) for other in names if other != name]
            square = fsum(size * loading * loading for (_, size), loading in others)
            product = fsum(size * value * loading for (value, size), loading in others)
            loadings[name] = min(0.95, max(0.0, product / square)) if square > 0 else 0.0
    return loadings


def correlate(first: Adjusted, second: Adjusted) -> tuple[float, float]:
    weights, products = [], []
    for cadre, rest in first.rest.items():
        if cadre in second.rest:
            variance = (first.between + first.within / first.effective[cadre]) * (
                second.between + second.within / second.effective[cadre]
            )
            weights.append(1 / variance)
            products.append(rest * second.rest[cadre] / variance)
    if len(weights) < 30:
        return 0.0, 0.0
    total, scale = fsum(weights), math.sqrt(first.between * second.between)
    return min(1.0, max(-1.0, fsum(products) / total / scale)), total * first.between * second.between


def place(levels: dict[str, tuple[float, float]], loadings: dict[str, float], settings: Json) -> Json:
    """The closed form: points by indicator, the deviation of the score, and how reliable it is."""
    weight = {name: micro(settings["weights"][name]) / ONE for name in NAMES}
    load = {name: loadings.get(name, 0.0) for name in NAMES}
    own = {name: 1 - load[name] ** 2 for name in NAMES}
    pull = {name: 1 / (own[name] + error) for name, (_, error) in levels.items()}
    limit = micro(settings["standing"]["limit"]) / ONE
    vouch = settings["standing"].get("clocks_vouch", 1) > 0
    believed = {}
    for name, (level, error) in levels.items():
        believed[name] = level
        if name in OWN_ENTRIES:
            others = [other for other in levels if other != name and (vouch or {name, other} != CLOCKS)]
            common = 1 + fsum(load[other] ** 2 * pull[other] for other in others)
            guess = fsum(load[other] * pull[other] * levels[other][0] for other in others) / common
            middle = load[name] * guess
            reach = limit * math.sqrt(own[name] + error + load[name] ** 2 / common)
            believed[name] = min(middle + reach, max(middle - reach, level))
    common = 1 + fsum(load[name] ** 2 * pull[name] for name in pull)
    evidence = {name: own[name] * pull.get(name, 0.0) for name in NAMES}
    shared = fsum(weight[name] * load[name] * (1 - evidence[name]) for name in NAMES)
    together = fsum(weight[name] * load[name] for name in NAMES)
    spread = math.sqrt(together**2 + fsum(weight[name] ** 2 * own[name] for name in NAMES))
    scale = settings["standing"]["deviation"] / spread
    points = {
        name: scale * believed[name] * (weight[name] * evidence[name] + shared / common * load[name] * pull[name])
        for name in NAMES
        if name in levels
    }
    variance = fsum(weight[name] ** 2 * own[name] * (1 - evidence[name]) for name in NAMES) + shared**2 / common
    return {
        "points": points,
        "deviation": scale * math.sqrt(variance),
        "reliability": max(0.0, 1 - variance / spread**2),
    }


def half_away(exact: Fraction) -> int:
    size = (2 * abs(exact).numerator + exact.denominator) // (2 * exact.denominator)
    return size if exact >= 0 else -size


def publish(found: Json, settings: Json) -> Json:
    """As it is written down: points add up to the score, floors first, then one more to the largest remainders."""
    places = settings["places"]
    units = 10**places
    parts = {name: Fraction(points) * units for name, points in found["points"].items()}
    floors = {name: part.numerator // part.denominator for name, part in parts.items()}
    base, total = settings["standing"]["mean"] * units, half_away(sum(parts.values(), Fraction(0)))
    order = sorted(parts, key=lambda name: (floors[name] - parts[name], NAMES.index(name)))
    for name in order[: total - sum(floors.values())]:
        floors[name] += 1
    score = min(100 * units, max(0, base + total))
    model = micro(settings["standing"]["model_error"]) * settings["standing"]["deviation"] / ONE
    width = micro(settings["standing"]["interval"]) / ONE * math.sqrt(found["deviation"] ** 2 + model * model)
    half = Fraction(width) * units
    lower = min(score, max(0, math.ceil(score - half) - 1))
    upper = max(score, min(100 * units, math.floor(score + half) + 1))

    def shown(number: int) -> str:
        return str(Decimal((1 if number < 0 else 0, tuple(map(int, str(abs(number)))), -places)))

    return {
        "score": shown(score),
        "lower": shown(lower),
        "upper": shown(upper),
        "reliability": str(Decimal(half_away(Fraction(found["reliability"]) * 1_000)).scaleb(-3)),
        "points": {"base": shown(score - total), **{name: shown(floors.get(name, 0)) for name in NAMES}},
    }


def compute(people: dict[str, Person], settings: Json) -> dict[str, Json]:
    prior = float(settings["adjustment"]["cell_prior"])
    kinds = ("timeliness", "reply", "resolution", "explaining", "leaving", "speed", "satisfaction")
    tables = {name: table for name in kinds if (table := fit(people, name, prior)) is not None}
    habits = (
        find_habits(people, tables["satisfaction"], settings["ratings"]["rater_prior"])
        if "satisfaction" in tables
        else {}
    )
    sums = {cadre: sum_up(cadre, person, tables, habits, settings) for cadre, person in people.items()}
    adjusted = adjust_all(people, sums, settings)
    loadings = load_factors(adjusted)
    found = {}
    for cadre in people:
        levels = {
            name: (
                one.rest[cadre] / math.sqrt(one.between),
                one.within / (one.effective[cadre] * one.between),
            )
            for name, one in adjusted.items()
            if cadre in one.rest
        }
        found[cadre] = publish(place(levels, loadings, settings), settings)
    return found


class Peers:
    """The scores of a peer group: who ranks where, who lies apart from the middle, how far a quota reaches."""

    def __init__(self, scores: Iterable[Decimal]) -> None:
        self.scores = sorted(scores)
        self.size = len(self.scores)
        self.middle = Fraction(sum(self.scores)) / self.size
        self.last_award = self.scores[-(self.size // PEERS_AN_AWARD)] if self.size >= FEWEST_PEERS else None

    def stand(self, one: Json) -> Json:
        score, lower, upper = (Decimal(one[name]) for name in ("score", "lower", "upper"))
        band = "above" if lower > self.middle else "below" if upper < self.middle else "middle"
        zone = ""
        if self.last_award is not None:
            zone = "clear" if lower >= self.last_award else "open" if upper >= self.last_award else "no"
        if Decimal(one["reliability"]) < LEAST_RELIABLE:
            band, zone = "not_enough_evidence", ""
        return {
            "rank": 1 + self.size - bisect_right(self.scores, score),
            "rank_best": 1 + self.size - bisect_right(self.scores, upper),
            "rank_worst": self.size - bisect_left(self.scores, lower),
            "band": band,
            "award_zone": zone,
        }


def stand_all(found: dict[str, Json], groups: dict[str, str]) -> dict[str, Json]:
    """All that a result says of a cadre."""
    scores: dict[str, list[Decimal]] = defaultdict(list)
    for cadre, one in found.items():
        scores[groups[cadre]].append(Decimal(one["score"]))
    peers = {group: Peers(own) for group, own in scores.items()}
    return {
        cadre: {"cadre": cadre, "peer_group": groups[cadre], **one, **peers[groups[cadre]].stand(one)}
        for cadre, one in found.items()
    }


def read_lines(file: Path) -> Iterator[Json]:
    with file.open(encoding="utf-8") as text:
        for number, line in enumerate(text, 1):
            try:
                document = json.loads(line, object_pairs_hook=without_repeats)
            except (ValueError, RecursionError) as error:
                raise Bad(f"line {number}: is not JSON: {error}") from None
            if not isinstance(document, dict):
                raise Bad(f"line {number}: is no package")
            yield document


def without_repeats(pairs: list[tuple[str, Any]]) -> Json:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a key stands there twice")
    return dict(pairs)


def hash_settings(settings: Json) -> str:
    def lines(table: Json, at: str = "") -> str:
        return "".join(
            lines(value, f"{at}{key}.") if isinstance(value, dict) else f"{at}{key}={value!r}\n"
            for key, value in sorted(table.items())
        )

    return hashlib.sha256(lines(settings).encode()).hexdigest()


def check(head: Json, lines: Iterable[Json]) -> dict[str, Json]:
    """Return what was found by cadre. Raises Bad, Unchecked."""
    if hash_settings(head["settings"]) != head["scheme"]["content_hash"]:
        raise Bad("the settings were altered: their hash does not fit")
    documents, inputs = read_package(head, lines)
    aside = {record for one in documents.values() for record in one["explanation"]["left_out"].get("set_aside", ())}
    people = {cadre: count_person(one, aside, head["span"], head["settings"]) for cadre, one in inputs.items()}
    groups = {cadre: person.place["peer_group"] for cadre, person in people.items()}
    found = stand_all(compute(people, head["settings"]), groups)
    for cadre, computed in found.items():
        check_document(cadre, documents[cadre], computed)
    return found


def check_document(cadre: str, document: Json, computed: Json) -> None:
    """Raises Bad, Unchecked."""
    if unknown := sorted(document.keys() - computed.keys() - HELD_BY_HASH):
        raise Unchecked(f"{cadre}: {unknown[0]} is not known to this program")
    for name, value in computed.items():
        if canonical(document[name]) != canonical(value):
            raise Bad(f"{cadre}: {name} is published as {document[name]!r}, and is {value!r}")


def read_package(head: Json, lines: Iterable[Json]) -> tuple[dict[str, Json], dict[str, Json]]:
    """Results and inputs by cadre, each under its hash, and all of them under the one of the period. Raises Bad."""
    first = {"scheme": head["scheme"], "span": head["span"], "window": head["window"]}
    total = hashlib.sha256(canonical(first) + b"\n")
    documents: dict[str, Json] = {}
    inputs: dict[str, Json] = {}
    last = ""
    for line in lines:
        cadre = line["cadre"]
        check_line(line, last)
        total.update(f"cadre {cadre} {line['inputs_hash']} {line['content_hash']}\n".encode())
        documents[cadre], inputs[cadre], last = line["document"], line["inputs"], cadre
    if len(documents) != head["result_count"]:
        raise Bad(f"{head['result_count']} scores belong to the period, and {len(documents)} are here")
    if total.hexdigest() != head["content_hash"]:
        raise Bad("the hash of the period does not fit what is here")
    return documents, inputs


def check_line(line: Json, last: str) -> None:
    """Raises Bad."""
    cadre = line["cadre"]
    for name, hash_name in (("inputs", "inputs_hash"), ("document", "content_hash")):
        if hash_of(line[name]) != line[hash_name]:
            raise Bad(f"{cadre}: the {name} were altered: their hash does not fit")
    if cadre <= last or line["inputs"]["cadre"]["cadre"] != cadre or line["document"]["cadre"] != cadre:
        raise Bad(f"{cadre}: stands here twice, in another place, or is somebody else's")


def run(file: Path, expected: str | None, cadre: str | None) -> list[str]:
    lines = read_lines(file)
    head = next(lines, None)
    if head is None or head.get("package") != "fair-1":
        raise Unchecked("this is no package of fair scores, or of a form that is not known here")
    if expected is not None and head["content_hash"] != expected:
        raise Bad(f"the hash is {head['content_hash']}, and not the one that you know")
    found = check(head, lines)
    told = [f"{len(found)} scores over {head['window']}, {head['content_hash']}"]
    if cadre is None:
        return told
    if cadre not in found:
        raise Unchecked("there is no such cadre in the package")
    return told + json.dumps(found[cadre], indent=1).splitlines()


def say(word: str, lines: Sequence[str]) -> None:
    """Nothing that stands in a package begins a line, moves a cursor, or cannot be written."""
    clean = ("".join(one if one.isprintable() else ascii(one)[1:-1] for one in line) for line in lines)
    text = f"{word} {chr(10).join(clean)}\n"
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="the exported package")
    parser.add_argument("--hash", help="the hash that you know from elsewhere")
    parser.add_argument("--cadre", help="the id of one whose score is told")
    options = parser.parse_args(arguments)
    try:
        found = run(options.file, options.hash, options.cadre)
    except Bad as error:
        say("BAD", [str(error)])
        return BAD
    except (Unchecked, OSError) as error:
        say("NOT CHECKED", [str(error)])
        return UNCHECKED
    except (KeyError, TypeError, AttributeError, ValueError, IndexError, ArithmeticError, RecursionError) as error:
        say("BAD", [f"the package is broken: {type(error).__name__}: {error}"])
        return BAD
    say("SOUND", found)
    return SOUND


if __name__ == "__main__":
    sys.exit(main())
