"""How raters rate elsewhere: a rater's mean difference towards other cadres, drawn to none."""

from collections.abc import Iterable, Mapping

from services.assessment.fair.marks import Counted
from services.assessment.fair.reference import Table


def find_habits(everybody: Iterable[Counted], table: Table, prior: int) -> Mapping[tuple[str, str], int]:
    """Millionths by rater and cadre, for raters who rated others too. Ratings of no weight tell nothing."""
    sums: dict[str, dict[str, tuple[int, int]]] = {}
    for counted in everybody:
        cadre = counted.dossier.cadre.cadre
        for mark in counted.marks:
            if mark.indicator == "satisfaction" and mark.rater and mark.weight:
                own = sums.setdefault(mark.rater, {})
                count, total = own.get(cadre, (0, 0))
                own[cadre] = (count + 1, total + mark.value - table.expect(mark.cell))
    habits = {}
    for rater, cadres in sums.items():
        if len(cadres) > 1:
            count = sum(number for number, _ in cadres.values())
            total = sum(difference for _, difference in cadres.values())
            for cadre, (number, difference) in cadres.items():
                habits[rater, cadre] = round_half_even(total - difference, count - number + prior)
    return habits


def round_half_even(numerator: int, denominator: int) -> int:
    quotient, remainder = divmod(numerator, denominator)
    twice = 2 * remainder
    return quotient + (twice > denominator or (twice == denominator and quotient % 2 == 1))
