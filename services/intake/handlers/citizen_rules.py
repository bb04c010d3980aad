"""What citizens are told and over which gateway: as shipped, and as an installation has it instead."""

import string
import tomllib
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Final, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from services.intake.domain.citizen_messages import Kind, Language, TellingRules, Wording
from services.intake.domain.commands.issues import IssueType
from services.intake.settings import IntakeSettings
from shared.gateways.described import Gateway, read_header
from shared.gateways.files import BadFile, load_file, read_secret
from shared.settings import UnsafeSetting

SHIPPED: Final = Path(__file__).parents[1] / "citizen_messages.toml"
LONGEST_TEXT: Final = 200

Text = Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]


class _Topic(BaseModel):
    model_config = ConfigDict(extra="forbid")

    is_told: bool
    zh: Text
    en: Text
    zh_with_link: Text | None = None
    en_with_link: Text | None = None

    @model_validator(mode="after")
    def _names_what_there_is(self) -> Self:
        for text in (self.zh, self.en):
            _check(text, {"date"}, set())
        for linked in (self.zh_with_link, self.en_with_link):
            if linked is not None:
                _check(linked, {"date", "link"}, {"link"})
        return self


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    language: Language
    valid_hours: Annotated[int, Field(ge=1, le=168)]
    quiet_from: time
    quiet_until: time
    most_a_day: Annotated[int, Field(ge=1, le=100)]
    asked_first: list[IssueType]
    received: _Topic
    answered: _Topic


def _check(text: str, known: set[str], needed: set[str]) -> None:
    """Raises ValueError unless the text names these and nothing else, plainly."""
    named = set()
    for _, name, form, conversion in string.Formatter().parse(text):
        if name is not None:
            named.add(name)
        if form or conversion or (name is not None and name not in known):
            raise ValueError(f"a text names {' and '.join(sorted(known))}, and nothing else")
    if not needed <= named:
        raise ValueError(f"{needed.pop()} stands nowhere")


def load_telling(settings: IntakeSettings) -> TellingRules:
    """Raises UnsafeSetting naming what is wrong."""
    try:
        read = _File.model_validate(tomllib.loads((settings.citizen_messages or SHIPPED).read_text("utf-8")))
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(step) for step in fault["loc"])
        raise UnsafeSetting(f"refusing to start: LIANXIN_INTAKE_CITIZEN_MESSAGES: {place}: {fault['msg']}") from None
    except (OSError, ValueError) as error:
        raise UnsafeSetting(f"refusing to start: LIANXIN_INTAKE_CITIZEN_MESSAGES: {type(error).__name__}") from None
    return TellingRules(
        wordings={
            kind: _wording(topic, read.language) for kind in get_args(Kind) if (topic := getattr(read, kind)).is_told
        },
        valid_for=timedelta(hours=read.valid_hours),
        quiet_from=read.quiet_from,
        quiet_until=read.quiet_until,
        most_a_day=read.most_a_day,
        asked_first=frozenset(read.asked_first),
        zone=settings.zone,
        language=read.language,
        rating_url=settings.citizen_rating_url,
    )


def _wording(topic: _Topic, language: Language) -> Wording:
    if language == "zh":
        return Wording(plain=topic.zh, linked=topic.zh_with_link)
    return Wording(plain=topic.en, linked=topic.en_with_link)


def open_citizen_gateway(settings: IntakeSettings) -> Gateway | None:
    """None: citizens are not told, which is how it comes. Raises UnsafeSetting."""
    if settings.citizen_gateway is None:
        return None
    try:
        gateway = load_file(Gateway, settings.citizen_gateway)
        if gateway.header_file is not None:
            read_header(gateway.header_file)
        if gateway.receipt is not None:
            read_secret(gateway.receipt.secret_file)
    except BadFile as error:
        raise UnsafeSetting(f"refusing to start: LIANXIN_INTAKE_CITIZEN_GATEWAY: {error}") from None
    is_plain = not gateway.url.startswith("https://")
    if settings.mode == "production" and is_plain and not settings.allow_plaintext_links:
        raise UnsafeSetting("refusing to start: LIANXIN_INTAKE_CITIZEN_GATEWAY: is called over https only")
    return gateway
