"""The gate of known vulnerabilities, the bill of materials, and secrets that do not belong into the tree."""

import json
import os
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from typing_extensions import override

from deploy.supply import CLEAN, NOT_CHECKED, VULNERABLE, judge, pinned, write_bill

ROOT = Path(__file__).parents[2]
TWO = """\
amqp==5.4.2 --hash=sha256:9362660c4a31150cf18e78cae2ce8aa1e929fc6c6739e69f6dd5dbea9c3edc82
vine==5.1.0 --hash=sha256:40fdf3c48b2cfe1c38a49e9ae2da6fda88e4794c810050a728bd7413811fb1dc
"""
FAULT = {
    "id": "TEST-2026-1",
    "summary": "a fault",
    "details": "a fault",
    "aliases": [],
    "affected": [
        {
            "package": {"name": "amqp", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99"}]}],
        }
    ],
}


class _Advisories(BaseHTTPRequestHandler):
    """Knows one fault, or none."""

    faults: ClassVar[dict[str, object]] = {}  # by package; replaced for each server

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        fault = self.faults.get(asked["package"]["name"])
        body = json.dumps({"vulns": [fault]} if fault else {}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def run_audit(tmp_path):
    """Run the gate on two packages against advisories of our own, or against nothing."""
    lock = tmp_path / "two.lock"
    lock.write_text(TWO)

    def run(faults, **variables):
        server = HTTPServer(("127.0.0.1", 0), type("Handler", (_Advisories,), {"faults": faults or {}}))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = server.server_address[1] if faults is not None else 1
        url = f"http://127.0.0.1:{address}/v1/query"
        try:
            return subprocess.run(
                [sys.executable, "-m", "deploy.supply", "audit", "--lock", str(lock)],
                env=os.environ | {"LIANXIN_ADVISORIES_URL": url} | variables,
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=False,
            )
        finally:
            server.shutdown()
            server.server_close()

    return run


def test_what_was_checked_and_found_clean_passes(run_audit):
    done = run_audit({}, STRICT="1")

    assert (done.returncode, done.stdout) == (CLEAN, "checked: 2 packages, 0 vulnerable\n")


def test_a_known_vulnerability_fails_and_is_named(run_audit):
    done = run_audit({"amqp": FAULT})

    assert done.returncode == VULNERABLE
    assert "VULNERABLE amqp: TEST-2026-1" in done.stdout


def test_what_could_not_be_checked_is_said_aloud_and_fails_where_it_must_be_checked(run_audit):
    done, strict = run_audit(None), run_audit(None, STRICT="1")

    assert (done.returncode, strict.returncode) == (CLEAN, NOT_CHECKED)
    assert "NOT CHECKED: 2 packages" in done.stdout
    assert "checked: 0" not in done.stdout


@pytest.mark.parametrize(
    ("dependencies", "outcome"),
    [
        ([], NOT_CHECKED),
        ([{"name": "a", "skip_reason": "Dependency not found"}], NOT_CHECKED),
        ([{"name": "a", "version": "1", "vulns": []}], NOT_CHECKED),  # b was forgotten
        ([{"name": "A", "version": "1", "vulns": []}, {"name": "b", "version": "1", "vulns": []}], CLEAN),
        ([{"name": "a", "version": "1", "vulns": [{"id": "X"}]}, {"name": "b", "skip_reason": "?"}], VULNERABLE),
    ],
)
def test_only_what_was_checked_counts_as_clean(dependencies, outcome):
    assert judge({"dependencies": dependencies}, ["a", "b"]).outcome == outcome


def test_no_answer_at_all_is_not_checked():
    assert judge(None, ["a"]).outcome == NOT_CHECKED


def test_the_bill_of_materials_holds_every_pinned_package(tmp_path):
    lock = tmp_path / "two.lock"
    lock.write_text(TWO)

    assert write_bill(lock, tmp_path / "sbom.json") == CLEAN

    bill = json.loads((tmp_path / "sbom.json").read_text())
    assert bill["bomFormat"] == "CycloneDX"
    assert {(one["name"], one["version"]) for one in bill["components"]} == set(pinned(lock).items())


def test_every_pinned_package_carries_a_hash():
    for lock in ("requirements.lock", "requirements-dev.lock"):
        entries = re.split(r"\n(?=[A-Za-z0-9])", (ROOT / lock).read_text("utf-8"))
        assert [entry.split()[0] for entry in entries if "==" in entry and "--hash=sha256:" not in entry] == []


# Key blocks and tokens of the usual services. Passwords of URLs in tests are words, and these are not.
SECRETS = re.compile(
    r"-----BEGIN (?:RSA |EC |OPENSSH |ENCRYPTED )?PRIVATE KEY-----\s+[A-Za-z0-9+/]{40}"
    r"|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}\b|\bglpat-[A-Za-z0-9_-]{20}\b|\bxox[abp]-[0-9A-Za-z-]{20}"
    r"|\beyJ[A-Za-z0-9_-]{20,}\.eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}"
    r"|(?:postgresql|amqps?)://[^\s:/@{}]+:[A-Za-z0-9_-]{32,}@"
)
# The file that makes them, and the file that looks for them.
KNOWN = {"tests/unit/test_supply.py"}


def test_no_secret_lies_in_the_tree():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = []
    for name in filter(None, listed.split("\0")):
        file = ROOT / name
        if name in KNOWN or not file.is_file():
            continue
        assert file.suffix not in {".pem", ".key", ".ed25519", ".p12", ".pfx"}, name
        found += [name for _ in SECRETS.finditer(file.read_text("utf-8", "replace"))]

    assert found == []


def test_the_look_for_secrets_would_find_them():
    assert SECRETS.search("postgresql://lianxin:" + "Xp-L7Fs0V1LvuQDVOAhu8_wdgv-qTt_p" + "@db/x")
    assert SECRETS.search("-----BEGIN PRIVATE KEY-----\n" + "A" * 64)
