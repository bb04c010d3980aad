"""What assessment reads from the environment, beyond what every service reads."""

from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.settings import PATH, PLACE, ServiceSettings


class AssessmentSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="LIANXIN_ASSESSMENT_", extra="ignore", hide_input_in_errors=True)

    scheme: Annotated[str, Field(min_length=1, max_length=64)] = "basic"  # its newest version is in force
    scoring_interval_seconds: Annotated[float, Field(ge=0.05, le=3_600)] = 0.5
    announce_interval_seconds: Annotated[float, Field(ge=1, le=86_400)] = 30
    # Ratings are told to cadres, units and machines only in sums over at least so many people; fewer than 5 is refused.
    release_raters: Annotated[int, Field(ge=5, le=1_000)] = 10
    gauge_level: Annotated[str, Field(min_length=1, max_length=16)] = "50"  # of GB/T 12404: counties have gauges
    league_tables: bool = False  # whether cadres that are compared get ranks
    fair_processes: Annotated[int, Field(ge=1, le=64)] = (
        1  # beside the worker's own, for looks at everybody and closings
    )
    closing_delay_days: Annotated[int, Field(ge=0, le=60)] = 5  # after a month's end, so that late records still count
    reminders: Path | None = None  # when cadres are reminded of duties, in the place of what is shipped
    identity_pages: Annotated[str, Field(pattern=PLACE)] = "/identity/"  # where browsers find the pages of identity
    public_path: Annotated[str, Field(pattern=PATH)] = "/assessment/"  # and these, on the same host
