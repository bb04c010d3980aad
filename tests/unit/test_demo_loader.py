"""The loader against doors that answer as intake and assessment do: order, progress, and clear words when it fails."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from demo.county import COLUMNS
from demo.loader import Doors, Loader, LoadFailed

Suite = Callable[[httpx.Request], httpx.Response]


class Ticket:
    """A credential that never ends."""

    def __init__(self, word: str) -> None:
        self._word = word

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._word}"}

    def forget(self) -> None:
        raise AssertionError("these doors refuse nobody")


DOORS = Doors(
    intake_url="http://intake.test",
    importer=Ticket("importer-token"),
    assessment_url="http://assessment.test/",
    officer=Ticket("officer-token"),
)


class FakeSuite:
    """Keeps the promises that the loader relies on: imports run after their acceptance, scores come bit by bit."""

    def __init__(self, cadres: Sequence[str] = ()) -> None:
        self.cadres = list(cadres)
        self.profiles: list[str] = []
        self.status: dict[str, Any] = {"errors": 0, "state": "done", "reason": None}
        self.busy_answers = 0
        self.scored = 0
        self.polls = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        door, path = request.url.host, request.url.path
        token = {"intake.test": "importer-token", "assessment.test": "officer-token"}[door]
        assert request.headers["Authorization"] == f"Bearer {token}"
        if self.busy_answers:
            self.busy_answers -= 1
            return httpx.Response(503)
        if request.method == "POST":
            assert request.url.params["dry_run"] == "false"
            self.profiles.append(request.url.params["profile"])
            self.polls = 0
            return httpx.Response(202, json={"id": f"import-{len(self.profiles)}"})
        return self.show_import() if path.startswith("/v1/imports/") else self.list_scores(request)

    def show_import(self) -> httpx.Response:
        self.polls += 1
        counts = {"rows_read": 3, "created": 3, "unchanged": 0, "changed": 0, "flags": 0}
        status = counts | (self.status if self.polls > 1 else {"errors": 0, "state": "running"})
        return httpx.Response(200, json=status)

    def list_scores(self, request: httpx.Request) -> httpx.Response:
        """Two rows a page; each listing from the start finds one more scored."""
        start = int(request.url.params.get("cursor", "0"))
        if start == 0:
            self.scored += 1
        scored = self.cadres[: self.scored]
        page = [{"subject": {"code": code}} for code in scored[start : start + 2]]
        following = str(start + 2) if start + 2 < len(scored) else None
        return httpx.Response(200, content=json.dumps({"items": page, "next_cursor": following}))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in COLUMNS:
        (tmp_path / f"{name}.csv").write_text("header\n")
    return tmp_path


def make_loader(suite: Suite, told: list[str] | None = None, time_limit_seconds: float = 20.0) -> Loader:
    tell = ([] if told is None else told).append
    transport = httpx.MockTransport(suite)
    return Loader(DOORS, tell=tell, time_limit_seconds=time_limit_seconds, transport=transport, poll_seconds=0.001)


def test_files_go_in_with_what_is_referred_to_first(folder):
    suite = FakeSuite()
    told: list[str] = []

    make_loader(suite, told).load(folder)

    names = [
        "organisations",
        "cadres",
        "duties",
        "categories",
        "channels",
        "contact-households",
        "population-groups",
        "place-populations",
        "contacts",
        "issues",
        "ratings",
    ]
    assert suite.profiles == [f"lianxin-{name}" for name in names]
    assert [line.partition(".csv: 3 rows")[0] for line in told] == names


def test_rows_that_intake_refuses_end_the_load(folder):
    suite = FakeSuite()
    suite.status["errors"] = 2

    with pytest.raises(LoadFailed, match=r"refused 2 rows of organisations\.csv.*imports/import-1/findings"):
        make_loader(suite).load(folder)

    assert len(suite.profiles) == 1


def test_a_failed_import_is_told_with_its_reason(folder):
    suite = FakeSuite()
    suite.status |= {"state": "failed", "reason": "wrong header"}

    with pytest.raises(LoadFailed, match="wrong header"):
        make_loader(suite).load(folder)


def test_a_door_that_is_busy_is_tried_again(folder):
    suite = FakeSuite()
    suite.busy_answers = 3

    make_loader(suite).load(folder)

    assert len(suite.profiles) == len(COLUMNS)


def test_an_answer_that_will_not_change_is_reported_at_once(folder):
    with pytest.raises(LoadFailed, match="answered 403"):
        make_loader(lambda _: httpx.Response(403)).load(folder)


def test_waiting_ends_when_every_cadre_has_a_score():
    cadres = [f"AL{number:05}" for number in range(5)]
    suite = FakeSuite(cadres)
    told: list[str] = []

    make_loader(suite, told).wait_for_scores(set(cadres), period="2025")

    assert told[-1] == "scores: 5 of 5 cadres"


def test_waiting_stops_at_the_time_limit():
    with pytest.raises(LoadFailed, match="time limit was reached: only 0 of 1 cadres"):
        make_loader(FakeSuite(), time_limit_seconds=0.05).wait_for_scores({"AL00001"}, period="2025")
