"""A private PostgreSQL cluster: made once, started as our child on a port of its own, stopped without loss."""

import os
import secrets
import shutil
import signal
import subprocess
from pathlib import Path

from embedded.accounts import drop_arguments, make_folder, own, reachable_folder, service_account
from embedded.errors import EmbeddedError
from embedded.layout import free_port, write_whole
from embedded.packages import find_postgres
from embedded.process import MARKER, Child, Command, last_lines

ADMINISTRATOR = "lianxin_admin"

# In a file that the cluster includes, not on the command line: recovery and the administrator's tools read only files.
SETTINGS = """\
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
max_connections = 150
shared_buffers = 96MB
effective_cache_size = 512MB
work_mem = 8MB
maintenance_work_mem = 64MB
max_wal_size = 1GB
wal_compression = {compression}
jit = off
random_page_cost = 1.1
max_worker_processes = 4
max_parallel_workers_per_gather = 1
autovacuum_max_workers = 2
password_encryption = 'scram-sha-256'
timezone = 'UTC'
log_timezone = 'UTC'
logging_collector = off
log_checkpoints = off
log_line_prefix = '%m [%p] %q%a %u '
"""
# For tests that never cut the power: a kill -9 loses nothing even so, because the kernel still holds what was written.
# Their databases live for a second: nobody needs them vacuumed, nor the log kept short by frequent checkpoints. Several
# processes of tests at once hold more sessions than an installation.
FORGETFUL = """\
fsync = off
full_page_writes = off
autovacuum = off
max_wal_size = 8GB
checkpoint_timeout = 1h
max_connections = 450
"""


class PrivatePostgres:
    """Keeps its data in the folder, or where `data_folder` says if the service account cannot reach that one."""

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        password: str | None = None,
        durable: bool = True,
        log: Path | None = None,
        marker: str | None = None,
    ) -> None:
        self._binaries = find_postgres()
        self._account = service_account("postgres")
        self._durable = durable
        self._marker = marker or str(folder)
        self._password = password or secrets.token_urlsafe(24)
        self.port = port or free_port()
        self.folder = reachable_folder(folder, self._account)
        self.data_folder = self.folder / "data"
        self.child = Child(self._command(log or self.folder / "postgres.log"), self.is_ready)

    @property
    def admin_url(self) -> str:
        return f"postgresql://{ADMINISTRATOR}:{self._password}@127.0.0.1:{self.port}/postgres"

    @property
    def pid(self) -> int | None:
        return self.child.pid

    def start(self, timeout_seconds: float = 90) -> None:
        self.prepare()
        self.child.launch()
        self.child.wait_until_ready(timeout_seconds)

    def stop(self) -> None:
        self.child.stop()

    def kill9(self) -> None:
        self.child.kill9()

    kill = kill9

    def remove(self) -> None:
        """Stop it and forget its data."""
        self.child.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def is_ready(self) -> bool:
        command = [self._tool("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port), "-t", "2"]
        return subprocess.run(command, env=self._environment(), check=False).returncode == 0

    def prepare(self) -> None:
        """Make the cluster if there is none, and write its settings. Safe to repeat."""
        if not (self.data_folder / "PG_VERSION").exists():
            self._initialise()
        made_by = (self.data_folder / "PG_VERSION").read_text().strip()
        if made_by != str(self._binaries.major):
            raise EmbeddedError(
                f"the data in {self.data_folder} belongs to PostgreSQL {made_by}, but version {self._binaries.major} "
                f"was found: install postgresql-{made_by}, or move the folder away to begin afresh"
            )
        settings = SETTINGS.format(port=self.port, compression=self._find_compression())
        settings += "" if self._durable else FORGETFUL
        included = self.data_folder / "lianxin.conf"
        write_whole(included, settings, mode=0o600)
        own(included, self._account)

    def _find_compression(self) -> str:
        """Of pages that go into the log whole. What a server without lz4 has takes many times the processor time."""
        command = ["setpriv", *drop_arguments(self._account), "--", self._tool("postgres"), "-D", str(self.data_folder)]
        command += ["-c", f"config_file={os.devnull}", "-c", "wal_compression=lz4", "-C", "wal_compression"]
        asked = subprocess.run(command, env=self._environment(), cwd=self.folder, capture_output=True, check=False)
        return "lz4" if asked.returncode == 0 else "on"

    def _initialise(self) -> None:
        """Build beside the final place and rename, so that an interrupted attempt is simply begun again."""
        unfinished = self.folder / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        make_folder(unfinished, self._account)
        password_file = self.folder / "password"
        write_whole(password_file, self._password, mode=0o600)
        own(password_file, self._account)
        command = ["setpriv", *drop_arguments(self._account), "--", self._tool("initdb"), "-D", str(unfinished)]
        command += ["--username", ADMINISTRATOR, "--pwfile", str(password_file), "--auth-local=scram-sha-256"]
        command += ["--auth-host=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums"]
        command += [] if self._durable else ["--no-sync"]
        try:
            result = subprocess.run(
                command, env=self._environment(), cwd=self.folder, capture_output=True, text=True, check=False
            )
        finally:
            password_file.unlink()
        if result.returncode != 0:
            raise EmbeddedError(f"initdb failed:\n{result.stdout[-1500:]}{result.stderr[-1500:]}")
        with (unfinished / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write("\ninclude = 'lianxin.conf'\n")
        unfinished.rename(self.data_folder)

    def _command(self, log: Path) -> Command:
        return Command(
            name="postgres",
            arguments=(self._tool("postgres"), "-D", str(self.data_folder)),
            environment=self._environment(),
            folder=self.folder,
            account=self._account,
            stop_signal=signal.SIGINT,  # a fast shutdown: sessions are ended, and nothing needs recovery afterwards
            stop_seconds=40,
            log=log,
        )

    def _tool(self, name: str) -> str:
        return str(self._binaries.folder / name)

    def _environment(self) -> dict[str, str]:
        # libpq looks into the home folder for certificates and stops at one it may not read.
        base = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": str(self.folder)}
        return base | {MARKER: self._marker} | self._binaries.environment

    def last_lines(self) -> str:
        return last_lines(self.child.command.log)
