"""What the product is made of, and what is known against it: a bill of materials, licences, and known vulnerabilities.

`python -m deploy.supply sbom | audit | licences`. An auditor that could not ask says "no known vulnerabilities"; here
not checked is an outcome of its own, said aloud, and a failure with STRICT=1.
"""

import argparse
import email
import importlib.metadata
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOCK = Path("requirements.lock")
BILL = Path("build/sbom.json")
CLEAN, VULNERABLE, UNUSABLE, NOT_CHECKED = 0, 1, 2, 3
_PINNED = re.compile(r"([A-Za-z0-9._-]+)==([^\s\\;]+)", re.ASCII)
_SECONDS = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How an audit ended, package by package."""

    checked: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    vulnerable: Mapping[str, tuple[str, ...]]

    @property
    def outcome(self) -> int:
        if self.vulnerable:
            return VULNERABLE
        return NOT_CHECKED if self.skipped or not self.checked else CLEAN


def pinned(lock: Path) -> dict[str, str]:
    """The packages of a lock file by name, with their versions."""
    lines = lock.read_text("utf-8").splitlines()
    return {match[1].lower(): match[2] for line in lines if (match := _PINNED.match(line))}


def judge(document: Mapping[str, Any] | None, expected: Sequence[str]) -> Verdict:
    """Read what the auditor wrote. A package that it does not mention was not checked, whatever it says of the rest."""
    found = {str(one["name"]).lower(): one for one in (document or {}).get("dependencies", [])}
    checked = [name for name in expected if name in found and "skip_reason" not in found[name]]
    vulnerable = {
        name: tuple(sorted(str(fault["id"]) for fault in one["vulns"]))
        for name, one in found.items()
        if one.get("vulns")
    }
    skipped = [name for name in expected if name not in checked]
    return Verdict(checked=tuple(checked), skipped=tuple(skipped), vulnerable=vulnerable)


def audit(lock: Path, *, advisories_url: str | None, is_strict: bool) -> int:
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(lock), "--disable-pip", "--no-deps"]
    command += ["--format", "json", "--progress-spinner", "off", "--desc", "off", "--timeout", "5"]
    command += ["--vulnerability-service", "osv", "--osv-url", advisories_url] if advisories_url else []
    document, reason = None, ["no answer in time"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)  # noqa: S603 - fixed words
        reason = done.stderr.strip().splitlines()[-1:]
        document = json.loads(done.stdout)
    except (ValueError, subprocess.TimeoutExpired):  # it ends with a traceback where its source cannot be reached
        pass
    verdict = judge(document, list(pinned(lock)))
    _tell(verdict, reason=reason if document is None else [])
    if verdict.outcome == NOT_CHECKED and not is_strict:
        return CLEAN
    return verdict.outcome


def _tell(verdict: Verdict, *, reason: Sequence[str]) -> None:
    write = sys.stdout.write
    for name, faults in sorted(verdict.vulnerable.items()):
        write(f"VULNERABLE {name}: {', '.join(faults)}\n")
    if verdict.skipped:
        write(f"NOT CHECKED: {len(verdict.skipped)} packages; nothing is known about them, and that is no good news\n")
        write("".join(f"  {line[:200]}\n" for line in reason))
    if verdict.checked:
        write(f"checked: {len(verdict.checked)} packages, {len(verdict.vulnerable)} vulnerable\n")


def write_bill(lock: Path, target: Path) -> int:
    """Write a CycloneDX bill of materials, which its maker validates, and see that it holds every pinned package."""
    target.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "cyclonedx_py", "requirements", str(lock), "--output-format", "JSON"]
    command += ["--output-reproducible", "--validate", "--output-file", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)  # noqa: S603 - fixed words
    if done.returncode != 0:
        sys.stderr.write(f"no bill of materials: {done.stderr.strip()[-500:]}\n")
        return UNUSABLE
    listed = {
        str(component["name"]).lower(): component.get("version")
        for component in json.loads(target.read_text("utf-8"))["components"]
    }
    missing = [name for name, version in pinned(lock).items() if listed.get(name) != version]
    if missing:
        sys.stderr.write(f"the bill of materials lacks {', '.join(missing)}\n")
        return UNUSABLE
    sys.stdout.write(f"{target}: {len(listed)} components\n")
    return CLEAN


def list_licences(lock: Path) -> int:
    for name, version in sorted(pinned(lock).items()):
        sys.stdout.write(f"{name} {version}: {_licence_of(name)}\n")
    return CLEAN


def _licence_of(name: str) -> str:
    try:
        told = email.message_from_string(importlib.metadata.distribution(name).read_text("METADATA") or "")
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
    classified = [
        line.rpartition(" :: ")[2] for line in told.get_all("Classifier", []) if line.startswith("License ::")
    ]
    return told.get("License-Expression") or ", ".join(classified) or (told.get("License") or "unknown").splitlines()[0]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.supply", description=__doc__)
    parser.add_argument("command", choices=["sbom", "audit", "licences"])
    parser.add_argument("--lock", type=Path, default=LOCK)
    parser.add_argument("--output", type=Path, default=BILL)
    options = parser.parse_args()
    if options.command == "sbom":
        return write_bill(options.lock, options.output)
    if options.command == "licences":
        return list_licences(options.lock)
    advisories_url = os.environ.get("LIANXIN_ADVISORIES_URL")
    return audit(options.lock, advisories_url=advisories_url, is_strict=os.environ.get("STRICT") == "1")


if __name__ == "__main__":
    sys.exit(main())
