"""What Open311 brings beside an issue."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Filing:
    """What a request brings beside the issue that it becomes. `details` are everything that somebody wrote."""

    account_id: UUID
    service_code: str
    latitude: float | None = None
    longitude: float | None = None
    is_public: bool = True
    details: Mapping[str, Any] = field(default_factory=dict, repr=False)
