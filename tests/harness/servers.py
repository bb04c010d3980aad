"""The two servers of an experiment: private ones, which may be killed, or those that the environment names."""

import os
import shutil
from pathlib import Path

from embedded.postgres import PrivatePostgres
from embedded.rabbitmq import PrivateRabbit


class Servers:
    """PostgreSQL and RabbitMQ as their administrators reach them, both as durable as in an installation.

    Start it on a thread that lives as long as the servers do: the kernel ends them with the thread that started them.
    """

    def __init__(self, folder: Path) -> None:
        given = [
            os.environ.get(f"LIANXIN_TEST_{name}")
            for name in ("POSTGRES_URL", "RABBITMQ_URL", "RABBITMQ_MANAGEMENT_URL")
        ]
        self._given = [url for url in given if url] if all(given) else None
        self._folder = folder
        self.postgres = None if self._given else PrivatePostgres(folder / "postgres")
        self.rabbit = None if self._given else PrivateRabbit(folder / "rabbitmq")

    @property
    def may_be_killed(self) -> bool:
        return self._given is None

    @property
    def postgres_url(self) -> str:
        return self.postgres.admin_url if self.postgres else self._require_given()[0]

    @property
    def rabbit_url(self) -> str:
        return self.rabbit.admin_url if self.rabbit else self._require_given()[1]

    @property
    def management_url(self) -> str:
        return self.rabbit.management_url if self.rabbit else self._require_given()[2]

    def _require_given(self) -> list[str]:
        if self._given is None:
            raise RuntimeError("these servers are private")
        return self._given

    def start(self) -> None:
        if self.postgres and self.rabbit:
            # Both at once: the broker takes its time.
            self.postgres.prepare()
            self.postgres.child.launch()
            self.rabbit.start()
            self.postgres.child.wait_until_ready(60)

    def crash_postgres(self) -> None:
        """kill -9, and start again at once, as a supervisor would."""
        if self.postgres is None:
            raise RuntimeError("a given server is not ours to kill")
        self.postgres.kill9()
        self.postgres.start()

    def crash_rabbit(self) -> None:
        if self.rabbit is None:
            raise RuntimeError("a given server is not ours to kill")
        self.rabbit.kill9()
        self.rabbit.start()

    def remove(self) -> None:
        """Stop what is ours and forget its data."""
        for server in (self.rabbit, self.postgres):
            if server is not None:
                server.kill9()  # its data is not wanted any more
                server.remove()
        shutil.rmtree(self._folder, ignore_errors=True)
