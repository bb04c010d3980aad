"""The rules by which people are told, as shipped and as an installation has them instead."""

import tomllib
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.notify.domain.events import CONFIDENTIAL
from services.notify.domain.rules import WITHOUT_EVENT, Mode, Relation, Rule
from services.notify.rendering.notices import topics
from shared.contracts.envelope import BY_TYPE
from shared.settings import UnsafeSetting

SHIPPED: Final = Path(__file__).parents[1] / "rules.toml"


class _Rule(BaseModel):
    model_config = ConfigDict(extra="forbid")

    code: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,63}$")]
    event: str
    to: Relation
    topic: str
    mode: Mode
    valid_hours: Annotated[int, Field(ge=1, le=720)]
    is_compulsory: bool = False
    while_open: bool = False


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    rule: Annotated[list[_Rule], Field(min_length=1, max_length=200)]


def load_rules(own: Path | None = None) -> Sequence[Rule]:
    """Those of the installation in the place of those shipped. Raises UnsafeSetting naming what is wrong."""
    file = own or SHIPPED
    try:
        read = _File.model_validate(tomllib.loads(file.read_text("utf-8"))).rule
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(step) for step in fault["loc"])
        raise UnsafeSetting(f"refusing to start: LIANXIN_NOTIFY_RULES: {place}: {fault['msg']}") from None
    except (OSError, ValueError) as error:
        raise UnsafeSetting(f"refusing to start: LIANXIN_NOTIFY_RULES: {type(error).__name__}") from None
    _check(read)
    return [*WITHOUT_EVENT, *(_rule(rule) for rule in read)]


def _rule(rule: _Rule) -> Rule:
    return Rule(
        code=rule.code,
        event=rule.event,
        to=rule.to,
        topic=rule.topic,
        mode=rule.mode,
        valid_for=timedelta(hours=rule.valid_hours),
        is_compulsory=rule.is_compulsory,
        while_open=rule.while_open,
    )


def _check(rules: Sequence[_Rule]) -> None:
    codes = [*(rule.code for rule in WITHOUT_EVENT), *(rule.code for rule in rules)]
    for rule in rules:
        if codes.count(rule.code) > 1:
            raise UnsafeSetting(f"refusing to start: LIANXIN_NOTIFY_RULES: {rule.code} stands there twice")
        if rule.event not in BY_TYPE:
            raise UnsafeSetting(f"refusing to start: LIANXIN_NOTIFY_RULES: {rule.code}: there is no such event")
        if BY_TYPE[rule.event].aggregate in CONFIDENTIAL:
            raise UnsafeSetting(
                f"refusing to start: LIANXIN_NOTIFY_RULES: {rule.code}: people are not told of such events"
            )
        if rule.to == "owner":
            raise UnsafeSetting(f"refusing to start: LIANXIN_NOTIFY_RULES: {rule.code}: events have no owner")
        if rule.topic not in topics():
            raise UnsafeSetting(f"refusing to start: LIANXIN_NOTIFY_RULES: {rule.code}: there is no such topic")
