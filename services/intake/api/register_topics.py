"""The routes of registers and duties, topic by topic."""

from types import ModuleType
from typing import Final

from services.intake.api import (
    categories,
    channels,
    coming,
    duties,
    export_proposals,
    exports,
    liaisons,
    organisations,
    populations,
    registers,
    rosters,
)

TOPICS: Final[tuple[ModuleType, ...]] = (
    organisations,
    registers,
    duties,
    categories,
    channels,
    populations,
    liaisons,
    exports,
    export_proposals,
    rosters,
    coming,
)
