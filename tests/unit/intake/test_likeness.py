"""How alike texts are: near to what their pairs of characters have in common, and nothing to read without the key."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.likeness import ALIKE, BINS, likeness, sketch

KEY = b"k" * 16
LAMP = "人民路与和平街路口的路灯坏了三天没有人来修，晚上很黑不安全"


def alike(one, other, *, key=KEY):
    first, second = sketch(one, key=key), sketch(other, key=key)
    assert first is not None
    assert second is not None
    return likeness(first.words, second.words)


def pairs(text):
    return {text[place : place + 2] for place in range(len(text) - 1)}


def test_the_same_words_are_wholly_alike_however_they_are_set():
    assert alike(LAMP, LAMP) == 100
    assert alike("Ｌａｍｐ at 12, Main St.", "lamp at 12 main st") == 100


@pytest.mark.parametrize(
    "other",
    [
        "人民路和平街路口路灯坏了三天没人来修，晚上很黑不安全",
        "反映：人民路与和平街路口的路灯坏了三天没有人来修，晚上很黑，不安全。",
    ],
)
def test_the_same_matter_in_other_words_is_alike(other):
    assert alike(LAMP, other) >= ALIKE


@pytest.mark.parametrize(
    "other",
    [
        "小区物业乱收停车费，多次反映没有结果，请有关部门调查处理",
        "咨询城乡居民医疗保险的缴费时间和办理地点",
        "农田灌溉渠淤堵，请安排清理",
    ],
)
def test_another_matter_is_not(other):
    assert alike(LAMP, other) < ALIKE


@pytest.mark.parametrize("text", ["", "路", "路灯", "。。。！！！", " \n\t", "a1"])
def test_a_text_too_short_is_like_nothing(text):
    assert sketch(text, key=KEY) is None


def test_without_the_key_the_same_words_look_like_others():
    mine, theirs = sketch(LAMP, key=KEY), sketch(LAMP, key=b"x" * 16)
    assert mine is not None
    assert theirs is not None

    assert likeness(mine.words, theirs.words) <= 7
    assert not set(mine.bands) & set(theirs.bands)


def test_what_is_estimated_lies_near_what_is_shared():
    draw = random.Random(5)  # noqa: S311 - reproducible draws, not secrets
    letters = [chr(0x4E00 + number) for number in range(400)]
    errors = []
    for _ in range(300):
        kept = [draw.choice(letters) for _ in range(80)]
        other = [draw.choice(letters) if draw.random() < 0.25 else letter for letter in kept]
        one, two = "".join(kept), "".join(other)
        shared = len(pairs(one) & pairs(two)) / len(pairs(one) | pairs(two))
        errors.append(alike(one, two) / 100 - shared)

    assert abs(sum(errors) / len(errors)) < 0.02  # unbiased
    assert sum(abs(error) for error in errors) / len(errors) < 0.09


def test_alike_texts_nearly_always_share_a_band():
    draw = random.Random(7)  # noqa: S311 - as above
    letters = [chr(0x4E00 + number) for number in range(400)]
    missed = 0
    for _ in range(300):
        kept = [draw.choice(letters) for _ in range(60)]
        other = [draw.choice(letters) if draw.random() < 0.15 else letter for letter in kept]
        one, two = sketch("".join(kept), key=KEY), sketch("".join(other), key=KEY)
        assert one is not None
        assert two is not None
        missed += likeness(one.words, two.words) >= 50 and not set(one.bands) & set(two.bands)

    assert missed <= 3


@given(st.text(max_size=300))
def test_any_text_has_a_sketch_of_one_size_or_none(text):
    drawn = sketch(text, key=KEY)

    assert drawn is None or (len(drawn.words) == BINS * 4 and len(drawn.bands) == BINS // 2)
    assert drawn == sketch(text, key=KEY)
