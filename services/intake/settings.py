"""What intake reads from the environment, beyond what every service reads."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.settings import PATH, PLACE, ServiceSettings

Hours = Annotated[int, Field(ge=1, le=8_784)]


class IntakeSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="LIANXIN_INTAKE_", extra="ignore", hide_input_in_errors=True)

    respond_within_hours: Hours = 24
    return_within_hours: Hours = 48
    object_within_hours: Hours = 48
    reopen_within_hours: Hours = 360
    longest_extension_hours: Hours = 720
    most_extensions: Annotated[int, Field(ge=0, le=100)] = 2
    # Older contacts than that are entered by officers, with the reason; and after that only officers correct them.
    record_within_days: Annotated[int, Field(ge=7, le=366)] = 31
    correct_within_days: Annotated[int, Field(ge=1, le=366)] = 31
    rating_rules: Path | None = None  # thresholds and words of the place; else the file that comes with the release
    rating_amend_hours: Annotated[int, Field(ge=0, le=168)] = 24
    rating_counter_hours: Annotated[int, Field(ge=1, le=72)] = 12
    rating_invite_days: Annotated[int, Field(ge=1, le=60)] = 3
    # Citizens are told by messages where a file says over which gateway. Without one nobody is.
    citizen_gateway: Path | None = None
    citizen_messages: Path | None = None  # words and hours, in the place of what is shipped
    citizen_rating_url: Annotated[str | None, Field(pattern=r"^https?://[^\s#]{1,120}$")] = None  # .../intake/rate
    identity_pages: Annotated[str, Field(pattern=PLACE)] = "/identity/"  # where browsers find the pages of identity
    public_path: Annotated[str, Field(pattern=PATH)] = "/intake/"  # and these, on the same host
    unknown_category: Literal["flag", "refuse"] = "flag"  # of an issue that a person enters; a file's is flagged
    calendar_file: Path | None = None  # days and hours of this place: docs/clocks.md
    import_directory: Path = Path("imports")
    import_max_bytes: Annotated[int, Field(ge=1_000, le=100_000_000_000)] = 2_000_000_000  # uncompressed
    import_profiles: Path | None = None  # a folder of profiles of one's own, which go before those that come along
    import_sheet_max_bytes: Annotated[int, Field(ge=1_000, le=50_000_000)] = 5_000_000
    import_sheet_max_rows: Annotated[int, Field(ge=1, le=100_000)] = 20_000
    import_sheet_max_columns: Annotated[int, Field(ge=1, le=1_000)] = 50

    # What Open311 shows without a key: what was filed there and not withdrawn, what an officer released, or nothing.
    open311_public: Literal["filed", "released", "nothing"] = "filed"
    open311_services: Path = Path(__file__).parent / "open311.toml"
    open311_jurisdiction: Annotated[str, Field(max_length=100)] = ""
    open311_contact: Annotated[str, Field(min_length=1, max_length=500)] = "the operator of this installation"

    @property
    def respond_within(self) -> timedelta:
        return timedelta(hours=self.respond_within_hours)
