"""The score-records command: a folder of records in, a file of scores out. It needs no database."""

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from services.assessment.fair.engine import Judged, judge
from services.assessment.fair.explaining import explain
from services.assessment.fair.settings import FairSettings, read_settings
from services.assessment.fair.signals.wording import describe
from services.assessment.fair.telling import tell
from services.assessment.importing.records.folder import read_folder
from services.assessment.importing.records.results import write_results
from services.assessment.importing.records.tables import BadRecords
from shared.errors import LianxinError

DONE, REFUSED = 0, 2
OWN_SETTINGS = Path(__file__).parents[2] / "fair" / "fair-8.toml"


def main(arguments: Sequence[str]) -> int:
    """Return 0, or 2 where the folder or the settings are refused; then nothing is written."""
    parser = argparse.ArgumentParser(
        prog="python -m services.assessment score-records",
        description="Score a folder of records by the fair scheme (docs/scoring-records.md).",
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="the CSV file to write")
    parser.add_argument("--explain", metavar="CADRE", help="also tell why this cadre's score is what it is")
    parser.add_argument("--language", choices=("zh", "en"), default="zh", help="of the explanation")
    parser.add_argument("--json", action="store_true", help="the explanation as JSON")
    parser.add_argument("--settings", type=Path, default=OWN_SETTINGS, help="other settings than those published")
    options = parser.parse_args(arguments)
    try:
        settings = _read_settings(options.settings)
        dossiers, span, repeats = read_folder(options.folder)
        judged = judge(dossiers, span, settings)
        replace_file(options.out, write_results(judged.results))
    except LianxinError as error:
        sys.stderr.write(f"not scored: {error.detail}\n")
        return REFUSED
    except OSError as error:
        sys.stderr.write(f"not scored: {error.filename or options.folder}: {error.strerror}\n")
        return REFUSED
    sys.stdout.write(_describe(settings, len(dossiers), repeats))
    if options.explain is not None:
        return _explain(judged, settings, options)
    return DONE


def _explain(judged: Judged, settings: FairSettings, options: argparse.Namespace) -> int:
    """Whoever has the folder has every record in it: nothing is withheld."""
    if options.explain not in judged.by_cadre:
        sys.stderr.write("not explained: there is no such cadre in cadres.csv\n")
        return REFUSED
    explanation = explain(judged, options.explain, settings, audience="department")
    signals = [signal for signal in judged.signals if signal.cadre == options.explain]
    if options.json:
        document = {**asdict(explanation), "signals": [asdict(signal) for signal in signals]}
        sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=1, default=_plain) + "\n")
        return DONE
    sys.stdout.write(tell(explanation, options.language))
    sys.stdout.writelines(f"{describe(signal, options.language)}\n" for signal in signals)
    return DONE


def _plain(value: object) -> object:
    return sorted(value) if isinstance(value, frozenset) else str(value)


def _read_settings(file: Path) -> FairSettings:
    try:
        return read_settings(file.read_text("utf-8"))
    except UnicodeDecodeError:
        raise BadRecords(f"{file.name}: is not UTF-8") from None


def replace_file(file: Path, text: str) -> None:
    """Whole or not at all."""
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        beside.write_bytes(text.encode())
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)


def _describe(settings: FairSettings, cadres: int, repeats: Counter[str]) -> str:
    lines = [f"scored {cadres} cadres by {settings.name} {settings.version}, settings {settings.content_hash}"]
    lines += [f"{name}: {count} lines repeat an id and counted once" for name, count in sorted(repeats.items())]
    return "\n".join(lines) + "\n"
