"""The seal of an event: a MAC under its producer's key, which not even the broker's administrator can make."""

import base64
import binascii
from typing import Protocol

from shared.errors import Rejected

SEAL_HEADER = "x-lianxin-seal"
LONGEST_SEAL = 200


class Macs(Protocol):
    """Where the keys are: `shared.crypto`. A MAC says itself which key and which algorithm made it."""

    def mac(self, purpose: str, data: bytes) -> bytes: ...

    def is_mac(self, purpose: str, data: bytes, mac: bytes) -> bool: ...


class NotSealed(Rejected):
    code = "not-sealed"


class BadSeal(Rejected):
    code = "bad-seal"


def purpose_of(service: str) -> str:
    """The purpose under which the keys directory holds the keys of a service's events."""
    return f"events-{service}"


def sealed_bytes(*, service: str, message_id: str, message_type: str, content_type: str, body: bytes) -> bytes:
    """What the seal is over. Each part goes behind its length, so that no two messages give the same bytes.

    The sequence and the correlation id are in the body. The routing key changes when a message is set aside.
    """
    head = f"{len(message_id)}:{message_id}{len(message_type)}:{message_type}{len(content_type)}:{content_type}"
    return f"lianxin event 1|{service}|{head}|".encode() + body


class Seals:
    """Makes and checks the seals of one service's events."""

    def __init__(self, macs: Macs, *, service: str) -> None:
        self._macs = macs
        self._service = service
        self._purpose = purpose_of(service)

    def seal(self, *, message_id: str, message_type: str, content_type: str, body: bytes) -> str:
        data = sealed_bytes(
            service=self._service,
            message_id=message_id,
            message_type=message_type,
            content_type=content_type,
            body=body,
        )
        return base64.b64encode(self._macs.mac(self._purpose, data)).decode("ascii")

    def check(
        self, seal: object, *, message_id: str | None, message_type: str | None, content_type: str | None, body: bytes
    ) -> None:
        """Raises NotSealed, BadSeal. Whatever stands in the header, it is one of the two."""
        if seal is None:
            raise NotSealed("the message carries no seal")
        if not isinstance(seal, str) or len(seal) > LONGEST_SEAL:
            raise BadSeal("the message's seal is not one")
        try:
            mac = base64.b64decode(seal, validate=True)
            data = sealed_bytes(
                service=self._service,
                message_id=message_id or "",
                message_type=message_type or "",
                content_type=content_type or "",
                body=body,
            )
        except (binascii.Error, ValueError):
            raise BadSeal("the message's seal is not one") from None
        if not self._macs.is_mac(self._purpose, data, mac):
            raise BadSeal("the message was altered, or was not sealed by the service that owns these events")
