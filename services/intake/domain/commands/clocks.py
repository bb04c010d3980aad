"""Requests about the rules of the clocks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.intake.domain.commands.base import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class DefineClockRule(Command):
    """Natural key: the code. Another content than the newest version's is a new version, which succeeds it."""

    code: str
    document: Mapping[str, Any]
