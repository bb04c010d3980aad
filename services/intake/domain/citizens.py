"""Who a citizen is: what a document number and a phone must look like, what finds the same citizen again, and masks."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from shared.errors import Rejected

CitizenState = Literal["active", "restricted", "erased"]
IdKind = Literal["resident_id", "residence_permit", "passport", "foreign_residence"]
HandleKind = Literal["id_number", "phone", "phone_and_name"]

_DIGITS_17_AND_CHECK = re.compile(r"[1-9][0-9]{16}[0-9X]", re.ASCII)
_OLD_RESIDENT = re.compile(r"[1-8][0-9]{14}", re.ASCII)
_OLD_FOREIGN = re.compile(r"[A-Z]{3}[0-9]{12}", re.ASCII)
_PASSPORT = re.compile(r"(?=[A-Z0-9]*[0-9])[A-Z0-9]{6,15}", re.ASCII)
_MOBILE = re.compile(r"1[3-9][0-9]{9}", re.ASCII)
_LANDLINE = re.compile(r"(?:010|02[0-9]|0[3-9][0-9]{2})[2-8][0-9]{6,7}(?:-[0-9]{1,6})?", re.ASCII)
_COUNTRY = re.compile(r"(?:\+|00)?86(?=1[3-9][0-9]{9}\Z)", re.ASCII)
_COUNTRY_AND_AREA = re.compile(r"(?:\+|00)86(?=[1-9])", re.ASCII)
_PHONE_NOISE = re.compile(r"[\s()._/-]")
_EXTENSION = re.compile(r"(?:-|转|#|x)([0-9]{1,6})\Z", re.ASCII | re.IGNORECASE)
_PERMIT_PLACES = ("810000", "820000", "830000")
_PROVINCE = re.compile(r"1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[12]", re.ASCII)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643-1999
_CHECK_DIGITS = "10X98765432"
LONGEST_AGE_YEARS = 130


class NotValid(Rejected):
    """A document number or a phone that cannot be one. Never carries what was given."""

    code = "bad-citizen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Citizen:
    """A citizen as one request describes them, checked and normalised. Nothing of it may show where it is printed."""

    name: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    id_number: str | None = field(default=None, repr=False)
    id_kind: IdKind | None = field(default=None, repr=False)
    address: str | None = field(default=None, repr=False)


def describe_citizen(
    *,
    name: str | None = None,
    phone: str | None = None,
    id_number: str | None = None,
    id_kind: IdKind | None = None,
    address: str | None = None,
    today: date | None,
) -> Citizen:
    """Raises NotValid. A number without a kind is a resident's. `today` bounds birthdays, where it is known."""
    if name is None and phone is None and id_number is None:
        raise NotValid("a citizen is described by a name, a phone or a document number at least")
    if id_number is None and id_kind is not None:
        raise NotValid("a kind of document without its number")
    kind = id_kind or "resident_id"
    return Citizen(
        name=None if name is None else normalise_name(name),
        phone=None if phone is None else normalise_phone(phone),
        id_number=None if id_number is None else normalise_id_number(id_number, kind, today=today),
        id_kind=kind if id_number is not None else None,
        address=address,
    )


def normalise_name(name: str) -> str:
    """NFC and no stronger: the compatibility forms would turn rare characters of names into others."""
    plain = " ".join(unicodedata.normalize("NFC", name).split())
    if not plain:
        raise NotValid("a name of spaces only")
    return plain


def normalise_phone(phone: str) -> str:
    """Full-width digits folded, country code and punctuation taken off. Raises NotValid; also for foreign numbers."""
    text = unicodedata.normalize("NFKC", phone).strip()
    mobile = _COUNTRY.sub("", _PHONE_NOISE.sub("", text), count=1)
    if _MOBILE.fullmatch(mobile):
        return mobile
    extension = _EXTENSION.search(text)
    candidates = [_landline(text)]
    if extension is not None:
        candidates.append(f"{_landline(text[: extension.start()])}-{extension[1]}")
    for number in candidates:
        if _LANDLINE.fullmatch(number):
            return number
    raise NotValid("neither a mobile nor a landline number of the mainland")


def is_mobile(number: str) -> bool:
    """Of a number that is normalised: whether it can be sent a message."""
    return _MOBILE.fullmatch(number) is not None


def _landline(text: str) -> str:
    return _COUNTRY_AND_AREA.sub("0", _PHONE_NOISE.sub("", text), count=1)


def normalise_id_number(number: str, kind: IdKind, *, today: date | None) -> str:
    """An old number of 15 digits becomes the one of 18 that stands for the same person. Raises NotValid."""
    plain = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", number)).upper()
    return _NORMALISERS[kind](plain, today)


def _resident(number: str, today: date | None) -> str:
    if _OLD_RESIDENT.fullmatch(number):
        longer = f"{number[:6]}19{number[6:]}"
        number = longer + check_digit(longer)
    if not _PROVINCE.match(number) or number[:6] in _PERMIT_PLACES:
        raise NotValid("not the number of a resident's identity card")
    return _checked(number, today)


def _permit(number: str, today: date | None) -> str:
    if number[:6] not in _PERMIT_PLACES:
        raise NotValid("not the number of a residence permit of Hong Kong, Macao or Taiwan residents")
    return _checked(number, today)


def _foreign(number: str, today: date | None) -> str:
    """Cards since 2023 have 18 digits that begin with 9; older ones three letters and twelve digits."""
    if _OLD_FOREIGN.fullmatch(number):
        _birthday(f"19{number[7:13]}", f"20{number[7:13]}", today=today)
        return number
    if not number.startswith("9"):
        raise NotValid("not the number of a foreigner's permanent residence card")
    return _checked(number, today)


def _passport(number: str, _: date | None) -> str:
    if not _PASSPORT.fullmatch(number):
        raise NotValid("not the number of a passport")
    return number


def _checked(number: str, today: date | None) -> str:
    if not _DIGITS_17_AND_CHECK.fullmatch(number) or check_digit(number[:17]) != number[17]:
        raise NotValid("the check digit does not fit the number")
    _birthday(number[6:14], today=today)
    return number


def check_digit(first_17: str) -> str:
    """The 18th character by GB 11643: ISO 7064, MOD 11-2."""
    return _CHECK_DIGITS[sum(int(digit) * weight for digit, weight in zip(first_17, _WEIGHTS, strict=True)) % 11]


def _birthday(*written: str, today: date | None) -> None:
    """Raises NotValid unless one of these is a day on which somebody alive can have been born."""
    for text in written:
        try:
            day = date(int(text[:4]), int(text[4:6]), int(text[6:]))
        except ValueError:
            continue
        if today is None or (today.year - LONGEST_AGE_YEARS <= day.year and day <= today):
            return
    raise NotValid("the birthday in the number is no day that it could be")


_NORMALISERS: dict[IdKind, Callable[[str, date | None], str]] = {
    "resident_id": _resident,
    "residence_permit": _permit,
    "passport": _passport,
    "foreign_residence": _foreign,
}


def handles_of(citizen: Citizen) -> list[tuple[HandleKind, str]]:
    """What the citizen can be found by. A phone alone is none of it: families and offices share phones."""
    handles: list[tuple[HandleKind, str]] = []
    if citizen.id_number is not None:
        handles.append(("id_number", f"{citizen.id_kind}|{citizen.id_number}"))
    if citizen.phone is not None:
        handles.append(("phone", citizen.phone))
        handles.append(("phone_and_name", f"{citizen.phone}|{citizen.name or ''}"))
    return handles


def digestible(citizen: Citizen | None) -> list[tuple[str | None, ...]]:
    """What of a citizen counts as content of a record. Empty for none, so that older digests stay what they were."""
    if citizen is None:
        return []
    return [(citizen.name, citizen.phone, citizen.id_number, citizen.id_kind, citizen.address)]


def mask_name(name: str) -> str:
    return f"{name[0]}**"


def mask_phone(phone: str) -> str:
    """The middle of a mobile number is hidden, and of a landline all but the area and the last two digits."""
    if _MOBILE.fullmatch(phone):
        return f"{phone[:3]}****{phone[-4:]}"
    number = phone.split("-")[0]
    area = 3 if number.startswith(("010", "02")) else 4
    return f"{number[:area]}****{number[-2:]}"
