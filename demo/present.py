"""What goes on in the demo county today: time limits, a day on which a leader receives, a question to all, a request.

What the files tell of is over, and its deadlines came with it. What is entered from now on has them from these rules.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta, timezone
from typing import Any, Final
from uuid import UUID

import httpx

from demo.places import COUNTY_CODE

CHINA: Final = timezone(timedelta(hours=8))
RECEPTION_DAY: Final = UUID("a11a0000-0000-7000-8000-000000000001")
CONSULTATION: Final = UUID("a11a0000-0000-7000-8000-000000000002")
STANDS: Final = 409  # under these ids, with the days of an earlier start
SOURCE: Final = "演示用时限，不是任何地方的规定"
RULES: Final[Mapping[str, Mapping[str, Any]]] = {
    "anlan-sign": {"clock": "sign_in", "limit": "1 working_days"},
    "anlan-contact": {"clock": "first_contact", "limit": "1 working_days"},
    "anlan-close": {
        "clock": "close",
        "limit": "15 working_days",
        "pause_reasons": ["waiting_for_citizen"],
        "pause_budget": 10,
        "extension_most": 10,
    },
    "anlan-close-urgent": {"clock": "close", "limit": "3 working_days", "urgencies": ["urgent", "critical"]},
    "anlan-reply": {"clock": "reply", "limit": "20 working_days"},
}


class Unwilling(Exception):
    """A door answered otherwise than it should have; the text says what."""


Ask = Callable[..., httpx.Response]  # method, path and what httpx takes beside them


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """Who does what: the officer asks for rules, the approver agrees, programs bring the rest."""

    officer: Ask
    approver: Ask
    importer: Ask
    step_up: Callable[[], None]  # of the approver, who is to prove anew who it is
    app: Ask | None = None  # absent where the accounts were made before there was such a program


class Present:
    """Entering it again is harmless: rules that stand are left alone, and so is what has its id already."""

    def __init__(self, hands: Hands, *, now: datetime, township: str, staff_number: str) -> None:
        self._hands = hands
        self._today = now.astimezone(CHINA).date()
        self._township = township
        self._staff_number = staff_number

    def enter(self) -> None:
        """Raises Unwilling, httpx.TransportError."""
        is_new = [self._agree_on_rule(code, rule) for code, rule in RULES.items()]
        self._offer_reception()
        self._ask_everybody()
        if any(is_new) and self._hands.app is not None:
            self._file_request(self._hands.app)

    def _agree_on_rule(self, code: str, rule: Mapping[str, Any]) -> bool:
        """Whether there was something to agree on."""
        if code in self._standing_rules():
            return False
        body = {**rule, "valid_from": self._today.isoformat(), "organisation_code": COUNTY_CODE, "source": SOURCE}
        asked = _ask(self._hands.officer, "PUT", f"/v1/clock-rules/{code}", json=body)
        self._hands.step_up()
        decided = f"/v1/clock-rule-proposals/{asked['id']}/decision"
        _ask(self._hands.approver, "POST", decided, json={"decision": "approve"})
        return True

    def _standing_rules(self) -> set[str]:
        return {rule["code"] for rule in _ask(self._hands.officer, "GET", "/v1/clock-rules")["items"]}

    def _offer_reception(self) -> None:
        """On the Monday after the next weekend, in the morning."""
        day = self._today + timedelta(days=7 - self._today.weekday())
        body = {
            "id": str(RECEPTION_DAY),
            "organisation_code": self._township,
            "staff_number": self._staff_number,
            "place": "群众接待室",
            "topic": "乡村道路和饮水",
            "from_at": datetime.combine(day, time(9), CHINA).isoformat(),
            "until_at": datetime.combine(day, time(11, 30), CHINA).isoformat(),
        }
        _ask(self._hands.importer, "POST", "/v1/reception-days", fine=STANDS, json=body)

    def _ask_everybody(self) -> None:
        opens_at = datetime.combine(self._today, time(), CHINA)
        body = {
            "id": str(CONSULTATION),
            "organisation_code": COUNTY_CODE,
            "title": "城区公交线路调整征求意见",
            "question": "拟将2路公交车延伸至新区医院，发车间隔由15分钟改为20分钟。您怎么看？",
            "opens_at": opens_at.isoformat(),
            "closes_at": (opens_at + timedelta(days=30)).isoformat(),
        }
        _ask(self._hands.officer, "POST", "/v1/consultations", fine=STANDS, json=body)

    def _file_request(self, app: Ask) -> None:
        """As another system files it over Open311."""
        key = _ask(app, "POST", "/v1/open311/keys")["api_key"]
        form = {
            "api_key": key,
            "service_code": "roads",
            "attribute[defect]": "pothole",
            "lat": "31.23",
            "long": "121.98",
            "description": "老街路口有一个坑，电动车经过很危险",
        }
        _ask(app, "POST", "/open311/v2/requests.json", data=form)


def _ask(ask: Ask, method: str, path: str, *, fine: int = 200, **request: Any) -> dict[str, Any]:  # noqa: ANN401
    answer = ask(method, path, **request)
    if not answer.is_success and answer.status_code != fine:
        raise Unwilling(f"{method} {path} was answered {answer.status_code}: {answer.text[:300]}")
    document = answer.json()
    return document if isinstance(document, dict) else {"items": document}
