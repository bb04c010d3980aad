"""The whole way of the fair scheme: what holds whatever the records say."""

import random
from decimal import Decimal

import pytest

from services.assessment.fair.engine import judge
from services.assessment.fair.records import Cadre, Dossier
from services.assessment.fair.settings import INDICATORS, BadFairSettings, read_settings
from services.assessment.importing.records.cli import OWN_SETTINGS
from tests.unit.assessment.fair.towns import SPAN, make_explained_kind, make_town

TEXT = OWN_SETTINGS.read_text("utf-8")
SETTINGS = read_settings(TEXT)


def test_points_and_base_add_up_to_the_score() -> None:
    for result in judge(make_town(), SPAN, SETTINGS).results:
        assert result.base + sum(result.points.values()) == result.score
        assert result.lower <= result.score <= result.upper


def test_any_order_gives_the_same_results() -> None:
    town = make_town()
    expected = judge(town, SPAN, SETTINGS).results
    draw = random.Random(7)  # noqa: S311 - an order, not a secret

    for dossier in town:
        for records in (dossier.issues, dossier.ratings, dossier.contacts):
            draw.shuffle(records)
    draw.shuffle(town)

    assert judge(town, SPAN, SETTINGS).results == expected


def test_a_cadre_without_records_stands_at_the_mean_with_the_widest_interval() -> None:
    town = [*make_town(), Dossier(cadre=Cadre(cadre="nobody", peer_group="P0", region="R0", unit="U0"))]

    results = {result.cadre: result for result in judge(town, SPAN, SETTINGS).results}

    nobody = results["nobody"]
    assert (nobody.score, nobody.reliability) == (Decimal("75.00"), Decimal(0))
    assert nobody.band == "not_enough_evidence"
    assert nobody.upper - nobody.lower == max(result.upper - result.lower for result in results.values())


def test_nobody_at_all_and_one_alone_are_scored_without_a_fault() -> None:
    alone = make_town(cadres=1)

    assert judge([], SPAN, SETTINGS).results == ()
    assert len(judge(alone, SPAN, SETTINGS).results) == 1


def test_what_everybody_explained_is_no_evidence_and_no_fault() -> None:
    """Of a kind of which no matter was ever solved or not, nobody can tell how far its records scatter."""
    town = make_explained_kind(make_town())

    results = {result.cadre: result for result in judge(town, SPAN, SETTINGS).results}

    assert results["explains"].points["resolution"] == 0


def test_settings_have_one_hash_however_they_are_written() -> None:
    rearranged = "# other words\n" + TEXT.replace('reply = "0.10"\n', "").replace(
        "[weights]", '[weights]\nreply = "0.10"'
    )

    assert read_settings(rearranged).content_hash == SETTINGS.content_hash
    assert sum(SETTINGS.weight_of(name) for name in INDICATORS) == 1_000_000


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('resolution = "0.40"', 'resolution = "0.60"', "weights"),
        ('resolution = "0.40"', "resolution = 0.4", "weights.resolution"),
        ("rater_prior = 4", "", "lacks rater_prior"),
        ("rater_prior = 4", 'rater_prior = "4"', "ratings.rater_prior"),
        ("places = 2", "places = 9", "places"),
        ("[weights]", "[weights", "not TOML"),
        ('name = "fair"', 'name = "fair"\nextra = 1', "does not know extra"),
    ],
)
def test_wrong_settings_are_refused_with_their_place(old: str, new: str, place: str) -> None:
    assert old in TEXT

    with pytest.raises(BadFairSettings, match=place):
        read_settings(TEXT.replace(old, new, 1))
