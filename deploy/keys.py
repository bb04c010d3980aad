"""The key files of an installation: which service holds which keys, made once and kept on every repeat.

The standard library only: it runs before the virtual environment exists, and before any image is built.
"""

import argparse
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from shared.keyfiles import OWNER_ONLY, KeyName, Kind, create_key, name_of

FOLDER_MODE = 0o700
# By service: purpose and kind. A key lies in the directory of every service that is named here with it, and nowhere
# else; `epoch` is numbered by the month, all others from 1.
KEYS: Mapping[str, Mapping[str, Kind]] = {
    "intake": {"epoch": "key", "index": "key", "repeats": "key"},
    "assessment": {},
    "notify": {},
    "identity": {},
}


def create_keys(directory: Path, service: str, *, mode: int = OWNER_ONLY, folder_mode: int = FOLDER_MODE) -> list[str]:
    """Make what is missing for one service and return the names of what was made."""
    directory.mkdir(mode=folder_mode, parents=True, exist_ok=True)
    present = {name.purpose for file in directory.iterdir() if (name := name_of(file.name))}
    made = []
    for purpose, kind in KEYS[service].items():
        name = KeyName(purpose=purpose, kid=_first_number(purpose), kind=kind)
        if purpose not in present and create_key(directory, name, mode=mode):
            made.append(name.file_name)
    return made


def _first_number(purpose: str) -> int:
    return int(datetime.now(UTC).strftime("%Y%m")) if purpose == "epoch" else 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m deploy.keys", description=__doc__)
    parser.add_argument("service", choices=sorted(KEYS))
    parser.add_argument("directory", type=Path)
    options = parser.parse_args()
    made = create_keys(options.directory, options.service)
    sys.stdout.write("".join(f"made {name}\n" for name in made) or "every key was there\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
