"""What delivering asks of a channel. Whoever adds one writes a module beside this one and enters it in the registry."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Protocol

from services.notify.domain.deliveries import Outgoing
from shared.gateways.circuits import Pace
from shared.gateways.results import Result


class Channel(Protocol):
    """`most_at_once` deliveries may be under way to one endpoint, and `workers` threads be at its endpoints.

    Of these as many as `hands` are at one endpoint together, where one call after another would be too slow.
    """

    @property
    def most_at_once(self) -> int: ...

    @property
    def workers(self) -> int: ...

    @property
    def hands(self) -> int: ...

    @property
    def pace(self) -> Pace | None: ...

    @property
    def groups(self) -> Collection[str]:
        """The robots that it speaks by; none where its addresses are persons'."""
        ...

    def endpoint_of(self, address: str) -> str:
        """What fails and recovers as one: its circuit, pace and bulkhead go by this name."""
        ...

    def send(self, items: Sequence[Outgoing], *, within_seconds: float) -> Iterator[tuple[Outgoing, Result]]:
        """Hand these to one endpoint and say of each what became of it, before the next is sent.

        What is not sent when the time is up comes back unused. May be called from several threads.
        """
        ...


Channels = Mapping[str, Channel]
