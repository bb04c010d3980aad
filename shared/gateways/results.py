"""What became of one attempt to hand something over."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of an attempt. `unused` means that it was not made: there was no time left for it.

    `blames_endpoint`: whatever else is sent there now would fail alike. `reference` is what the other side calls it.
    """

    outcome: Literal["sent", "retry", "failed", "unused"]
    reason: str | None = None
    blames_endpoint: bool = False
    not_before: timedelta | None = None  # how long the other side wants to be left alone
    reference: str | None = None
