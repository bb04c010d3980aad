"""Document numbers, phones and names of citizens: what is refused, what finds the same person, and masks."""

from datetime import date

import pytest

from services.intake.domain.citizens import (
    Citizen,
    NotValid,
    check_digit,
    describe_citizen,
    handles_of,
    mask_name,
    mask_phone,
    normalise_id_number,
    normalise_name,
    normalise_phone,
)

TODAY = date(2026, 3, 2)
RESIDENT = "11010519491231002X"


def with_check_digit(first_17: str) -> str:
    return first_17 + check_digit(first_17)


@pytest.mark.parametrize(
    ("written", "phone"),
    [
        ("13812345678", "13812345678"),
        ("１３８１２３４５６７８", "13812345678"),
        (" +86 138-1234-5678\n", "13812345678"),
        ("8613812345678", "13812345678"),
        ("0086 138 1234 5678", "13812345678"),
        ("0571-87654321", "057187654321"),
        ("(0571)8765432", "05718765432"),
        ("010-62345678转12", "01062345678-12"),
        ("+86 10 62345678", "01062345678"),
    ],
)
def test_one_phone_is_one_phone_however_it_is_written(written, phone):
    assert normalise_phone(written) == phone


@pytest.mark.parametrize(
    "phone",
    [
        "",
        "1381234567",
        "138123456789",
        "12812345678",
        "95588",
        "4008001234",
        "+1 202 555 0100",
        "٠١٢٣٤٥٦٧٨٩٠",
        "1381234567²a",
        "13812345678;DROP TABLE issue",
        "010-12345678",
        "9" * 200,
    ],
)
def test_what_is_no_phone_of_the_mainland_is_refused_and_not_repeated(phone):
    with pytest.raises(NotValid) as refusal:
        normalise_phone(phone)

    assert phone == "" or phone not in refusal.value.detail


@pytest.mark.parametrize(
    ("written", "kind", "number"),
    [
        (RESIDENT, "resident_id", RESIDENT),
        ("11010519491231002x", "resident_id", RESIDENT),
        ("１１０１０５１９４９１２３１００２Ｘ", "resident_id", RESIDENT),
        ("110105 19491231 002X", "resident_id", RESIDENT),
        ("110105491231002", "resident_id", RESIDENT),
        ("810000199408230021", "residence_permit", "810000199408230021"),
        (with_check_digit("83000019920130002"), "residence_permit", with_check_digit("83000019920130002")),
        ("e12345678", "passport", "E12345678"),
        (with_check_digit("91110019900101001"), "foreign_residence", with_check_digit("91110019900101001")),
        ("FRA110190010112", "foreign_residence", "FRA110190010112"),
    ],
)
def test_a_document_number_has_one_form(written, kind, number):
    assert normalise_id_number(written, kind, today=TODAY) == number


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("110105194912310021", "resident_id"),
        ("11010519491231002", "resident_id"),
        ("110105194912310020", "resident_id"),
        (with_check_digit("11010519490231002"), "resident_id"),
        (with_check_digit("11010520260303002"), "resident_id"),
        (with_check_digit("11010518900303002"), "resident_id"),
        (with_check_digit("99010519491231002"), "resident_id"),
        ("810000199408230021", "resident_id"),
        ("810000199408230020", "residence_permit"),
        (RESIDENT, "residence_permit"),
        (RESIDENT, "foreign_residence"),
        ("FRA110199001012", "foreign_residence"),
        ("abcdefgh", "passport"),
        ("E1", "passport"),
        ("²" * 18, "resident_id"),
        ("١" * 18, "resident_id"),
        ("", "resident_id"),
        ("1" * 100_000, "resident_id"),
    ],
)
def test_a_wrong_document_number_is_refused_and_not_repeated(number, kind):
    with pytest.raises(NotValid) as refusal:
        normalise_id_number(number, kind, today=TODAY)

    assert number == "" or number not in refusal.value.detail


def test_names_are_composed_but_rare_characters_stay_what_they_are():
    assert normalise_name("Zoe\u0301  Li ") == normalise_name("Zo\u00e9 Li")
    assert normalise_name("\u2f08") == "\u2f08"  # a Kangxi radical: NFKC would make another character of it
    assert normalise_name("王\U0002a6a5") == "王\U0002a6a5"
    assert handles_of(Citizen(phone="1", name="А")) != handles_of(Citizen(phone="1", name="A"))  # Cyrillic and Latin


def test_a_citizen_is_described_by_something():
    for nothing in ({}, {"address": "幸福路1号"}, {"name": " "}, {"name": "张三", "id_kind": "passport"}):
        with pytest.raises(NotValid):
            describe_citizen(**nothing, today=TODAY)  # type: ignore[arg-type] # one of them is a kind of document


def test_nothing_of_a_citizen_shows_where_one_is_printed():
    citizen = describe_citizen(name="张三", phone="13812345678", id_number=RESIDENT, address="幸福路1号", today=TODAY)

    assert repr(citizen) == "Citizen()"


@pytest.mark.parametrize(
    ("phone", "mask"),
    [("13812345678", "138****5678"), ("01062345678-12", "010****78"), ("05718765432", "0571****32")],
)
def test_phones_are_masked(phone, mask):
    assert mask_phone(phone) == mask


def test_names_are_masked_whatever_their_length():
    assert [mask_name(name) for name in ("张三", "欧阳小明", "J")] == ["张**", "欧**", "J**"]
