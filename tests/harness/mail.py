"""A mail server that keeps what it is given, for a test to read."""

import threading
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller


class MailSink:
    """Listens on a thread of its own. What it has answered for, it has kept."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._lock = threading.Lock()
        self._mails: list[EmailMessage] = []
        self._controller = Controller(self, hostname="127.0.0.1", port=port)
        self.is_running = False

    def start(self) -> None:
        self._controller.start()
        self.is_running = True

    def stop(self) -> None:
        self._controller.stop()
        self.is_running = False

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: ARG002, N802 - aiosmtpd's hook
        mail = message_from_bytes(envelope.content, policy=policy.default)
        with self._lock:
            self._mails.append(mail)
        return "250 kept"

    @property
    def mails(self) -> list[EmailMessage]:
        with self._lock:
            return list(self._mails)
