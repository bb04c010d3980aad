"""All checks over all dossiers, in one order."""

from collections.abc import Iterator, Mapping

from services.assessment.fair.marks import Counted
from services.assessment.fair.records import Span
from services.assessment.fair.reference import Table
from services.assessment.fair.settings import FairSettings
from services.assessment.fair.signals import closures, contacts, handling, ratings
from services.assessment.fair.signals.odds import Signal
from services.assessment.fair.values import EXPLAINING


def find_signals(
    counted: Mapping[str, Counted], tables: Mapping[str, Table], span: Span, settings: FairSettings
) -> tuple[Signal, ...]:
    """In the order of cadre and check."""
    return tuple(sorted(_find(counted, tables, span, settings), key=lambda one: (one.cadre, one.check)))


def _find(
    counted: Mapping[str, Counted], tables: Mapping[str, Table], span: Span, settings: FairSettings
) -> Iterator[Signal]:
    dossiers = {cadre: one.dossier for cadre, one in counted.items()}
    yield from contacts.find_padding(dossiers, settings.signals)
    yield from contacts.find_bursts(dossiers, span, settings.signals)
    yield from ratings.find_stuffing(dossiers, settings.signals)
    yield from ratings.find_praise_apart(dossiers, settings.signals)
    yield from handling.find_extreme_clocks(dossiers, settings)
    yield from handling.find_splits(dossiers, settings)
    yield from handling.find_circles(dossiers, settings)
    yield from closures.find_empty(dossiers, settings)
    if "resolution" in tables:
        missing = closures.count_missing_failures(counted, tables["resolution"])
        yield from closures.find_contradicted(counted, missing, settings)
        yield from handling.find_handing_on(dossiers, tables["resolution"], settings)
        if EXPLAINING in tables:
            yield from closures.find_explained(counted, tables[EXPLAINING], missing, settings)
