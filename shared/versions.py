"""Changes that are meant for one version of a record: made to that version, or not at all (If-Match)."""

from shared.errors import Conflict

Expected = frozenset[int] | None  # the versions that a change is meant for; None: whichever stands


class Outdated(Conflict):
    """Another version stands than the one that the change is meant for, or none."""

    code = "outdated"


def check_version(standing: int | None, expected: Expected) -> None:
    """To be asked under the record's lock. Raises Outdated."""
    if expected is not None and standing not in expected:
        raise Outdated("another version stands than the one that was read")
