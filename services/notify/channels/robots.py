"""What an installation says of its group robots, in a file: of which group, for which unit, and their secrets."""

from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from services.notify.domain.messages import Language
from shared.gateways.files import Part, read_secret

HOSTS: Final = {
    "wecom": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send",
    "dingtalk": "https://oapi.dingtalk.com/robot/send",
}


class Robot(Part):
    """`key_file` holds the key or access token of its address, `secret_file` what DingTalk signs with."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    channel: Literal["wecom", "dingtalk"]
    organisation_code: Annotated[str, Field(min_length=1, max_length=64)]
    language: Language = "zh"
    key_file: Path
    secret_file: Path | None = None
    url: Annotated[str, Field(pattern=r"^https?://[^\s?#]{1,500}$")] | None = None  # of a platform of one's own

    @property
    def address(self) -> str:
        return self.url or HOSTS[self.channel]

    def key(self) -> str:
        """Raises BadFile."""
        return read_secret(self.key_file)

    def secret(self) -> str | None:
        """Raises BadFile."""
        return read_secret(self.secret_file) if self.secret_file is not None else None


class Robots(Part):
    robot: Annotated[tuple[Robot, ...], Field(max_length=1_000)] = ()

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        names = [robot.name for robot in self.robot]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{twice[0]} stands there twice")
        return self
