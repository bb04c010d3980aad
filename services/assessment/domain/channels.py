"""By which channel most of somebody's issues came."""

from collections.abc import Mapping
from typing import Final

NONE: Final = "none"
TIED: Final = "tied"


def find_main_channel(counts: Mapping[str, int] | None) -> str | None:
    """The channel that more came by than by any other; `tied` where several had as many; `none` without any issue.

    None where nobody counted.
    """
    if counts is None:
        return None
    most = max(counts.values(), default=0)
    if not most:
        return NONE
    first, *others = [channel for channel, count in counts.items() if count == most]
    return TIED if others else first
