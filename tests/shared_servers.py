"""Servers that forget, and one of each kind for all workers of a run: started when the first of them asks for it."""

import secrets
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Listener
from pathlib import Path

from embedded.errors import EmbeddedError
from embedded.postgres import PrivatePostgres
from embedded.process import Child
from embedded.rabbitmq import PrivateRabbit

Urls = tuple[str, ...]
Address = tuple[str, int, bytes]

END = ""


@contextmanager
def run_postgres(folder: Path) -> Iterator[Urls]:
    """Give the administrator's URL."""
    server = PrivatePostgres(folder, durable=False)
    _end_at_once(server.child)
    try:
        server.start()
        yield (server.admin_url,)
    finally:
        server.kill9()  # its data is not wanted any more
        server.remove()


@contextmanager
def run_rabbit(folder: Path) -> Iterator[Urls]:
    """Give the AMQP URL and the management URL, both as administrator."""
    server = PrivateRabbit(folder)
    _end_at_once(server.child)
    try:
        server.start()
        yield server.admin_url, server.management_url
    finally:
        server.kill9()
        server.remove()


def _end_at_once(child: Child) -> None:
    """With a run that is killed: whoever is asked to end while it starts may go on as if nobody had."""
    child.command = replace(child.command, stop_signal=signal.SIGKILL)


RUNNING = {"postgres": run_postgres, "rabbitmq": run_rabbit}


class SharedServers:
    """Of the process that leads the workers. A worker ends before the others do, and its own servers with it."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)
        self._listener = Listener(("127.0.0.1", 0), authkey=self._secret)
        host, port = self._listener.address
        self.address: Address = (str(host), int(port), self._secret)
        # The kernel ends the servers with the thread that started them.
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def remove(self) -> None:
        """Stop what was started and forget its data."""
        with Client(self.address[:2], authkey=self._secret) as connection:
            connection.send((END, ""))
        self._thread.join()

    def _serve(self) -> None:
        answers: dict[str, Urls | EmbeddedError] = {}
        with self._listener, ExitStack() as running:
            while True:
                try:
                    connection = self._listener.accept()
                except (AuthenticationError, EOFError, OSError):
                    continue  # no worker of ours
                with connection:
                    kind, folder = connection.recv()
                    if kind == END:
                        return
                    if kind not in answers:
                        answers[kind] = _start(kind, Path(folder), running)
                    connection.send(answers[kind])


def _start(kind: str, folder: Path, running: ExitStack) -> Urls | EmbeddedError:
    try:
        return running.enter_context(RUNNING[kind](folder))
    except EmbeddedError as error:
        return error


def ask_for(kind: str, address: Address, folder: Path) -> Urls:
    """A server of this kind, which keeps its data in the folder if it is only now to be started."""
    with Client(address[:2], authkey=address[2]) as connection:
        connection.send((kind, str(folder)))
        answer = connection.recv()
    if isinstance(answer, EmbeddedError):
        raise answer
    return tuple(answer)
