"""What must hold for every table: parts add up, order does not matter, halves go up, better is never worse."""

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from services.assessment.importing.tables import lay_out
from services.assessment.scoring.evaluating import evaluate
from services.assessment.scoring.numbers import places_of, round_to, settle
from tests.unit.assessment.rules.schemes import scheme_of

SCHEME = scheme_of(
    """
[measures]
a = "a"
b = "b"
events = { column = "events", blank = 0 }
g = { column = "g", type = "text" }
[groups]
by = ["g"]
[sections.base]
weight = 0.9
ceiling = 95
round = 2
[items.share]
section = "base"
kind = "proportional"
value = "a"
full = 60
missing = "rescale"
[items.slope]
section = "base"
kind = "target_slope"
value = "b"
target = 95
full = 40
slope = 1.5
missing = "rescale"
[items.best]
kind = "best_ratio"
value = "a"
full = 10
without_reference = "zero"
missing = "group_mean"
[items.late]
kind = "deduction"
count = "events"
each = 0.3
tiers = [{ from = 4, each = 0.7 }]
at_most = 6
[total]
ceiling = 100
floor = 0
round = 1
[[gates]]
when = "events > 30"
effect = "cap"
value = 59
[[rankings]]
"""
)

rates = st.one_of(st.just(""), st.decimals(0, 100, places=2, allow_nan=False).map(str))
rows = st.lists(
    st.tuples(rates, rates, st.integers(0, 40).map(str), st.sampled_from(["A", "B"])), min_size=1, max_size=12
)


def outcome_of(cells):
    lines = [["unit", "a", "b", "events", "g"], *([f"u{number}", *row] for number, row in enumerate(cells))]
    return evaluate(SCHEME, lay_out(lines, SCHEME)[0])


def seen(outcome):
    return {
        subject: (
            outcome.totals[at].total,
            [(part.part, part.key, part.amount) for part in outcome.totals[at].contributions],
            outcome.ranks["place"][at],
        )
        for at, subject in enumerate(outcome.table.subjects)
    }


@settings(max_examples=40)
@given(rows)
def test_contributions_add_up_to_the_total_to_the_last_digit(cells):
    for one in outcome_of(cells).totals:
        if one.total is not None:
            assert sum(part.amount for part in one.contributions) == one.total
            assert places_of(one.total) is not None
            assert 0 <= one.total <= 100


@settings(max_examples=40)
@given(rows, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(cells, random):
    lines = [[f"u{number}", *row] for number, row in enumerate(cells)]
    shuffled = random.sample(lines, len(lines))
    header = ["unit", "a", "b", "events", "g"]

    one = evaluate(SCHEME, lay_out([header, *lines], SCHEME)[0])
    other = evaluate(SCHEME, lay_out([header, *shuffled], SCHEME)[0])

    assert seen(one) == seen(other)


@settings(max_examples=40)
@given(st.decimals(0, 100, places=2), st.decimals(0, 100, places=2), st.integers(0, 60), st.integers(0, 60))
def test_more_is_never_worth_less_and_more_events_are_never_worth_more(one, other, few, many):
    low, high = sorted((one, other))
    fewer, more = sorted((few, many))

    rising = outcome_of([(str(low), str(low), "0", "A"), (str(high), str(high), "0", "B")]).totals
    falling = outcome_of([("90", "90", str(fewer), "A"), ("90", "90", str(more), "B")]).totals

    assert rising[0].total <= rising[1].total
    assert falling[0].total >= falling[1].total


@given(st.fractions(-1000, 1000, max_denominator=10_000), st.integers(0, 6))
def test_rounding_is_to_the_nearest_and_a_half_goes_away_from_zero(value, places):
    unit = Fraction(1, 10**places)
    rounded = round_to(value, places)

    assert (rounded / unit).denominator == 1
    assert abs(rounded - value) <= unit / 2
    if abs(rounded - value) == unit / 2:
        assert abs(rounded) > abs(value)
    assert round_to(-value, places) == -rounded
    assert abs(round_to(value, places, "down")) <= abs(value) <= abs(round_to(value, places, "up"))


@settings(max_examples=200)
@given(
    st.lists(st.fractions(-50, 50, max_denominator=997), min_size=1, max_size=9),
    st.integers(0, 3),
    st.sampled_from(["half_up", "down", "up", "half_even"]),
)
def test_parts_are_settled_on_a_rounded_whole(parts, places, mode):
    total = round_to(sum(parts), places, mode)
    settled = settle(parts, total, places)

    assert sum(settled) == total
    assert all((part * 10**places).denominator == 1 for part in settled)
