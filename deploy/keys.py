"""The key files of an installation: which service holds which keys, made once and kept on every repeat.

The standard library only: it runs before the virtual environment exists.
"""

import argparse
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from shared.keyfiles import OWNER_ONLY, BadKeyFile, KeyName, Kind, copy_key, create_key, name_of

FOLDER_MODE = 0o700
# By service: purpose and kind. A key lies in the directory of every service that is named here with it, and nowhere
# else; those of MONTHLY are numbered by the month, all others from 1.
KEYS: Mapping[str, Mapping[str, Kind]] = {
    "intake": {"audit": "ed25519", "epoch": "key", "index": "key", "repeats": "key", "text": "key"},
    "assessment": {"audit": "ed25519"},
    "notify": {"audit": "ed25519", "webhook": "key"},
    "identity": {"audit": "ed25519", "second-factor": "key", "token": "key"},
}
MONTHLY = frozenset({"epoch", "text"})
# By purpose: who holds the same key, the one who writes with it last, so that nobody meets what it cannot read yet.
SHARED: Mapping[str, tuple[str, ...]] = {
    "events-intake": ("assessment", "notify", "intake"),
    "events-assessment": ("notify", "assessment"),
}


def create_all(folder: Path, *, mode: int = OWNER_ONLY, folder_mode: int = FOLDER_MODE) -> list[str]:
    """Make what is missing for every service, each in a directory of its own, and return what was made."""
    folder.mkdir(mode=folder_mode, parents=True, exist_ok=True)
    made = []
    for service in KEYS:
        made += [
            f"{service}/{name}" for name in create_keys(folder / service, service, mode=mode, folder_mode=folder_mode)
        ]
    for purpose, holders in SHARED.items():
        made += _share(folder, purpose, holders, mode=mode)
    return made


def create_keys(directory: Path, service: str, *, mode: int = OWNER_ONLY, folder_mode: int = FOLDER_MODE) -> list[str]:
    """Make what is missing for one service and return the names of what was made."""
    directory.mkdir(mode=folder_mode, parents=True, exist_ok=True)
    present = {name.purpose for name in _names(directory)}
    made = []
    for purpose, kind in KEYS[service].items():
        name = KeyName(purpose=purpose, kid=_first_number(purpose), kind=kind)
        if purpose not in present and create_key(directory, name, mode=mode):
            made.append(name.file_name)
    return made


def create_next(folder: Path, purpose: str, *, mode: int = OWNER_ONLY) -> list[str]:
    """Make a further key of a purpose, which is written with from now on. The earlier ones stay: they still read."""
    holders = SHARED.get(purpose) or tuple(service for service, keys in KEYS.items() if purpose in keys)
    if not holders:
        raise BadKeyFile(f"{purpose}: no service has keys of that purpose")
    newest = max((name for name in _names(folder / holders[-1]) if name.purpose == purpose), key=lambda name: name.kid)
    following = KeyName(purpose=purpose, kid=max(newest.kid + 1, _first_number(purpose)), kind=newest.kind)
    create_key(folder / holders[0], following, mode=mode)
    return [f"{holders[0]}/{following.file_name}", *_share(folder, purpose, holders, mode=mode)]


def _share(folder: Path, purpose: str, holders: tuple[str, ...], *, mode: int) -> list[str]:
    """Give every holder all keys of the purpose that any of them has; make the first where nobody has one."""
    held = {name: folder / holder for holder in holders for name in _names(folder / holder) if name.purpose == purpose}
    made = []
    if not held:
        name = KeyName(purpose=purpose, kid=1)
        create_key(folder / holders[0], name, mode=mode)
        held[name] = folder / holders[0]
        made.append(f"{holders[0]}/{name.file_name}")
    for holder in holders:
        for name, source in held.items():
            if source != folder / holder and copy_key(source, folder / holder, name, mode=mode):
                made.append(f"{holder}/{name.file_name}")
    return made


def _names(directory: Path) -> list[KeyName]:
    return [name for file in directory.iterdir() if (name := name_of(file.name))]


def _first_number(purpose: str) -> int:
    return int(datetime.now(UTC).strftime("%Y%m")) if purpose in MONTHLY else 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m deploy.keys", description=__doc__)
    parser.add_argument("folder", type=Path, help="holds a directory for each service")
    parser.add_argument(
        "--next", metavar="PURPOSE", help="make a further key of this purpose, to write with from now on"
    )
    options = parser.parse_args()
    try:
        made = create_all(options.folder)
        made += create_next(options.folder, options.next) if options.next else []
    except (BadKeyFile, OSError) as error:
        sys.stderr.write(f"keys: {error}\n")
        return 1
    sys.stdout.write("".join(f"made {name}\n" for name in made) or "every key was there\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
