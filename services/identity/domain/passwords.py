"""Which passwords are accepted: long ones that are not obvious. Composition is asked for only where it is the law."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.errors import Rejected

SHORTEST: Final = 12
LONGEST: Final = 128  # a bound on the work, far above what anybody types
REMEMBERED: Final = 5
ONE_TIME_VALID: Final = timedelta(hours=72)
KINDS_NEEDED: Final = 3
LEAST_CORE: Final = 6  # what must be left when everything obvious is taken out
LEAST_DISTINCT: Final = 5
_DISGUISES: Final = str.maketrans("@4310$57!", "aaelosstl")
# Fragments that guessers try first, in English, in pinyin and on a keyboard. They may occur, but carry nothing.
OBVIOUS: Final = (
    "administrator", "password", "passwort", "letmein", "welcome", "iloveyou", "dragon", "monkey", "football",
    "baseball", "sunshine", "princess", "superman", "batman", "trustno", "master", "shadow", "michael", "jennifer",
    "secret", "changeme", "default", "qazwsx", "qwerty", "qwertz", "azerty", "asdfgh", "zxcvbn", "zaqxsw", "yuiop",
    "hjkl", "poiuy", "abc", "admin", "root", "user", "guest", "login", "test", "demo", "temp", "hello", "computer",
    "internet", "server", "system", "postgres", "rabbitmq", "lianxin", "woaini", "woaizhongguo", "zhongguo", "beijing",
    "shanghai", "mima", "nihao", "aini", "baobao", "laopo", "laogong", "fuwu", "renmin", "zuzhibu", "ganbu", "china",
    "spring", "summer", "autumn", "winter", "january", "february", "monday", "friday",
    "连心", "密码", "组织部", "为人民服务",
)  # fmt: skip
ROWS: Final = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "azertyuiop",
)
_YEARS: Final = re.compile(r"(?:19|20)[0-9]{2}(?:[01][0-9][0-3][0-9])?")


class WeakPassword(Rejected):
    """What is wrong is said, what was sent is not."""

    code = "weak-password"


class UsedPassword(Rejected):
    code = "used-password"


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordRules:
    composition: bool = False
    valid_for: timedelta | None = None


def normalise_password(password: str) -> str:
    """The same characters typed on another device are the same password."""
    return unicodedata.normalize("NFC", password)


def check_password(password: str, *, rules: PasswordRules, own_words: Iterable[str]) -> None:
    """Raises WeakPassword. `own_words` are names of the account that owns it."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise WeakPassword(f"a password has {SHORTEST} to {LONGEST} characters")
    core = _core(password, own_words)
    if len(core) < LEAST_CORE or len(set(core)) < LEAST_DISTINCT:
        raise WeakPassword("this password is easy to guess: too much of it is a common word, a row of keys or a name")
    if rules.composition and _count_kinds(password) < KINDS_NEEDED:
        raise WeakPassword("a password mixes three of: small letters, capitals, digits, other characters")


def is_due(set_at: datetime, *, must_change: bool, rules: PasswordRules, now: datetime) -> bool:
    """Whether its owner has to choose another before anything else."""
    return must_change or (rules.valid_for is not None and now >= set_at + rules.valid_for)


def _core(password: str, own_words: Iterable[str]) -> str:
    """What is left without the obvious: names, common words, years, runs and repeats."""
    left = password.casefold()
    own = sorted({word.casefold() for word in own_words if len(word) >= 3}, key=len, reverse=True)
    for word in own:
        left = left.replace(word, "")
    left = _YEARS.sub("", left)
    for word in OBVIOUS:
        left = left.replace(word, "")
    plain = left.translate(_DISGUISES)
    for word in (*own, *OBVIOUS):
        plain = plain.replace(word, "")
    return _without_runs(min(left, plain, key=len))


def _without_runs(text: str) -> str:
    """Without characters that go on as the two before them did, in the alphabet or on a keyboard: 1234, aaa, poiu."""
    kept = [
        character
        for index, character in enumerate(text)
        if index < 2 or not any(_goes_on(row, text[index - 2 : index + 1]) for row in ROWS)
    ]
    return "".join(one for index, one in enumerate(kept) if kept[max(0, index - 2) : index] != [one, one])


def _goes_on(row: str, three: str) -> bool:
    return three in row or three[::-1] in row


def _count_kinds(password: str) -> int:
    kinds = {
        "small" if character.islower()
        else "capital" if character.isupper()
        else "digit" if character.isdigit()
        else "other"
        for character in password
    }  # fmt: skip
    return len(kinds)
