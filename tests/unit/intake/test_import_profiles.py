"""Profiles are data that anybody may write: what is wrong in one is named by its key, before any row is read."""

import re
import time
from pathlib import Path

import pytest

from services.intake.importing.patterns import LONGEST_SUBJECT, BadPattern, compile_pattern
from services.intake.importing.profile import (
    ProfileRefused,
    ProfileUnknown,
    list_profiles,
    load_profile,
    parse_profile,
)
from tests.unit.intake.import_files import ISSUES


@pytest.mark.parametrize("name", list_profiles())
def test_every_profile_that_we_bring_is_valid(name: str) -> None:
    assert load_profile(name).title.zh


@pytest.mark.parametrize(
    ("was", "becomes", "named"),
    [
        ('target = "issue"', 'target = "issue"\ncolour = "red"', "colour"),
        ('target = "issue"', 'target = "letter"', "target"),
        ('name = "town"', 'name = "../town"', "name"),
        ('zone = "Asia/Shanghai"', 'zone = "Asia/Atlantis"', "time"),
        ('"%Y-%m-%d %H:%M:%S"', '"%Y-%m-%d %Q"', "time"),
        ('type = { column = "类型"', 'type = { kolumn = "类型"', "fields.type.kolumn"),
        ('"投诉" = "complaint"', '"投诉" = "grumble"', "fields.type"),
        ('title = { column = "标题" }', "", "title"),
        ('title = { column = "标题" }', 'title = { column = "标题", constant = "x" }', "fields.title"),
        ('title = { column = "标题" }', 'title = { column = "标题" }\nmood = { column = "心情" }', "fields.mood"),
        ('match = ".*重复"', 'match = "(a+)+$"', "fields.outcome.patterns.0.match"),
        ('channel = { constant = "phone" }', 'channel = { constant = "pigeon" }', "fields.channel"),
        ("[time]", "[file]\nencoding = 'utf-7'\n[time]", "file.encoding"),
        ("[time]", "[time", "TOML"),
    ],
)
def test_a_wrong_profile_is_refused_and_the_key_is_named(was: str, becomes: str, named: str) -> None:
    assert was in ISSUES

    with pytest.raises(ProfileRefused) as refusal:
        parse_profile(ISSUES.replace(was, becomes, 1))

    assert named in refusal.value.detail


@pytest.mark.parametrize("name", ["../boston311", "boston311.toml", "/etc/passwd", "", "nowhere", "BOSTON311", "a\0b"])
def test_only_a_known_plain_name_finds_a_profile(name: str) -> None:
    with pytest.raises(ProfileUnknown):
        load_profile(name)


@pytest.mark.parametrize(
    "text", ["(a+)+", "(a|b)*", "a**", "x*y*z*", "(?=a)", "(?P<n>a)", r"(a)\1", "", "a{1,999}", "["]
)
def test_patterns_that_could_be_slow_or_strange_are_refused(text: str) -> None:
    with pytest.raises(BadPattern):
        compile_pattern(text)


@pytest.mark.parametrize("text", [".*.*x", "[ab]*[ab]*c", r"a*\w*!"])
def test_the_slowest_patterns_that_are_allowed_stay_quick(text: str) -> None:
    pattern = compile_pattern(text)
    started = time.process_time()

    assert pattern.match("a" * LONGEST_SUBJECT) is None

    assert time.process_time() - started < 0.1


def test_the_profile_in_the_guide_is_valid() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "import-profiles.md").read_text("utf-8")
    whole = "".join(re.findall(r"```toml\n(.*?)```", guide, re.DOTALL))

    assert parse_profile(whole).target == "issue"
