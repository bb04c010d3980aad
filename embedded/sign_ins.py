"""Who may sign in to what `make run` started: the first administrator, and the people of the demo county."""

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any

from embedded.accounts import Account, own
from embedded.applications import Applications
from embedded.errors import EmbeddedError
from embedded.layout import Layout, read_json, write_whole
from embedded.supervisor import Supervisor

ADMINISTRATOR = "administrator"
ACCOUNT_SECONDS = 120
DEMO_SECONDS = 1_800
_ONE_TIME_PASSWORD = re.compile(r"^[2-9a-z]{5}(?:-[2-9a-z]{5}){3}$", re.MULTILINE)


class SignIns:
    """One file for each database that we meet, since each has accounts of its own."""

    def __init__(
        self,
        layout: Layout,
        applications: Applications,
        supervisor: Supervisor,
        *,
        account: Account | None,
        where: str,
    ) -> None:
        self._layout = layout
        self._applications = applications
        self._supervisor = supervisor
        self._account = account
        self.where = where
        self._file = layout.accounts / f"{hashlib.sha256(where.encode()).hexdigest()[:12]}.json"

    def make_administrator(self, tell: Callable[[str], None]) -> None:
        """By the same command as in production, which works once. Raises EmbeddedError where others did it before."""
        if self._file.exists():
            return
        tell("making the first security administrator")
        told_in = self._layout.accounts / "administrator.log"
        command = self._applications.administrator(ADMINISTRATOR, told_in=told_in)
        self._supervisor.run_to_the_end([command], timeout_seconds=ACCOUNT_SECONDS)
        told = _ONE_TIME_PASSWORD.search(told_in.read_text("utf-8"))
        if told is None:
            raise EmbeddedError(f"no one-time password was told in {told_in}")
        write_whole(self._file, json.dumps({"one_time_password": told[0]}), mode=0o600)
        own(self._file, self._account)
        told_in.unlink()

    def make_people(self, tell: Callable[[str], None]) -> None:
        """Through identity's own door, as the administrator who was just made."""
        if self._read().get("is_complete"):
            return
        tell("making the accounts of the demo")
        command = self._applications.demo("sign-ins", str(self._file))
        self._supervisor.run_to_the_end([command], timeout_seconds=ACCOUNT_SECONDS)

    def load_county(self, hear: Callable[[str], None], *, today: str) -> None:
        """As it stands on the morning of a day."""
        command = self._applications.demo("load", str(self._file), "--today", today)
        self._supervisor.run_to_the_end([command], timeout_seconds=DEMO_SECONDS, hear=hear)

    def decide_something(self, hear: Callable[[str], None]) -> None:
        """Decide about one of the signals that were found in the county, as soon as there is one."""
        command = self._applications.demo("decide", str(self._file))
        self._supervisor.run_to_the_end([command], timeout_seconds=DEMO_SECONDS, hear=hear)

    def write_down(self) -> list[str]:
        """Leave the sign-ins in a file of the person who ran this, and return its lines."""
        known = self._read()
        words = {**known.get("passwords", {}), **known.get("clients", {})}
        purposes = known.get("purposes", {})
        lines = [f"{name:<16} {word:<48} {purposes.get(name, '')}".rstrip() for name, word in words.items()]
        if not lines and "one_time_password" in known:
            lines = [f"{ADMINISTRATOR:<16} {known['one_time_password']:<48} to be changed at the first sign-in"]
        write_whole(self._layout.sign_ins, "".join(f"{line}\n" for line in lines), mode=0o600)
        return lines

    def _read(self) -> dict[str, Any]:
        return read_json(self._file)
