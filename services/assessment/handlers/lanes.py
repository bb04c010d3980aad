"""The two lanes of a pass: its own, and one beside it in a transaction that is committed first.

All cells of a cadre are in one lane, and so is an organisation with cells of that lane alone: neither lane needs what
the other has not committed. What lies above, and what both have a part in, is left for the pass to sum at the end.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from services.assessment.domain.measures import NOBODY
from services.assessment.domain.schemes import Scheme
from services.assessment.handlers.counting import Moment, Months, count_cells, list_directly_above
from services.assessment.handlers.replacing import replace_scores
from services.assessment.storage import due, marking, tallies, units
from services.assessment.storage.due import DueCell, DueSubject
from shared.database import Connection, Pool, transaction
from shared.errors import Transient

CADRES_WORTH_DIVIDING = 100


class PassLost(Transient):
    code = "scoring-pass-lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    cells: list[DueCell]
    organisations: frozenset[UUID] = frozenset()  # with no cell in the other lane


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    own: Lane
    beside: Lane
    units: list[tuple[UUID, date]]  # months due without any cadre: nobody's cells


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    left: Months  # of organisations, to be summed with all above them
    changed: int  # scores that stand otherwise now


def divide(cells: Sequence[DueCell], subjects: Sequence[DueSubject], *, may_divide: bool) -> Division:
    """Halve the cadres along their organisations. Whoever is due as a whole stays in the pass's own lane, too."""
    units_due = [(cell.organisation_id, cell.month) for cell in cells if cell.cadre_id == NOBODY]
    of_cadres = [cell for cell in cells if cell.cadre_id != NOBODY]
    whole = {one.subject_id for one in subjects}
    places: dict[UUID, UUID] = {}
    for cell in of_cadres:
        if cell.cadre_id not in whole:
            places[cell.cadre_id] = min(cell.organisation_id, places.get(cell.cadre_id, cell.organisation_id))
    if not may_divide or len(places) < CADRES_WORTH_DIVIDING:
        return Division(own=Lane(cells=of_cadres), beside=Lane(cells=[]), units=units_due)
    in_line = sorted(places, key=lambda cadre_id: (places[cadre_id], cadre_id))
    there = set(in_line[len(in_line) // 2 :])
    own = [cell for cell in of_cadres if cell.cadre_id not in there]
    beside = [cell for cell in of_cadres if cell.cadre_id in there]
    own_units, other_units = ({cell.organisation_id for cell in lane} for lane in (own, beside))
    return Division(
        own=Lane(cells=own, organisations=frozenset(own_units - other_units)),
        beside=Lane(cells=beside, organisations=frozenset(other_units - own_units)),
        units=units_due,
    )


def score_lane(
    connection: Connection, lane: Lane, subjects: Sequence[DueSubject], scheme: Scheme, moment: Moment
) -> Done:
    """Count and score the cadres, and those organisations of the lane's own below which none ever stood."""
    counted = count_cells(connection, lane.cells, moment)
    changed = replace_scores(connection, "cadre", counted.cadres, subjects, scheme, moment)
    alone = lane.organisations - units.list_with_children(connection, lane.organisations)
    summed = {key: one for key, one in counted.organisations.items() if key[0] in alone}
    units.tally_organisations(connection, sorted(summed))
    changed += replace_scores(connection, "organisation", summed, (), scheme, moment)
    rest = {key: one for key, one in counted.organisations.items() if key not in summed}
    return Done(left=list_directly_above(connection, summed) | rest, changed=changed)


def score_beside(pool: Pool, lane: Lane, scheme: Scheme, moment: Moment, *, now: datetime, whose: int) -> Done:
    """As `score_lane`, committed, beside the pass whose transaction this process of the server has.

    What is left is due until a pass has summed it: the one beside may yet fail. Raises PassLost where it has ended
    before this: another may count and sum the same by now.
    """
    if not lane.cells:
        return Done(left={}, changed=0)
    with transaction(pool) as connection:
        done = score_lane(connection, lane, (), scheme, moment)
        due.remove_due(connection, lane.cells, (), seen_at=now)
        marking.mark_organisation_months(connection, done.left, nobody=NOBODY, marked_at=now)
        if not tallies.has_scoring_locked(connection, whose):
            raise PassLost("the scoring pass beside this lane has ended")
    return done
