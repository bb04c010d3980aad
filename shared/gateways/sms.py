"""One message to one phone, over the HTTP gateway that an installation has described."""

import time
from collections.abc import Callable
from functools import partial
from urllib.parse import urlencode

import orjson

from shared.gateways.calls import Answer, Caller, attempt, post
from shared.gateways.described import Gateway, as_text, fill, look_up, read_header
from shared.gateways.results import Result


def hand_over(
    gateway: Gateway,
    *,
    phone: str,
    text: str,
    reference: str,
    within_seconds: float,
    caller: Caller | None = None,
) -> Result:
    """`reference` is the same on each attempt, by which a gateway can tell a repeat. The result names nothing of it.

    With a `caller` its connection is used, else one for this message alone.
    """
    values = {"phone": phone, "text": text, "reference": reference}
    seconds = min(within_seconds, gateway.timeout_seconds)
    post_by = post if caller is None else caller.post
    return attempt(partial(_call, post_by, gateway, values, seconds), partial(_judge, gateway), now=time.time)


def _call(post_by: Callable[..., Answer], gateway: Gateway, values: dict[str, str], seconds: float) -> Answer:
    fields = fill(gateway.fields, values)
    if gateway.encoding == "form":
        content, kind = urlencode(fields).encode(), "application/x-www-form-urlencoded"
    else:
        content, kind = orjson.dumps(fields), "application/json"
    headers = {"Content-Type": kind, "User-Agent": "lianxin"}
    if gateway.header_file is not None:
        name, value = read_header(gateway.header_file)
        headers[name] = value
    return post_by(gateway.url, content, headers, within_seconds=seconds)


def _judge(gateway: Gateway, answer: Answer) -> Result:
    rules = gateway.answer
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
