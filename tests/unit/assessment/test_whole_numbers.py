from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from services.assessment.domain.schemes import merge_definition, read_scheme
from services.assessment.scoring.composites import compose, compute_by_engine, compute_scores, restore
from services.assessment.scoring.whole_numbers import to_share

HOME = Path(__file__).parents[3] / "services" / "assessment"
BASIC = read_scheme(
    merge_definition(
        (HOME / "schemes" / "basic-1.toml").read_text("utf-8"), (HOME / "indicators.toml").read_text("utf-8")
    )
)
TEN_THOUSANDTHS = 1_000_000  # of a hundred


@st.composite
def schemes(draw):
    """Up to eight indicators of any weights that come to a hundred, each with its own fewest cases."""
    count = draw(st.integers(1, 8))
    cuts = sorted(
        draw(st.lists(st.integers(1, TEN_THOUSANDTHS - 1), min_size=count - 1, max_size=count - 1, unique=True))
    )
    weights = [later - sooner for sooner, later in zip([0, *cuts], [*cuts, TEN_THOUSANDTHS], strict=True)]
    return replace(
        BASIC,
        minimum_present_weight=Decimal(draw(st.integers(1, TEN_THOUSANDTHS))) / 10_000,
        indicators=tuple(
            replace(
                BASIC.indicators[0],
                key=f"i{at}",
                numerator=(f"n{at}",),
                denominator=(f"d{at}",),
                weight=Decimal(weight) / 10_000,
                minimum_denominator=draw(st.integers(0, 6)),
            )
            for at, weight in enumerate(weights)
        ),
    )


COUNTS = st.one_of(st.integers(0, 12), st.integers(0, 400), st.integers(0, 10**9))


@settings(max_examples=600, deadline=None)
@given(scheme=schemes(), data=st.data())
def test_whole_numbers_say_what_the_engine_says_to_the_last_digit(scheme, data):
    size = len(scheme.indicators)
    rows = data.draw(
        st.lists(st.tuples(*[st.tuples(COUNTS, COUNTS) for _ in range(size)]), min_size=1, max_size=8, unique=True)
    )
    measures = [
        {f"{part}{at}": pair[place] for at, pair in enumerate(row) for place, part in enumerate("nd")} for row in rows
    ]

    found = compute_scores(measures, scheme)

    by_engine = compute_by_engine(rows, scheme)
    assert found == by_engine
    assert list(map(repr, found)) == list(map(repr, by_engine))  # 55 and 55.0000 are equal, and written otherwise
    for row, result in zip(rows, by_engine, strict=True):
        counts = tuple(count for pair in row for count in pair)
        assert compose(counts, scheme) == (result.composite, result.present_weight)
        assert restore(counts, scheme) == result


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 30), st.integers(1, 30), st.integers(0, 4))
def test_a_half_goes_up_as_a_share(numerator, denominator, places):
    exact = Fraction(numerator, denominator)

    rounded = Fraction(to_share(numerator, denominator, places))

    assert abs(rounded - exact) * 2 * 10**places <= 1
    assert rounded - exact != Fraction(-1, 2 * 10**places)
