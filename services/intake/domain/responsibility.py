"""Who answers for an issue, and for how much of it: a ledger of time-sliced shares that sum to one. Pure.

The rule, one sentence each:

- The time from the first assignment until the closing is shared out; waiting to be dispatched is nobody's.
- Who leads answers for the time of leading; who returns an issue leads on until somebody else does.
- Assisting units answer together for a stated part of the time in which they assist, in equal parts.
- Who hands an issue on in the last part of its time, or calls others in, keeps it as it was: a late hand-over moves
  neither credit nor blame.
- Time under an assignment that another person found wrong, on objection, counts for nobody.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final, Literal
from uuid import UUID

Role = Literal["lead", "assisting"]

WHOLE: Final = 1_000_000  # shares are counted in millionths, so that they sum to one exactly
INSTANT: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareRule:
    """`late_part` is the last part of an issue's time, in which handing it on moves nothing. Both are in millionths."""

    version: int
    assisting_part: int
    late_part: int


RULE: Final = ShareRule(version=1, assisting_part=300_000, late_part=250_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    organisation_id: UUID
    cadre_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """From `at` on this unit leads and these assist. `due_at` is the closing deadline that was in force just then.

    `was_wrong` marks an assignment that an objection undid; `is_ordered` one that follows from such a decision, and
    is therefore no handing on.
    """

    at: datetime
    lead: Holder
    assisting: tuple[UUID, ...] = ()
    due_at: datetime | None = None
    was_wrong: bool = False
    is_ordered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one holder answers for in one slice of time, in millionths of the whole issue."""

    from_at: datetime
    until_at: datetime
    holder: Holder
    role: Role
    millionths: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Slice:
    from_at: datetime
    until_at: datetime
    turn: Turn


def share_out(turns: Sequence[Turn], *, until: datetime, rule: ShareRule = RULE) -> tuple[Share, ...]:
    """Share an issue out among those who held it. `turns` are in order of time; without any there are no shares.

    The shares of an issue that was ever assigned sum to WHOLE: floors, and what is left to the largest remainders.
    """
    held = list(_settle(turns, until=until, rule=rule))
    slices = [piece for piece in _cut(held, until=until) if not piece.turn.was_wrong]
    if not slices and held:
        slices = [_Slice(from_at=held[-1].at, until_at=max(until, held[-1].at), turn=held[-1])]
    parts = [part for piece in slices for part in _split(piece, rule)]
    return _round(parts)


def sum_up(shares: Iterable[Share]) -> dict[tuple[Holder, Role], int]:
    """Total the slices of each holder, in order of first holding."""
    totals: dict[tuple[Holder, Role], int] = {}
    for share in shares:
        key = (share.holder, share.role)
        totals[key] = totals.get(key, 0) + share.millionths
    return totals


def _settle(turns: Sequence[Turn], *, until: datetime, rule: ShareRule) -> Iterator[Turn]:
    """Yield the turns as they count: a late hand-over leaves the lead, and the assisting units, with its sender."""
    standing: Turn | None = None
    first_at = turns[0].at if turns else until
    for turn in turns:
        if standing is not None and turn.at >= until:
            return
        if (
            standing is None
            or standing.was_wrong
            or turn.is_ordered
            or not _is_late(turn, first_at=first_at, until=until, rule=rule)
        ):
            standing = turn
        else:
            standing = replace(standing, at=turn.at, due_at=turn.due_at)
        yield standing


def _is_late(turn: Turn, *, first_at: datetime, until: datetime, rule: ShareRule) -> bool:
    """Where no deadline was in force, the issue's time is what it took in the end."""
    end = turn.due_at or until
    left = (end - turn.at) // INSTANT
    whole = (end - first_at) // INSTANT
    return left * WHOLE <= whole * rule.late_part


def _cut(turns: Sequence[Turn], *, until: datetime) -> Iterator[_Slice]:
    ends = [*(turn.at for turn in turns[1:]), until]
    for turn, end in zip(turns, ends, strict=False):
        if end > turn.at:
            yield _Slice(from_at=turn.at, until_at=end, turn=turn)


def _split(piece: _Slice, rule: ShareRule) -> Iterator[tuple[Fraction, Share]]:
    weight = max(1, (piece.until_at - piece.from_at) // INSTANT)
    lead = piece.turn.lead
    units = tuple(unit for unit in dict.fromkeys(piece.turn.assisting) if unit != lead.organisation_id)
    given_away = Fraction(rule.assisting_part, WHOLE) if units else Fraction(0)
    share = Share(from_at=piece.from_at, until_at=piece.until_at, holder=lead, role="lead", millionths=0)
    yield weight * (1 - given_away), share
    for unit in units:
        yield weight * given_away / len(units), replace(share, holder=Holder(organisation_id=unit), role="assisting")


def _round(parts: Sequence[tuple[Fraction, Share]]) -> tuple[Share, ...]:
    total = sum(weight for weight, _ in parts)
    exact = [weight * WHOLE / total for weight, _ in parts]
    floors = [part.numerator // part.denominator for part in exact]
    by_remainder = sorted(range(len(parts)), key=lambda place: (floors[place] - exact[place], place))
    for place in by_remainder[: WHOLE - sum(floors)] if parts else ():
        floors[place] += 1
    return tuple(replace(share, millionths=count) for count, (_, share) in zip(floors, parts, strict=True))
