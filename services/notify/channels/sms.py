"""SMS over the HTTP gateway that an installation has set up."""

import time
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from urllib.parse import urlencode

import orjson

from services.notify.channels.calls import Answer, attempt, post
from services.notify.channels.gateways import Gateway, as_text, fill, look_up, read_header
from services.notify.domain.circuits import Pace
from services.notify.domain.deliveries import Outgoing, Result


class SmsChannel:
    """Every message carries its delivery's id, the same on each attempt, by which a gateway can tell a repeat."""

    most_at_once = 20
    workers = 1

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    @property
    def groups(self) -> Collection[str]:
        return ()

    @property
    def pace(self) -> Pace | None:
        return Pace(per_minute=self._gateway.per_minute, burst=self.most_at_once)

    def endpoint_of(self, address: str) -> str:  # noqa: ARG002 - all of them go through one gateway
        return "sms"

    def send(self, items: Sequence[Outgoing], *, within_seconds: float) -> Iterator[tuple[Outgoing, Result]]:
        until = time.monotonic() + within_seconds
        is_away = False
        for item in items:
            left = until - time.monotonic()
            if is_away or left <= 0:
                yield item, Result(outcome="unused")
                continue
            call = partial(self._call, item, min(left, self._gateway.timeout_seconds))
            result = attempt(call, self._judge, now=time.time)
            is_away = result.blames_endpoint
            yield item, result

    def _call(self, item: Outgoing, seconds: float) -> Answer:
        values = {"phone": item.address, "text": item.text_body, "reference": str(item.delivery_id)}
        fields = fill(self._gateway.fields, values)
        if self._gateway.encoding == "form":
            content, kind = urlencode(fields).encode(), "application/x-www-form-urlencoded"
        else:
            content, kind = orjson.dumps(fields), "application/json"
        headers = {"Content-Type": kind, "User-Agent": "lianxin"}
        if self._gateway.header_file is not None:
            name, value = read_header(self._gateway.header_file)
            headers[name] = value
        return post(self._gateway.url, content, headers, within_seconds=seconds)

    def _judge(self, answer: Answer) -> Result:
        rules = self._gateway.answer
        try:
            document = orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            document = None
        reference = as_text(look_up(document, rules.reference)) if rules.reference else None
        if rules.code is None:
            return Result(outcome="sent", reference=reference[:200] if reference else None)
        code = as_text(look_up(document, rules.code))
        if code in rules.accepted:
            return Result(outcome="sent", reference=reference[:200] if reference else None)
        reason = f"gateway {(code or 'without a code')[:40]}"
        return Result(outcome="failed" if code in rules.refused else "retry", reason=reason)
