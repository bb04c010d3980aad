"""The life of a token key: published, then signing, then only accepted, then gone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

TOKEN_LIFE: Final = timedelta(minutes=10)
# Services read the keys every two seconds; a minute also covers one that pauses and clocks that disagree.
PUBLISHED_BEFORE_USE: Final = timedelta(minutes=1)
ACCEPTED_AFTER_USE: Final = TOKEN_LIFE + timedelta(minutes=1)
SIGNS_FOR: Final = timedelta(days=30)
# A key that nothing replaces ends by itself.
LONGEST_LIFE: Final = 2 * SIGNS_FOR


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyLife:
    kid: str
    issuer: str
    signs_from: datetime
    not_after: datetime


def choose_signing(keys: Iterable[KeyLife], *, issuer: str, now: datetime) -> KeyLife | None:
    """The newest key that is due to sign and whose last token would still end in time."""
    usable = [key for key in keys if key.issuer == issuer and key.signs_from <= now <= key.not_after - TOKEN_LIFE]
    return max(usable, key=lambda key: key.signs_from, default=None)


def is_rotation_due(keys: Iterable[KeyLife], *, issuer: str, now: datetime) -> bool:
    """Whether the newest key has signed for its time. One that waits for its turn is newest, so nothing piles up."""
    newest = max((key.signs_from for key in keys if key.issuer == issuer), default=None)
    return newest is None or now >= newest + SIGNS_FOR - PUBLISHED_BEFORE_USE


def is_waiting(keys: Iterable[KeyLife], *, issuer: str, now: datetime) -> bool:
    """Whether a published key has not begun to sign."""
    return any(key.issuer == issuer and key.signs_from > now for key in keys)
