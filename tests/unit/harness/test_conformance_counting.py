"""The table of a conformance run: what was asked for, and each failure once."""

import json
from pathlib import Path

from tests.conformance.counting import Counts, Found


def counted() -> Counts:
    counts = Counts()
    for status in (200, 201, 422):
        counts.note_answer("coverage", "POST /v1/issues", status)
    counts.note_answer("coverage", "GET /v1/issues", 304)
    counts.note_answer("fuzzing", "GET /v1/issues", 200)
    return counts


def test_answers_are_counted_by_phase():
    assert counted().by_phase() == [("coverage", 2, 4, 2, 0), ("fuzzing", 1, 1, 1, 0)]


def test_a_check_of_an_operation_fails_once_in_a_phase():
    counts = counted()
    for operation in ("GET /v1/issues", "GET /v1/issues", "POST /v1/issues"):
        counts.note_failure("coverage", operation, "Undocumented status")

    assert [failures for *_, failures in counts.by_phase()] == [2, 0]


def test_a_failure_without_an_answer_is_counted():
    counts = Counts()

    counts.note_failure("stateful", "GET /v1/issues", "Timeout")

    assert counts.by_phase() == [("stateful", 0, 0, 0, 1)]


def test_what_the_hooks_counted_is_written_as_rows(tmp_path: Path):
    counted().write(tmp_path / "counts.json")

    assert json.loads((tmp_path / "counts.json").read_text()) == {
        "phases": [["coverage", 2, 4, 2, 0], ["fuzzing", 1, 1, 1, 0]],
        "taken": ["GET /v1/issues", "POST /v1/issues"],
    }


def test_the_table_ends_with_sums():
    found = Found()
    found.rows.extend(("intake", "clerk", "allowed", *each) for each in counted().by_phase())
    found.never_taken["intake"] = {"PUT /v1/b", "GET /v1/a"}

    *lines, never = found.show().splitlines()

    assert " ".join(lines[0].split()) == "service role asked for phase operations requests taken failures"
    assert [line.split() for line in lines[1:]] == [
        ["intake", "clerk", "allowed", "coverage", "2", "4", "2", "0"],
        ["intake", "clerk", "allowed", "fuzzing", "1", "1", "1", "0"],
        ["all", "5", "3", "0"],
    ]
    assert never == "intake: 2 never answered by 2xx: GET /v1/a, PUT /v1/b"
