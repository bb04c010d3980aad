"""Which passwords are accepted, and at what cost they are kept."""

import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.credentials import HashCost, PasswordHashing, TooBusy
from services.identity.domain.passwords import PasswordRules, WeakPassword, check_password, normalise_password

RULES = PasswordRules()
OWN = ["li.na", "li", "na", "李娜"]


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "tangerine-window-42",
        "quiet copper river",
        "一碗阳春面加两个荷包蛋不要香菜",
        "xK7#pQ2!mZ9$",
        "aaaaaaaa-umbrella-fork",
    ],
)
def test_long_and_not_obvious_is_enough(password):
    check_password(password, rules=RULES, own_words=OWN)


@pytest.mark.parametrize(
    "password",
    [
        "",
        "xK7#pQ2!mZ9",
        "passwordpassword",
        "Password123456!",
        "P@ssw0rd2026!!",
        "qwertyuiop123",
        "123456789012",
        "aaaaaaaaaaaa",
        "abcdefghijkl",
        "lianxin-2026-admin",
        "Admin123456admin",
        "li.na-li.na-2026",
        "x" * 129,
    ],
)
def test_the_obvious_the_short_and_the_endless_are_refused(password):
    with pytest.raises(WeakPassword) as refusal:
        check_password(password, rules=RULES, own_words=OWN)

    assert password == "" or password not in refusal.value.detail


def test_composition_is_asked_for_only_where_it_is_the_law():
    law = PasswordRules(composition=True)
    check_password("tangerine window cloud", rules=RULES, own_words=OWN)

    with pytest.raises(WeakPassword):
        check_password("tangerine window cloud", rules=law, own_words=OWN)
    check_password("Tangerine window cloud 4", rules=law, own_words=OWN)


@given(st.text(max_size=200))
def test_any_text_is_accepted_or_refused_and_nothing_else(password):
    try:
        check_password(normalise_password(password), rules=RULES, own_words=OWN)
    except WeakPassword:
        return
    assert 12 <= len(normalise_password(password)) <= 128


def test_a_password_typed_in_another_normal_form_is_the_same():
    assert normalise_password("cafe\u0301-au-lait") == normalise_password("caf\u00e9-au-lait")


def test_the_usual_cost_is_the_recommended_one_of_rfc_9106():
    assert HashCost() == HashCost(memory_kib=65_536, passes=3, lanes=4)
    assert inspect.signature(PasswordHashing.__init__).parameters["at_once"].default == 2


def test_a_flood_waits_for_its_turn_and_then_is_sent_away():
    hashing = PasswordHashing(HashCost(memory_kib=1_024, passes=1, lanes=1), at_once=1, patience_seconds=0.01)

    with hashing._turn(), pytest.raises(TooBusy):
        hashing.hash("whatever it is")


def test_hashes_say_their_cost_and_tell_nothing_else():
    hashing = PasswordHashing(HashCost(memory_kib=1_024, passes=1, lanes=1))
    first, second = hashing.hash("tangerine-window-42"), hashing.hash("tangerine-window-42")

    assert first.startswith("$argon2id$v=19$m=1024,t=1,p=1$")
    assert first != second
    assert hashing.verify(first, "tangerine-window-42")
    assert not hashing.verify(first, "tangerine-window-43")
    assert not hashing.verify(None, "nobody's password")
    assert not hashing.verify("$argon2id$broken", "tangerine-window-42")
