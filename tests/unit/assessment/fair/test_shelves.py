"""Whether dossiers stand in memory or packed on a shelf, and in whatever order they pass, the same comes out."""

import random
from collections.abc import Iterator
from dataclasses import replace

import orjson
import pytest
from typing_extensions import override

from bench.worlds.families import FAMILIES
from bench.worlds.life import SPAN as YEAR
from bench.worlds.world import make_world
from services.assessment.fair.dossiers import count_dossier
from services.assessment.fair.engine import judge
from services.assessment.fair.explaining import iterate_cases
from services.assessment.fair.freezing import freeze
from services.assessment.fair.marks import Counted
from services.assessment.fair.packing import pack, unpack
from services.assessment.fair.records import Dossier, Span
from services.assessment.fair.settings import read_settings
from services.assessment.fair.shelves import InMemory, Shelf
from services.assessment.fair.signals.odds import Check
from services.assessment.fair.yardstick import write_own, write_yardstick, yardstick_of
from services.assessment.handlers.fair_closings import describe
from services.assessment.handlers.publishing import seal
from services.assessment.importing.records.cli import OWN_SETTINGS
from tests.unit.assessment.fair.few import make_dossier
from tests.unit.assessment.fair.test_signals import SPAN_OF_QUARTERS, TRICKS
from tests.unit.assessment.fair.towns import SPAN, make_town

SETTINGS = read_settings(OWN_SETTINGS.read_text("utf-8"))


class Packed(Shelf):
    """As the database keeps it, and gives it back."""

    def __init__(self) -> None:
        self._rows: dict[str, tuple[bytes, bytes]] = {}

    @override
    def put(self, one: Counted) -> None:
        compared, kept = pack(one)
        self._rows[one.cadre] = orjson.dumps(compared), orjson.dumps(kept)

    @override
    def iterate(self) -> Iterator[Counted]:
        return (self[cadre] for cadre in self)

    @override
    def iterate_marks(self) -> Iterator[Counted]:
        return (unpack(orjson.loads(self._rows[cadre][0])) for cadre in self)

    @override
    def __getitem__(self, cadre: str) -> Counted:
        compared, kept = self._rows[cadre]
        return unpack(orjson.loads(compared), orjson.loads(kept))

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._rows))

    @override
    def __len__(self) -> int:
        return len(self._rows)


def write_all(dossiers: list[Dossier], span: Span, shelf: Shelf) -> list[bytes]:
    """Everything that is published or kept of a judgement."""
    judged = judge(iter(dossiers), span, SETTINGS, shelf=shelf)
    yardstick = yardstick_of(judged.scored)
    written = [seal(write_yardstick(yardstick))[1], repr(judged.results).encode()]
    written += [repr((replace(one, records=frozenset()), sorted(one.records))).encode() for one in judged.signals]
    written.append(repr(sorted(judged.set_aside)).encode())
    for case in iterate_cases(judged, yardstick):
        parts = (describe(case, SETTINGS), write_own(case.own), freeze(case.measured.counted.dossier))
        written += [seal(part)[1] for part in parts]
    return written


@pytest.mark.parametrize("family", ["base", "sparse counties"])
@pytest.mark.parametrize("kind", ["honest", "played"])
def test_a_world_is_judged_the_same_on_any_shelf_and_in_any_order(family: str, kind: str) -> None:
    dossiers = list(getattr(make_world("shelves", replace(FAMILIES[family], cadres=120)), kind))

    expected = write_all(dossiers, YEAR, InMemory())
    random.Random(5).shuffle(dossiers)  # noqa: S311 - an order, not a secret

    assert write_all(dossiers, YEAR, Packed()) == expected
    assert write_all(dossiers[::-1], YEAR, InMemory()) == expected


@pytest.mark.parametrize("check", TRICKS)
def test_what_is_set_aside_is_counted_anew_on_any_shelf(check: Check) -> None:
    town = make_town(6, cadres=24)
    TRICKS[check](town)

    assert write_all(town, SPAN_OF_QUARTERS, Packed()) == write_all(town, SPAN_OF_QUARTERS, InMemory())


@pytest.mark.parametrize("kind", [InMemory, Packed])
def test_a_shelf_has_everybody_once_and_in_the_order_of_their_ids(kind: type[Shelf]) -> None:
    shelf = kind()
    idle = {name: Counted(dossier=make_dossier(name)) for name in "bca"}
    for one in (*idle.values(), Counted(dossier=make_dossier("b"), issues=7)):
        shelf.put(one)

    assert (list(shelf), len(shelf)) == (["a", "b", "c"], 3)
    assert [one.cadre for one in shelf.iterate()] == ["a", "b", "c"]
    assert [one.cadre for one in shelf.iterate_marks()] == ["a", "b", "c"]
    assert (shelf["a"], shelf["b"].issues) == (idle["a"], 7)


def test_a_counted_dossier_comes_back_from_the_shelf_as_it_was() -> None:
    for dossier in make_town(2, cadres=12):
        one = count_dossier(dossier, SPAN, SETTINGS)
        compared, kept = (orjson.loads(orjson.dumps(part)) for part in pack(one))

        assert unpack(compared, kept) == one
        assert unpack(compared).marks == one.marks
        assert not unpack(compared).dossier.issues
