"""Messages to groups by their robots: WeCom and DingTalk, which both say in an answer of 200 what went wrong."""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final, Protocol
from urllib.parse import urlencode

import orjson

from services.notify.channels.robots import Robot
from services.notify.domain.deliveries import Outgoing
from shared.gateways.calls import Answer, attempt, post
from shared.gateways.circuits import Pace
from shared.gateways.results import Result

SECONDS: Final = 10.0
WECOM_LONGEST_BYTES: Final = 4_096
DINGTALK_LONGEST_BYTES: Final = 20_000
PLAIN: Final = str.maketrans("\\`*_[]()#<>!|~@", "＼｀＊＿［］（）＃＜＞！｜～＠")
# What has to wait, and what somebody has to set right first; any other code refuses this message.
WECOM_BUSY: Final = frozenset({-1, 45009, 45033})
WECOM_ASTRAY: Final = frozenset({40001, 40014, 41001, 42001, 93000, 93004, 93008})
DINGTALK_BUSY: Final = frozenset({-1, 130101, 410100, 410102})
DINGTALK_ASTRAY: Final = frozenset({40035, 300001, 300005, 310000, 400013, 400101, 400102})


class Platform(Protocol):
    """One kind of robots: how it is asked, and which of its codes mean what."""

    busy: frozenset[int]
    astray: frozenset[int]

    def query(self, robot: Robot, *, now: float) -> dict[str, str]: ...

    def body(self, item: Outgoing) -> dict[str, Any]: ...


class WeCom:
    busy = WECOM_BUSY
    astray = WECOM_ASTRAY

    def query(self, robot: Robot, *, now: float) -> dict[str, str]:  # noqa: ARG002 - nothing here is signed
        return {"key": robot.key()}

    def body(self, item: Outgoing) -> dict[str, Any]:
        text = f"**{escape(item.subject)}**\n{escape(item.text_body)}"
        return {"msgtype": "markdown", "markdown": {"content": shorten(text, WECOM_LONGEST_BYTES)}}


class DingTalk:
    busy = DINGTALK_BUSY
    astray = DINGTALK_ASTRAY

    def query(self, robot: Robot, *, now: float) -> dict[str, str]:
        """Signed with the robot's secret over a time that may be an hour old at most: so anew for each attempt."""
        query, secret = {"access_token": robot.key()}, robot.secret()
        if secret is None:
            return query
        timestamp = str(int(now * 1_000))
        digest = hmac.digest(secret.encode(), f"{timestamp}\n{secret}".encode(), hashlib.sha256)
        return query | {"timestamp": timestamp, "sign": base64.b64encode(digest).decode()}

    def body(self, item: Outgoing) -> dict[str, Any]:
        text = f"### {escape(item.subject)}\n\n{escape(item.text_body)}".replace("\n", "  \n")
        return {
            "msgtype": "markdown",
            "markdown": {"title": item.subject[:60], "text": shorten(text, DINGTALK_LONGEST_BYTES)},
        }


class GroupChannel:
    """The address of a delivery is the name of a robot, and each robot is an endpoint of its own."""

    most_at_once = 20
    workers = 4
    hands = 1
    pace = Pace(per_minute=20, burst=5)  # what both platforms let through before they shut a robot out

    def __init__(
        self, channel: str, platform: Platform, robots: Mapping[str, Robot], *, clock: Callable[[], float] = time.time
    ) -> None:
        self._channel = channel
        self._platform = platform
        self._robots = robots
        self._clock = clock

    @property
    def groups(self) -> Collection[str]:
        return self._robots.keys()

    def endpoint_of(self, address: str) -> str:
        return f"{self._channel}/{address}"

    def send(self, items: Sequence[Outgoing], *, within_seconds: float) -> Iterator[tuple[Outgoing, Result]]:
        until = time.monotonic() + within_seconds
        is_away = False
        for item in items:
            left = until - time.monotonic()
            robot = self._robots.get(item.address)
            if robot is None:
                yield item, Result(outcome="failed", reason="no such robot")
                continue
            if is_away or left <= 0:
                yield item, Result(outcome="unused")
                continue
            result = attempt(partial(self._call, robot, item, min(left, SECONDS)), self._judge, now=self._clock)
            is_away = result.blames_endpoint
            yield item, result

    def _call(self, robot: Robot, item: Outgoing, seconds: float) -> Answer:
        url = f"{robot.address}?{urlencode(self._platform.query(robot, now=self._clock()))}"
        headers = {"Content-Type": "application/json", "User-Agent": "lianxin"}
        return post(url, orjson.dumps(self._platform.body(item)), headers, within_seconds=seconds)

    def _judge(self, answer: Answer) -> Result:
        try:
            code = orjson.loads(answer.body)["errcode"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return Result(outcome="retry", reason="answer without errcode", blames_endpoint=True)
        if code == 0:
            return Result(outcome="sent")
        reason = f"errcode {str(code)[:20]}"
        if code in self._platform.busy or code in self._platform.astray:
            return Result(outcome="retry", reason=reason, blames_endpoint=True)
        return Result(outcome="failed", reason=reason)


def escape(text: str) -> str:
    """Text as text: what these dialects take for a link, a mention or a colour, in its full-width form.

    They know no escape: a backslash before a sign would be shown.
    """
    return text.translate(PLAIN)


def shorten(text: str, longest: int) -> str:
    """Cut at a character, since the limits count bytes."""
    encoded = text.encode()
    if len(encoded) <= longest:
        return text
    return encoded[: longest - 3].decode("utf-8", "ignore") + "…"
