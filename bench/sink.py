"""Receivers of webhooks that take everything, for measuring who sends: python -m bench.sink RECEIVERS.

Prints its ports on one line and answers until it is ended. As little as can be done with a request: two of them should
not measure the sink.
"""

import asyncio
import sys
from typing import cast

from typing_extensions import override

AGREED = b"HTTP/1.1 200 OK\r\nWebHook-Allowed-Origin: *\r\nContent-Length: 0\r\n\r\n"
TAKEN = b"HTTP/1.1 204 No Content\r\n\r\n"


class _Sink(asyncio.Protocol):
    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)
        self._pending = b""

    @override
    def data_received(self, data: bytes) -> None:
        self._pending += data
        while (end := self._pending.find(b"\r\n\r\n")) >= 0:
            head = self._pending[:end].lower()
            length = 0
            at = head.find(b"content-length:")
            if at >= 0:
                length = int(head[at + 15 :].partition(b"\r\n")[0])
            if len(self._pending) < end + 4 + length:
                return
            self._pending = self._pending[end + 4 + length :]
            self._transport.write(AGREED if head.startswith(b"options") else TAKEN)


async def main(receivers: int) -> None:
    loop = asyncio.get_running_loop()
    servers = [await loop.create_server(_Sink, "127.0.0.1", 0) for _ in range(receivers)]
    print(*(server.sockets[0].getsockname()[1] for server in servers), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
