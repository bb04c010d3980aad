"""SMS over the HTTP gateway that an installation has set up."""

import time
from collections.abc import Collection, Iterator, Sequence

from services.notify.domain.deliveries import Outgoing
from shared.gateways.calls import Caller
from shared.gateways.circuits import Pace
from shared.gateways.described import Gateway
from shared.gateways.results import Result
from shared.gateways.sms import hand_over


class SmsChannel:
    """Every message carries its delivery's id, the same on each attempt, by which a gateway can tell a repeat."""

    most_at_once = 20
    workers = 5
    hands = 5

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
        with Caller() as caller:
            for item in items:
                left = until - time.monotonic()
                if is_away or left <= 0:
                    yield item, Result(outcome="unused")
                    continue
                result = hand_over(
                    self._gateway,
                    phone=item.address,
                    text=item.text_body,
                    reference=str(item.delivery_id),
                    within_seconds=left,
                    caller=caller,
                )
                is_away = result.blames_endpoint
                yield item, result
