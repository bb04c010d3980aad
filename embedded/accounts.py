"""Under which account a program runs when root starts it, and whether that account can reach a folder."""

import grp
import hashlib
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from embedded.errors import EmbeddedError

APPLICATION_ACCOUNT = "lianxin"
# Where data goes when the checkout lies under a folder, such as /root, that a service account may not enter.
ELSEWHERE = Path("/var/lib/lianxin")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    name: str
    user_id: int
    group_id: int


def service_account(preferred: str) -> Account | None:
    """Name the account to drop to, or None when we are an ordinary user already and stay who we are."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(preferred)
    except KeyError:
        entry = _application_entry()
    return Account(name=entry.pw_name, user_id=entry.pw_uid, group_id=entry.pw_gid)


def _application_entry() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(APPLICATION_ACCOUNT)
    except KeyError:
        pass
    command = ["useradd", "--system", "--no-create-home", "--home-dir", "/nonexistent"]
    command += ["--shell", "/usr/sbin/nologin", "--user-group", APPLICATION_ACCOUNT]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise EmbeddedError(f"PostgreSQL refuses to run as root, and no account could be made: {result.stderr.strip()}")
    return pwd.getpwnam(APPLICATION_ACCOUNT)


def own(path: Path, account: Account | None) -> None:
    if account is not None:
        os.chown(path, account.user_id, account.group_id)


def make_folder(path: Path, account: Account | None, *, mode: int = 0o700) -> None:
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(mode)
    own(path, account)


def drop_arguments(account: Account | None) -> list[str]:
    """Arguments of setpriv that give up root for good."""
    if account is None:
        return []
    user, group = f"--reuid={account.user_id}", f"--regid={account.group_id}"
    return [user, group, "--init-groups", "--inh-caps=-all", "--no-new-privs"]


def may(account: Account | None, *test: str) -> bool:
    """Ask the kernel, as the account itself, so that access lists and mounts count too."""
    command = ["setpriv", *drop_arguments(account), "--", *test]
    return subprocess.run(command, capture_output=True, check=False, cwd="/").returncode == 0


def reachable_folder(folder: Path, account: Account | None) -> Path:
    """Give the folder itself, or one with a name derived from it in a place that the account can enter."""
    make_folder(folder, account)
    if account is None or may(account, "test", "-w", str(folder)):
        return folder
    digest = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]
    elsewhere = ELSEWHERE / f"{folder.name}-{digest}"
    ELSEWHERE.mkdir(mode=0o755, parents=True, exist_ok=True)
    make_folder(elsewhere, account)
    if not may(account, "test", "-w", str(elsewhere)):
        raise EmbeddedError(f"the account {account.name} can write neither to {folder} nor to {elsewhere}")
    return elsewhere


def describe(account: Account | None) -> str:
    if account is None:
        return pwd.getpwuid(os.geteuid()).pw_name if _has_entry(os.geteuid()) else str(os.geteuid())
    return f"{account.name}:{grp.getgrgid(account.group_id).gr_name}"


def _has_entry(user_id: int) -> bool:
    try:
        pwd.getpwuid(user_id)
    except KeyError:
        return False
    return True


def remove_folder(folder: Path) -> None:
    """Remove it with all it holds, and its stand-in elsewhere if there is one."""
    digest = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]
    for path in (folder, ELSEWHERE / f"{folder.name}-{digest}"):
        if path.exists():
            shutil.rmtree(path)
