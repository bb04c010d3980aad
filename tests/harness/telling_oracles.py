"""The judges of what was told: to everybody who was to be, no more often than replies were lost, in order. Pure."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable

from tests.harness.oracles import Verdict
from tests.harness.sinks import HandOver
from tests.harness.tellings import PLACES, Owed, Tellings

Message = tuple[str, str]  # place and reference


def judge_tellings(tellings: Tellings) -> list[Verdict]:
    return [
        check_all_told(tellings),
        check_repeats(tellings),
        check_nothing_invented(tellings),
        check_order(tellings),
    ]


def check_all_told(tellings: Tellings) -> Verdict:
    """O5a: each event reached each receiver, each cadre was told over each channel, or it says why not."""
    verdict = Verdict("O5 all told")
    heard = {(one.place, one.reference) for one in tellings.hand_overs if one.answered}
    webhooks = [(hook, event.event_id) for hook in tellings.hooks for event in tellings.events]
    verdict.checked += len(webhooks)
    _lose(verdict, "events that a receiver never got", (one for one in webhooks if one not in heard))
    digests = dict(tellings.digests)
    verdict.checked += len(tellings.assigned)
    _lose(verdict, "assignments that nobody was told of", (one for one in tellings.assigned if one not in digests))
    for event_id in tellings.assigned:
        messages = tellings.owed.get(digests.get(event_id, ""), [])
        for channel, place in PLACES.items():
            own = [one for one in messages if one.channel == channel]
            verdict.checked += 1
            if event_id in digests and not any(_is_done(one, place, heard) for one in own):
                _lose(verdict, f"assignments not told by {channel}", [event_id])
    twice = _repeated(event_id for event_id, _ in tellings.digests)
    verdict.doubled += len(twice)
    if twice:
        verdict.blame("assignments told in more than one message", twice)
    return verdict


def check_repeats(tellings: Tellings) -> Verdict:
    """O5b: a message is handed over once, and once more for each reply to it that the sender never heard.

    A reply was lost where the receiver did not answer, or where the attempt has no end in the books: its sender died.
    """
    verdict = Verdict("O5 repeats")
    handed = Counter((one.place, one.reference) for one in tellings.hand_overs)
    unanswered = Counter((one.place, one.reference) for one in tellings.hand_overs if not one.answered)
    verdict.checked = len(handed)
    for message, count in handed.items():
        extra = count - 1 - unanswered[message] - tellings.unheard[message]
        if extra > 0:
            verdict.doubled += extra
            verdict.blame(
                f"handed over {count} times for {unanswered[message]} + {tellings.unheard[message]}", [message]
            )
    return verdict


def check_nothing_invented(tellings: Tellings) -> Verdict:
    """O5c: whatever was handed over was owed, and says the same under the same reference on every repeat."""
    verdict = Verdict("O5 nothing invented")
    known: set[Message] = {(hook, event.event_id) for hook in tellings.hooks for event in tellings.events}
    known |= {(PLACES[one.channel], one.reference) for owed in tellings.owed.values() for one in owed}
    bodies: dict[Message, set[bytes]] = defaultdict(set)
    for one in tellings.hand_overs:
        bodies[one.place, one.reference].add(one.body)
    verdict.checked = len(bodies)
    strange = bodies.keys() - known
    verdict.invented = len(strange)
    if strange:
        verdict.blame("handed over and owed to nobody", strange)
    changed = [message for message, said in bodies.items() if len(said) > 1]
    if changed:
        verdict.blame("said something else when they were repeated", changed)
    return verdict


def check_order(tellings: Tellings) -> Verdict:
    """O5d: within a subject a receiver hears of each event for the first time in the order of their sequence."""
    verdict = Verdict("O5 order")
    events = {event.event_id: event for event in tellings.events}
    told: dict[tuple[str, str], list[int]] = defaultdict(list)
    for one in _firsts(tellings.hand_overs):
        event = events.get(one.reference)
        if event is not None and one.place in tellings.hooks:
            told[one.place, event.subject].append(event.sequence)
    verdict.checked = len(told)
    disordered = [place for place, sequences in told.items() if sequences != sorted(sequences)]
    if disordered:
        verdict.blame("told out of order", disordered)
    return verdict


def count_extra(tellings: Tellings) -> tuple[int, int, int]:
    """Hand-overs beyond the first of each message, replies that receivers kept back, and attempts without an end."""
    handed = Counter((one.place, one.reference) for one in tellings.hand_overs)
    return (
        sum(handed.values()) - len(handed),
        sum(not one.answered for one in tellings.hand_overs),
        tellings.unheard.total(),
    )


def _is_done(owed: Owed, place: str, heard: set[Message]) -> bool:
    return (place, owed.reference) in heard or (owed.status in {"failed", "expired"} and bool(owed.reason))


def _firsts(hand_overs: Iterable[HandOver]) -> list[HandOver]:
    firsts: dict[Message, HandOver] = {}
    for one in hand_overs:
        if one.answered:
            firsts.setdefault((one.place, one.reference), one)
    return list(firsts.values())


def _lose(verdict: Verdict, fault: str, things: Iterable[object]) -> None:
    listed = list(things)
    verdict.lost += len(listed)
    if listed:
        verdict.blame(fault, listed)


def _repeated(things: Iterable[Hashable]) -> list[Hashable]:
    return [thing for thing, count in Counter(things).items() if count > 1]
