"""The program that computes closed scores again without the suite: it finds the same, and whatever was altered."""

import datetime
import json
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.assessment.fair.engine import judge
from services.assessment.fair.explaining import case_of, iterate_cases
from services.assessment.fair.freezing import freeze, read_span, rename, thaw, write_span
from services.assessment.fair.settings import read_settings
from services.assessment.fair.yardstick import yardstick_of
from services.assessment.handlers.fair import read_settings_text
from services.assessment.handlers.fair_closings import WindowHash, describe, hash_results
from services.assessment.handlers.publishing import seal
from tests.unit.assessment.fair.towns import SPAN, make_town

PROGRAM = Path(__file__).parents[4] / "tools" / "verify_fair.py"
TEXT = read_settings_text()
SETTINGS = read_settings(TEXT)
TEXT_2 = (Path(__file__).parent / "fair-2.toml").read_text("utf-8")
HASH_OF_VERSION_2 = "2278f0f838b6f2a2d658965ece6af47b98b874df8ceb8052618966ccf7a61dba"


@pytest.fixture(scope="module")
def package() -> list[dict[str, Any]]:
    return make_package(TEXT)


def make_package(text: str) -> list[dict[str, Any]]:
    """As the route writes it. Two answer everything at once."""
    settings = read_settings(text)
    days = datetime.date(2025, 1, 1), datetime.date(2025, 12, 31)
    town = [rename(dossier, "window") for dossier in make_town(5, cadres=60)]
    for dossier in town[3:5]:
        dossier.issues = [replace(issue, answered_at=issue.received_at + 900) for issue in dossier.issues]
    judged = judge(town, SPAN, settings)
    yardstick = yardstick_of(judged.scored)
    total = WindowHash(days, SPAN, settings)
    lines = []
    for result in judged.results:
        case = case_of(judged, result.cadre, yardstick)
        inputs, inputs_hash = seal(freeze(case.measured.counted.dossier))
        document, content_hash = seal(describe(case, settings))
        total.add(result.cadre, inputs_hash, content_hash)
        lines.append(
            {
                "cadre": result.cadre,
                "inputs": orjson.loads(inputs),
                "inputs_hash": inputs_hash.hex(),
                "document": orjson.loads(document),
                "content_hash": content_hash.hex(),
            }
        )
    head = {
        "package": "fair-1",
        "window": "2025-01-01..2025-12-31",
        "scheme": {"name": settings.name, "version": settings.version, "content_hash": settings.content_hash},
        "settings": tomllib.loads(text),
        "span": write_span(SPAN),
        "result_count": len(lines),
        "content_hash": total.digest().hex(),
    }
    return [head, *lines]


def verify(tmp_path: Path, package: list[dict[str, Any]], *options: str) -> tuple[int, str]:
    file = tmp_path / "period.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in package), "utf-8")
    command = [sys.executable, "-I", str(PROGRAM), str(file), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_every_score_comes_out_as_it_was_closed(tmp_path: Path, package: list[dict[str, Any]]) -> None:
    status, said = verify(tmp_path, package, "--hash", package[0]["content_hash"])

    assert (status, said.split()[:2]) == (0, ["SOUND", "60"])
    aside = [one for line in package[1:] for one in line["document"]["explanation"]["left_out"].get("set_aside", ())]
    assert any(one.endswith("#answer") for one in aside)


def test_what_was_closed_by_version_2_comes_out_as_it_did(tmp_path: Path) -> None:
    former = make_package(TEXT_2)

    status, said = verify(tmp_path, former)

    assert former[0]["content_hash"] == HASH_OF_VERSION_2
    assert (status, said.split()[:2]) == (0, ["SOUND", "60"])


def test_the_suite_computes_it_again_from_the_inputs_alone(package: list[dict[str, Any]]) -> None:
    head, *lines = package

    judged = judge((thaw(line["inputs"]) for line in reversed(lines)), read_span(head["span"]), SETTINGS)
    found = hash_results(iterate_cases(judged, yardstick_of(judged.scored)), SETTINGS, {})

    assert [(cadre, inputs.hex(), document.hex()) for cadre, inputs, document in found] == [
        (line["cadre"], line["inputs_hash"], line["content_hash"]) for line in lines
    ]
    for line in lines:
        assert freeze(thaw(line["inputs"])) == line["inputs"]


def reseal(package: list[dict[str, Any]]) -> None:
    """What somebody does who alters a package and knows how hashes are made."""
    head, *lines = package
    days = datetime.date(2025, 1, 1), datetime.date(2025, 12, 31)
    total = WindowHash(days, read_span(head["span"]), SETTINGS)
    for line in lines:
        for name, hash_name in (("inputs", "inputs_hash"), ("document", "content_hash")):
            line[hash_name] = seal(line[name])[1].hex()
        total.add(line["cadre"], bytes.fromhex(line["inputs_hash"]), bytes.fromhex(line["content_hash"]))
    head["content_hash"] = total.digest().hex()


def test_a_better_score_a_better_record_and_a_missing_cadre_are_noticed(
    tmp_path: Path, package: list[dict[str, Any]]
) -> None:
    known = package[0]["content_hash"]

    def altered() -> list[dict[str, Any]]:
        return json.loads(json.dumps(package))  # type: ignore[no-any-return]

    better = altered()
    better[3]["document"]["score"] = "99.00"
    assert verify(tmp_path, better)[0] == 1
    reseal(better)
    status, said = verify(tmp_path, better)
    assert (status, "is published as '99.00'" in said) == (1, True)
    assert verify(tmp_path, better, "--hash", known)[0] == 1

    kinder = altered()
    for line in kinder[1:]:
        for issue in line["inputs"]["issues"]:
            if issue.get("outcome") == "unsolved":
                issue["outcome"] = "solved"
    reseal(kinder)
    assert verify(tmp_path, kinder)[0] == 1

    fewer = altered()
    del fewer[5]
    assert verify(tmp_path, fewer)[0] == 1

    weights = altered()
    weights[0]["settings"]["weights"]["reply"] = "0.15"
    assert "settings were altered" in verify(tmp_path, weights)[1]
    assert verify(tmp_path, [{"package": 1}])[0] == 2
