"""The judges of every experiment: nothing lost, nothing invented, every effect exactly once. Pure functions."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field

from typing_extensions import override

from tests.harness.evidence import Evidence, LoggedEvent, Record, Row
from tests.harness.journal import History, Kind

SHOWN = 5
RECEIVED = "cn.lianxin.issue.received.v1"
CLOSED = "cn.lianxin.issue.closed.v1"


@dataclass(slots=True)
class Verdict:
    """What an oracle found. `lost`, `invented` and `doubled` count single records, events or effects."""

    oracle: str
    checked: int = 0
    lost: int = 0
    invented: int = 0
    doubled: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.faults

    @override
    def __str__(self) -> str:
        if self.holds:
            return f"{self.oracle}: holds ({self.checked} checked)"
        lines = "\n".join(f"  - {fault}" for fault in self.faults)
        return (
            f"{self.oracle}: BROKEN (lost {self.lost}, invented {self.invented}, doubled {self.doubled}, "
            f"of {self.checked} checked)\n{lines}"
        )

    def blame(self, fault: str, things: Iterable[object] = ()) -> None:
        listed = list(things)
        shown = ", ".join(str(thing) for thing in listed[:SHOWN])
        self.faults.append(fault + (f": {len(listed)}, such as {shown}" if listed else ""))


def judge(history: History, evidence: Evidence) -> list[Verdict]:
    return [check_no_loss(history, evidence), check_no_invention(history, evidence), check_exactly_once(evidence)]


def report(verdicts: Sequence[Verdict]) -> str:
    return "\n".join(str(verdict) for verdict in verdicts)


def check_no_loss(history: History, evidence: Evidence) -> Verdict:
    """O1: whatever was acknowledged is stored, and so is every step whose key was acknowledged."""
    verdict = Verdict("O1 no loss")
    for kind, stored in _stored(evidence).items():
        acked = history.acked.get(kind, set())
        verdict.checked += len(acked)
        _blame_lost(verdict, f"{kind}s acknowledged and not stored", acked - stored)
    kept = Counter(evidence.keys)
    steps = {(key, reference) for key, references in history.acked_keys.items() for reference in references}
    registered = history.acked.get("organisation", set()) | history.acked.get("cadre", set())
    steps = {(key, reference) for key, reference in steps if reference not in registered}
    verdict.checked += len(steps)
    _blame_lost(verdict, "keys acknowledged and not kept with their record", steps - kept.keys())
    return verdict


def check_no_invention(history: History, evidence: Evidence) -> Verdict:
    """O2: whatever is stored was asked for, and a key stands for one record at most."""
    verdict = Verdict("O2 no invention")
    by_key = {record for key, record in evidence.keys if key in history.nameless_keys}
    for kind, stored in _stored(evidence).items():
        verdict.checked += len(stored)
        invented = stored - history.attempted.get(kind, set()) - by_key
        verdict.invented += len(invented)
        if invented:
            verdict.blame(f"{kind}s stored and never asked for", invented)
    doubled_references = _repeated(record.reference for record in evidence.records())
    doubled_keys = _repeated(key for key, _ in evidence.keys)
    many_answers = [key for key, references in history.acked_keys.items() if len(references) > 1]
    for fault, things in (
        ("references stored more than once", doubled_references),
        ("keys kept more than once", doubled_keys),
        ("keys answered for with different records", many_answers),
    ):
        verdict.doubled += len(things)
        if things:
            verdict.blame(fault, things)
    asked = {key for key in history.nameless_keys if key in history.acked_keys}
    answered = {reference for key in asked for reference in history.acked_keys[key]}
    if len(answered) < len(asked):
        verdict.blame(f"{len(asked)} keys without an id of the client's own share {len(answered)} records")
    return verdict


def check_exactly_once(evidence: Evidence) -> Verdict:
    """O3: one set of events a record, each taken in once, each record a fact once and counted once."""
    verdict = Verdict("O3 exactly-once effect")
    _check_outbox(verdict, evidence)
    _compare(verdict, "events of the outbox in the inbox", [e.event_id for e in evidence.outbox], evidence.inbox)
    _compare(verdict, "events of the outbox in the event log", evidence.outbox, evidence.log)
    for name, records, facts in (
        ("contacts as facts", evidence.contacts, evidence.contact_facts),
        ("issues as facts", evidence.issues, evidence.issue_facts),
        ("ratings as facts", evidence.ratings, evidence.rating_facts),
    ):
        _compare(verdict, name, [record.content for record in records], facts)
    _check_counts(verdict, evidence)
    _check_scores(verdict, evidence)
    return verdict


def check_dead_letters(found: Sequence[str], seeded: Sequence[str]) -> Verdict:
    """O6: what was set aside is exactly the poison that was sown."""
    verdict = Verdict("O6 poison isolation")
    _compare(verdict, "poison set aside", list(seeded), list(found))
    return verdict


def _stored(evidence: Evidence) -> dict[Kind, set[str]]:
    return {
        "organisation": set(evidence.organisations),
        "cadre": set(evidence.cadres),
        "contact": {record.reference for record in evidence.contacts},
        "issue": {record.reference for record in evidence.issues},
        "rating": {record.reference for record in evidence.ratings},
    }


def _check_outbox(verdict: Verdict, evidence: Evidence) -> None:
    """Every record has as many events as its sequence says, numbered 1, 2, 3 ... without a gap."""
    expected = [(record.id, number) for record in evidence.records() for number in range(1, record.sequence + 1)]
    expected += [(entry, number) for entry, sequence in evidence.registers for number in range(1, sequence + 1)]
    _compare(
        verdict, "events of records in the outbox", expected, [(e.aggregate_id, e.sequence) for e in evidence.outbox]
    )
    _compare_types(verdict, "issues received", RECEIVED, evidence.outbox, evidence.issues, lambda _: True)
    _compare_types(verdict, "issues closed", CLOSED, evidence.outbox, evidence.issues, lambda row: row[-1] is not None)


def _compare_types(
    verdict: Verdict,
    name: str,
    event_type: str,
    outbox: Sequence[LoggedEvent],
    records: Sequence[Record],
    applies: Callable[[Row], bool],
) -> None:
    told = [event.aggregate_id for event in outbox if event.event_type == event_type]
    _compare(verdict, f"events of {name}", [record.id for record in records if applies(record.content)], told)


def _check_counts(verdict: Verdict, evidence: Evidence) -> None:
    expected = {
        "contacts": len(evidence.contacts),
        "issues": len(evidence.issues),
        "closed issues": sum(record.content[-1] is not None for record in evidence.issues),
        "ratings": len(evidence.ratings),
        "rating levels": sum(int(record.content[3]) for record in evidence.ratings),
    }
    for name, count in expected.items():
        verdict.checked += count
        counted = evidence.counted.get(name, 0)
        if counted != count:
            verdict.lost += max(0, count - counted)
            verdict.doubled += max(0, counted - count)
            verdict.blame(f"{name}: {count} stored, {counted} counted in the tallies")


def _check_scores(verdict: Verdict, evidence: Evidence) -> None:
    """Each is told as many times as it says, numbered 1, 2, 3 ..., and at last as it stands."""
    expected = [(score_id, number) for score_id, sequence, _ in evidence.scores for number in range(1, sequence + 1)]
    found = [(score_id, sequence) for score_id, sequence, _ in evidence.told_scores]
    _compare(verdict, "events of scores in the outbox", expected, found)
    last = {score_id: composite for score_id, _, composite in sorted(evidence.told_scores, key=lambda row: row[:2])}
    standing = [(score_id, composite) for score_id, sequence, composite in evidence.scores if sequence or composite]
    _compare(verdict, "scores as they were told last", standing, list(last.items()))


def _compare(verdict: Verdict, name: str, expected: Sequence[Hashable], found: Sequence[Hashable]) -> None:
    """Equal as multisets: what is missing was lost, what nobody expected was invented, what is there twice doubled."""
    verdict.checked += len(expected)
    wanted, seen = Counter(expected), Counter(found)
    _blame_lost(verdict, f"{name}, missing", list((wanted - seen).elements()))
    extra = seen - wanted
    doubled = [thing for thing in extra.elements() if thing in wanted]
    strange = [thing for thing in extra.elements() if thing not in wanted]
    verdict.doubled += len(doubled)
    verdict.invented += len(strange)
    if doubled:
        verdict.blame(f"{name}, there more than once", doubled)
    if strange:
        verdict.blame(f"{name}, there and not expected", strange)


def _blame_lost(verdict: Verdict, fault: str, things: Iterable[object]) -> None:
    listed = list(things)
    verdict.lost += len(listed)
    if listed:
        verdict.blame(fault, listed)


def _repeated(things: Iterable[Hashable]) -> list[Hashable]:
    return [thing for thing, count in Counter(things).items() if count > 1]
