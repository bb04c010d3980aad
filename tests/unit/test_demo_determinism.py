"""The same day and seed give the same bytes, whatever the hash seed of the process; another gives another county."""

import hashlib
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from demo.county import COLUMNS, build_years, write_files

ROOT = Path(__file__).parents[2]
SCALE = "0.05"
TODAY = date(2026, 12, 1)


def digest(folder: Path) -> str:
    return hashlib.sha256(b"".join((folder / f"{name}.csv").read_bytes() for name in COLUMNS)).hexdigest()


def generate_in_a_process(folder: Path, hash_seed: str) -> str:
    subprocess.run(
        [sys.executable, "-m", "demo", "generate", str(folder), "--scale", SCALE, "--today", "2026-12-01"],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        check=True,
        capture_output=True,
        timeout=60,
    )
    return digest(folder)


def test_the_bytes_do_not_depend_on_the_hash_seed(tmp_path):
    digests = {generate_in_a_process(tmp_path / seed, seed) for seed in ("0", "1", "4711")}

    assert len(digests) == 1


def test_another_seed_gives_another_county(tmp_path):
    for seed in (1, 2):
        write_files(build_years(today=TODAY, seed=seed, scale=0.05), tmp_path / str(seed))

    assert digest(tmp_path / "1") != digest(tmp_path / "2")


def test_another_day_gives_another_county(tmp_path):
    for day in (1, 2):
        write_files(build_years(today=date(2026, 12, day), scale=0.05), tmp_path / str(day))

    assert digest(tmp_path / "1") != digest(tmp_path / "2")


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("scale", [0.01, 0.1])
def test_any_seed_and_scale_gives_a_county(seed, scale):
    years = build_years(today=TODAY, seed=seed, scale=scale)

    assert years.contacts
    assert years.issues
    assert years.ratings


@pytest.mark.parametrize("scale", ["0", "-1", "1.5", "much"])
def test_a_scale_out_of_range_is_refused(tmp_path, scale):
    process = subprocess.run(
        [sys.executable, "-m", "demo", "generate", str(tmp_path), "--scale", scale],
        cwd=ROOT,
        check=False,
        capture_output=True,
        timeout=60,
    )

    assert process.returncode == 2
    assert b"--scale" in process.stderr
