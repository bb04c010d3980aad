"""What the watch over the indicators keeps of one scored cadre: small whole numbers, one line for each indicator.

Whole numbers add up to the same sums in any order. What they tell of the indicators is said by
`services.assessment.scoring.fair_monitoring`.
"""

import math
from collections.abc import Mapping
from typing import Final

from services.assessment.fair.explaining import Case
from services.assessment.fair.factor import SELF_RECORDED, Term
from services.assessment.fair.marks import answer_of, clock_of
from services.assessment.fair.records import MICRO, Dossier
from services.assessment.fair.settings import INDICATORS

# In this order: what was observed before anything is taken off; of the matters that others asked the citizen about how
# many were not denied, where cadres record the indicator themselves; points and what the plausibility limit changed of
# them, whichever way; records and how many of them wait for a look; one standard deviation of true levels among peers.
FIGURES: Final = ("observed", "upheld", "points", "limited", "records", "set_aside", "true_spread")
WHOLE: Final = 10_000  # shares are ten-thousandths
CENTS: Final = 100  # points are hundredths
Line = list[int | None]


def watch_case(case: Case) -> list[Line]:
    """One line of FIGURES for each of INDICATORS."""
    dossier = case.measured.counted.dossier
    terms = {term.indicator: term for term in case.measured.position.terms}
    records = _count_records(dossier, frozenset())
    kept = _count_records(dossier, case.set_aside)
    upheld = _find_upheld(dossier)
    lines = []
    for name in INDICATORS:
        points, limited = _weigh_limit(terms.get(name))
        lines.append(
            [
                _observe(case, name),
                upheld if name in SELF_RECORDED else None,
                points,
                limited,
                records[name],
                records[name] - kept[name],
                _round(math.sqrt(case.yardstick.spreads[name][0]) * WHOLE) if name in terms else None,
            ]
        )
    return lines


def _observe(case: Case, name: str) -> int | None:
    """The mean of the records, also where all are alike, so that nothing can be told from it any more and it has no
    points. Of outreach the share that was made of what was owed: what is more fills nothing up.
    """
    measured = case.measured
    if name == "outreach":
        counted = measured.counted
        owed = counted.dossier.cadre.target * MICRO
        return min(WHOLE, _divide(counted.effective_contacts * WHOLE, owed)) if owed > 0 else None
    standing = measured.standings.get(name)
    if standing is None or not standing.weight:
        return None
    return _divide(standing.weighted * WHOLE, standing.weight * MICRO)


def _weigh_limit(term: Term | None) -> tuple[int, int]:
    """Points, and by how many they would be others if what cadres record themselves were believed as it is."""
    if term is None:
        return 0, 0
    believed = term.points * term.level / term.limited if term.limited else term.points
    return _round(abs(term.points) * CENTS), _round(abs(believed - term.points) * CENTS)


def _count_records(dossier: Dossier, without: frozenset[str]) -> Mapping[str, int]:
    """By indicator. What was said of a record that waits is not counted either."""
    issues = [issue.issue for issue in dossier.issues if issue.issue not in without]
    clocked = [issue for issue in issues if clock_of(issue) not in without]
    return {
        "timeliness": sum(answer_of(issue) not in without for issue in clocked),
        "reply": len(issues),
        "resolution": len(issues),
        "speed": len(clocked),
        "satisfaction": sum(without.isdisjoint((one.rating, one.subject)) for one in dossier.ratings),
        "outreach": sum(contact.contact not in without for contact in dossier.contacts),
    }


def _find_upheld(dossier: Dossier) -> int | None:
    """None where nobody asked. Of a contact it is known where who was called rated it, or knew of none."""
    called = {one.subject for one in dossier.ratings if one.subject_kind == "contact" and one.method == "callback"}
    told = [not (issue.is_denied or issue.is_disowned) for issue in dossier.issues if issue.is_checked]
    told += [not one.is_disowned for one in dossier.contacts if one.is_disowned or one.contact in called]
    return _divide(sum(told) * WHOLE, len(told)) if told else None


def _divide(part: int, whole: int) -> int:
    """Half away from zero."""
    units = (2 * abs(part) + whole) // (2 * whole)
    return -units if part < 0 else units


def _round(value: float) -> int:
    return _divide(*value.as_integer_ratio())
