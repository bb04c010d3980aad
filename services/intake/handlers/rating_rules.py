"""The rules for ratings as this installation has them: its own file, or the one that comes with the release."""

from datetime import timedelta
from pathlib import Path

from services.intake.domain.rating_rules import BadRules, RatingRules, read_rules
from services.intake.settings import IntakeSettings
from shared.settings import UnsafeSetting

SHIPPED = Path(__file__).parents[1] / "rating_rules" / "default-2.toml"


def load_rating_rules(settings: IntakeSettings) -> RatingRules:
    """Raises UnsafeSetting for a file that is not there or does not read: nothing starts under rules nobody meant."""
    file = settings.rating_rules or SHIPPED
    try:
        return read_rules(
            file.read_text("utf-8"),
            amend_for=timedelta(hours=settings.rating_amend_hours),
            counter_within=timedelta(hours=settings.rating_counter_hours),
            invite_after=timedelta(days=settings.rating_invite_days),
        )
    except (OSError, UnicodeDecodeError, BadRules) as error:
        raise UnsafeSetting(f"LIANXIN_INTAKE_RATING_RULES: {error}") from None
