"""The routes of registers and duties, topic by topic."""

from types import ModuleType
from typing import Final

from services.intake.api import duties, organisations, registers

TOPICS: Final[tuple[ModuleType, ...]] = (organisations, registers, duties)
