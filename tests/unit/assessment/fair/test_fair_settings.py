"""Settings of the fair scheme: what is just allowed, and what is just not."""

import hashlib
import tomllib
from dataclasses import asdict
from pathlib import Path

import pytest

from services.assessment.fair.records import MICRO
from services.assessment.fair.settings import (
    INDICATORS,
    LARGEST,
    LONGEST,
    BadFairSettings,
    FairSettings,
    read_settings,
    read_settings_of,
)
from services.assessment.importing.records.cli import OWN_SETTINGS

TEXT = OWN_SETTINGS.read_text("utf-8")


def _read(old: str, new: str) -> FairSettings:
    assert TEXT.count(old) >= 1
    return read_settings(TEXT.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("places = 2", "places = 1"),
        ("places = 2", "places = 4"),
        ("version = 8", "version = 1"),
        ('name = "fair"', f'name = "{"x" * 64}"'),
        ('resolution = "0.40"', 'resolution = "0.5"\nreply = "0.00"'),
        ('solved_late = "0.8"', 'solved_late = "100"'),
        ('solved_late = "0.8"', 'solved_late = "-100"'),
        ('solved_late = "0.8"', 'solved_late = "0.000001"'),
        ('solved_late = "0.8"', f'solved_late = "0.{"0" * 18}"'),
        ('name = "fair"', 'name = "x"'),
        ("rater_prior = 4", "rater_prior = 0"),
        ("rater_prior = 4", f"rater_prior = {LARGEST}"),
    ],
)
def test_what_is_just_allowed(old: str, new: str) -> None:
    text = TEXT.replace('reply = "0.10"\n', "") if "reply" in new else TEXT

    assert old in text
    read_settings(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("places = 2", "places = 0"),
        ("places = 2", "places = 5"),
        ("version = 8", "version = 0"),
        ('name = "fair"', f'name = "{"x" * 65}"'),
        ('name = "fair"', 'name = ""'),
        ('name = "fair"', "name = 3"),
        ('resolution = "0.40"', 'resolution = "0.41"'),
        ('solved_late = "0.8"', 'solved_late = "100.000001"'),
        ('solved_late = "0.8"', 'solved_late = "-100.000001"'),
        ('solved_late = "0.8"', 'solved_late = "0.0000001"'),
        ('solved_late = "0.8"', 'solved_late = "NaN"'),
        ('solved_late = "0.8"', 'solved_late = "Infinity"'),
        ('solved_late = "0.8"', 'solved_late = "much"'),
        ('solved_late = "0.8"', f'solved_late = "0.{"0" * 19}"'),
        ('solved_late = "0.8"', "solved_late = 1"),
        ("rater_prior = 4", "rater_prior = -1"),
        ("rater_prior = 4", f"rater_prior = {LARGEST + 1}"),
        ("rater_prior = 4", "rater_prior = true"),
        ("[signals]", "[signals]\nsecret = 1"),
    ],
)
def test_what_is_just_not_allowed(old: str, new: str) -> None:
    with pytest.raises(BadFairSettings, match="settings"):
        _read(old, new)


def test_no_weight_is_beyond_a_half_or_below_nothing() -> None:
    heavy = TEXT.replace('resolution = "0.40"', 'resolution = "0.51"').replace(
        'satisfaction = "0.30"', 'satisfaction = "0.19"'
    )
    negative = TEXT.replace('reply = "0.10"', 'reply = "-0.000001"').replace(
        'satisfaction = "0.30"', 'satisfaction = "0.400001"'
    )

    for text in (heavy, negative):
        with pytest.raises(BadFairSettings, match=r"weights: must be from 0 to 0\.5"):
            read_settings(text)


def test_a_text_has_an_end() -> None:
    assert read_settings(TEXT + "#" * (LONGEST - len(TEXT))).version == 8
    with pytest.raises(BadFairSettings, match="longer than"):
        read_settings(TEXT + "#" * (LONGEST - len(TEXT) + 1))


def test_what_came_after_version_2_is_off_in_it() -> None:
    text = (Path(__file__).parent / "fair-2.toml").read_text("utf-8")
    new = asdict(read_settings(text).signals).keys() - tomllib.loads(text)["signals"].keys()

    signals = asdict(read_settings(text).signals)

    assert {name: signals[name] for name in new if signals[name]} == {"clock_most": 100, "burst_missing": 100}
    assert (read_settings(text).values.left_out_margin, read_settings(text).values.usual_from_none) == (0, 0)
    assert read_settings(text).values.told_sooner == 0
    assert (read_settings(text).values.disowned, read_settings(text).outreach.disowned) == (0, MICRO)
    assert read_settings(text).standing.clocks_vouch == 1
    assert {
        "labels_odds",
        "clock_office",
        "rarest_kind",
        "answer_odds",
        "admitted_odds",
        "best_odds",
        "harder_odds",
        "late_share",
    } <= new


def test_other_settings_have_another_hash() -> None:
    assert _read("rater_prior = 4", "rater_prior = 5").content_hash != read_settings(TEXT).content_hash


def test_the_hash_is_of_what_is_set_whatever_the_order_and_the_comments() -> None:
    document = tomllib.loads(TEXT)
    turned = dict(reversed(document.items()))
    turned["weights"] = dict(reversed(document["weights"].items()))

    assert read_settings_of(turned) == read_settings(TEXT)
    assert read_settings(f"# a note\n\n{TEXT}") == read_settings(TEXT)


def test_the_hash_is_that_of_the_lines_of_all_settings_with_their_place() -> None:
    document = tomllib.loads(TEXT)
    lines = []
    for name, value in document.items():
        if isinstance(value, dict):
            lines += [f"{name}.{key}={one!r}" for key, one in value.items()]
        else:
            lines.append(f"{name}={value!r}")
    ordered = sorted(lines, key=lambda line: line.partition("=")[0].split("."))

    text = "".join(f"{line}\n" for line in ordered)

    assert read_settings(TEXT).content_hash == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("places = 2", "", "settings: lacks places"),
        ('reply = "0.10"\n', "", "settings.weights: lacks reply"),
        ("[signals]", "[signals]\nb = 1\na = 1", "settings.signals: does not know a, b"),
        ("rater_prior = 4", 'rater_prior = "4"', "settings.ratings.rater_prior: must be a whole number"),
        ('reply = "0.10"', "reply = 1", "settings.weights.reply: must be a text such as"),
        ("[weights]", "[weights", "settings: not TOML"),
    ],
)
def test_a_fault_is_told_with_its_place(old: str, new: str, said: str) -> None:
    with pytest.raises(BadFairSettings) as refused:
        _read(old, new)

    assert str(refused.value).startswith(said)
    assert refused.value.code == "bad-fair-settings"


def test_what_should_be_a_table_is_one() -> None:
    document = tomllib.loads(TEXT)

    with pytest.raises(BadFairSettings, match=r"settings\.weights: must be a table"):
        read_settings_of({**document, "weights": 5})


def test_fractions_are_read_to_the_millionth() -> None:
    settings = _read('solved_late = "0.8"', 'solved_late = "0.800001"')

    assert settings.values.solved_late == 800_001
    assert [settings.weight_of(name) for name in INDICATORS] == [100_000, 100_000, 400_000, 50_000, 300_000, 50_000]
