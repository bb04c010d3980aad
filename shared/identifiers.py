"""New identifiers: time-ordered UUIDs of version 7, which keep indexes dense."""

from uuid import UUID

import uuid_utils.compat


def new_id() -> UUID:
    return uuid_utils.compat.uuid7()
