"""The form of national codes, and which place lies in which."""

import pytest

from services.intake.domain.codes import is_credit_code, is_division_code, lies_under, significant_part


@pytest.mark.parametrize(
    "code", ["330000", "330100", "330102", "429004", "330102001", "330102001001", "330102001200", "820000", "659001"]
)
def test_a_division_code_has_the_form_of_its_rung(code):
    assert is_division_code(code)


@pytest.mark.parametrize(
    "code",
    [
        "",
        "33",
        "3301",
        "990000",
        "160000",
        "330002",
        "330100001",
        "33010200",
        "3301020010",
        "330102000001",
        "330102000",
        "３３０１０２",
        "330102 ",
        "330102\n",
        "33010²",
        "33010a",
        "330102001001001",
    ],
)
def test_what_has_no_such_form_is_none(code):
    assert not is_division_code(code)


@pytest.mark.parametrize(
    ("code", "part"),
    [("330000", "33"), ("330100", "3301"), ("330102", "330102"), ("330102001", "330102001"), ("330110", "330110")],
)
def test_zeros_stand_for_everything_below(code, part):
    assert significant_part(code) == part


def test_a_place_lies_in_those_above_it_and_in_itself():
    for above in ("330000", "330100", "330102", "330102001", "330102001001"):
        assert lies_under("330102001001", above)
    for other in ("340000", "330200", "330103", "330102002", "330102001002"):
        assert not lies_under("330102001001", other)


def test_a_place_does_not_lie_in_one_that_merely_begins_alike():
    assert not lies_under("330110", "330101")
    assert not lies_under("330100", "330102")


@pytest.mark.parametrize("code", ["91110000600037341L", "91110000802100433B"])
def test_a_credit_code_checks_itself(code):
    assert is_credit_code(code)


@pytest.mark.parametrize(
    "code",
    [
        "91110000600037341M",
        "91110000600037341",
        "91110000600037341l",
        "9111000060003734 1L",
        "O1110000600037341L",
        "",
        "９",
    ],
)
def test_what_does_not_check_is_no_credit_code(code):
    assert not is_credit_code(code)


def test_every_slip_of_one_character_is_found():
    code = "91110000600037341L"
    for position in range(len(code)):
        for other in "0123456789ABCDEFGHJKLMNPQRTUWXY":
            slipped = code[:position] + other + code[position + 1 :]
            assert is_credit_code(slipped) == (other == code[position])
