"""The schemes that ship with the service: published ones, ready to be copied and proposed."""

from functools import lru_cache
from pathlib import Path

from services.assessment.domain.rules.scheme_reading import read_rule_scheme
from services.assessment.domain.rules.schemes import RuleScheme

FOLDER = Path(__file__).parents[1] / "presets"


@lru_cache(maxsize=1)
def list_presets() -> tuple[tuple[RuleScheme, str], ...]:
    """Each with its text, by name and version."""
    texts = [path.read_text("utf-8") for path in FOLDER.glob("*.toml")]
    read = [(read_rule_scheme(text), text) for text in texts]
    return tuple(sorted(read, key=lambda one: (one[0].name, one[0].version)))
