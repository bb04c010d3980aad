"""All checks over all cadres: each cadre is seen once, and those who look odd by the numbers once more."""

from collections.abc import Iterator, Mapping, Sequence

from services.assessment.fair.marks import Counted
from services.assessment.fair.records import Span
from services.assessment.fair.reference import Table
from services.assessment.fair.settings import FairSettings
from services.assessment.fair.signals.circles import Circles
from services.assessment.fair.signals.clocks import ClocksApart, ExtremeClocks, InstantAnswers, Times, time_of_closing
from services.assessment.fair.signals.closures import Admissions, Contradicted, Explained, find_empty
from services.assessment.fair.signals.contacts import Bursts, Padding
from services.assessment.fair.signals.disowned import find_disowned
from services.assessment.fair.signals.faultless import Faultless
from services.assessment.fair.signals.handling import HandingOn, find_splits
from services.assessment.fair.signals.labels import LabelsApart
from services.assessment.fair.signals.odds import Everybody, Finder, Signal
from services.assessment.fair.signals.praise import Praise
from services.assessment.fair.signals.ratings import PraiseApart, find_stuffing
from services.assessment.fair.signals.scatter import Scatter


class Finding:
    def __init__(self, span: Span, settings: FairSettings) -> None:
        self._admissions = Admissions(settings)
        closings = Times(time_of_closing)
        self._finders: Sequence[Finder] = (
            _Alone(settings),
            Padding(settings.signals),
            Bursts(span, settings.signals),
            Praise(settings.signals) if settings.signals.best_odds else PraiseApart(settings.signals),
            ExtremeClocks(closings, settings),
            ClocksApart(closings, settings),
            InstantAnswers(closings, settings),
            Circles(settings),
            Faultless(settings.signals),
            Scatter(settings.signals),
            HandingOn(settings),
            LabelsApart(settings),
            Contradicted(self._admissions, settings),
            Explained(self._admissions, settings),
        )

    def note(self, one: Counted) -> None:
        self._admissions.note(one)
        for finder in self._finders:
            finder.note(one)

    def find(self, counted: Mapping[str, Counted], tables: Mapping[str, Table]) -> tuple[Signal, ...]:
        """In the order of cadre and check."""
        everybody = Everybody(counted=counted, tables=tables)
        found = [signal for finder in self._finders for signal in finder.find(everybody)]
        return tuple(sorted(found, key=lambda one: (one.cadre, one.check)))


class _Alone:
    """What a dossier says alone, whatever the others' say."""

    def __init__(self, settings: FairSettings) -> None:
        self._settings = settings
        self._found: list[Signal] = []

    def note(self, one: Counted) -> None:
        self._found += find_stuffing(one.dossier, self._settings.signals)
        self._found += find_splits(one.dossier, self._settings)
        self._found += find_empty(one.dossier, self._settings)
        self._found += find_disowned(one.dossier, self._settings.signals)

    def find(self, everybody: Everybody) -> Iterator[Signal]:  # noqa: ARG002 - what a finder is asked
        yield from self._found
