"""The commands that need no database: check a scheme file, and put one to a table."""

import argparse
import csv
import io
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from services.assessment.domain.rules.faults import BadTable
from services.assessment.domain.rules.scheme_reading import read_rule_scheme
from services.assessment.domain.rules.schemes import RuleScheme
from services.assessment.importing.cells import decode_text, read_cell_number
from services.assessment.importing.notices import find_lacking, find_notices, find_unreached, find_unread
from services.assessment.importing.reports import lay_out_moves, report
from services.assessment.importing.sheets import compare, lay_out_overall, lay_out_rows
from services.assessment.importing.tables import list_sheets, read_table
from services.assessment.scoring.evaluating import evaluate
from services.assessment.scoring.explaining import Language, explain
from services.assessment.scoring.results import Outcome
from services.assessment.scoring.simulating import simulate, texts_of
from shared.errors import LianxinError, Rejected

DONE: Final = 0
DIFFERENT: Final = 1
REFUSED: Final = 2
LARGEST_SCHEME: Final = 400_000
DIFFERENCES_TOLD: Final = 20
LONGEST_LINE: Final = 80

_LINE: Final = re.compile(r"line ([0-9]+): ")


class BadFile(Rejected):
    code = "bad-file"


class BadSchemeFile(BadFile):
    code = "bad-scheme"


def check_command(arguments: Sequence[str]) -> int:
    """Read scheme files and say of each whether it holds."""
    parser = argparse.ArgumentParser(prog="python -m services.assessment check", description=check_command.__doc__)
    parser.add_argument("schemes", nargs="+", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    outcome = DONE
    for path in options.schemes:
        try:
            scheme = read_scheme_file(path)
        except LianxinError as error:
            _tell_fault(path, error)
            outcome = REFUSED
        else:
            _say(
                f"{path}: holds: {scheme.name} {scheme.version}, {len(scheme.items)} items, "
                f"{len(scheme.values)} values, sha256 {scheme.content_hash.hex()}"
            )
            _tell_all(find_unreached(scheme, "zh"))
            _tell_all(find_unreached(scheme, "en"))
    return outcome


def evaluate_command(arguments: Sequence[str]) -> int:
    """Put a scheme to a table: points, totals, places, and how they compare with what was published."""
    parser = argparse.ArgumentParser(
        prog="python -m services.assessment evaluate", description=evaluate_command.__doc__
    )
    parser.add_argument("--scheme", required=True, type=Path, help="a scheme file (TOML)")
    parser.add_argument(
        "--table",
        required=True,
        type=Path,
        action="append",
        help="CSV in UTF-8 or GB 18030, or XLSX; given again, its columns are put beside those of the first",
    )
    parser.add_argument("--out", type=Path, help="where the result goes as CSV; else it is printed")
    parser.add_argument("--overall", action="store_true", help="the result over all periods, a row for each subject")
    parser.add_argument("--explain", metavar="SUBJECT", help="why this one's total is what it is, instead of the table")
    parser.add_argument("--period", help="with --explain: of which period")
    parser.add_argument("--language", choices=["zh", "en"], default="zh")
    options = parser.parse_args(arguments)
    try:
        outcome, published = _evaluate(options.scheme, _read_tables(options.table, options.language))
        if options.explain is not None:
            at = _find_row(outcome, options.explain, options.period)
            _say("\n".join(explain(outcome, at, options.language)))
            _tell_all(find_lacking(outcome, options.language, [at]))
            return DONE
        _write(outcome, options)
        _tell_all(find_notices(outcome, options.language))
        return _tell_comparisons(outcome, published)
    except LianxinError as error:
        tables = ", ".join(map(str, options.table))
        _tell_fault(options.scheme if error.code == "bad-scheme" else tables, error)
        return REFUSED


def simulate_command(arguments: Sequence[str]) -> int:
    """Put two schemes to one table: who moves, by how much, where; what saturates, and what is still told apart."""
    parser = argparse.ArgumentParser(
        prog="python -m services.assessment simulate", description=simulate_command.__doc__
    )
    parser.add_argument("--scheme", required=True, type=Path, help="the scheme that is tried")
    parser.add_argument("--against", required=True, type=Path, help="the scheme that it is compared with")
    parser.add_argument("--table", required=True, type=Path, help="CSV in UTF-8 or GB 18030, or XLSX")
    parser.add_argument("--by", action="append", default=[], metavar="NAME", help="a text of both schemes' table")
    parser.add_argument("--tolerance", default="1", help="totals that lie this close are not told apart")
    parser.add_argument("--out", type=Path, help="where the movements go, as CSV")
    parser.add_argument("--language", choices=["zh", "en"], default="zh")
    options = parser.parse_args(arguments)
    try:
        tables = _read_tables([options.table], options.language)
        after, _ = _evaluate(options.scheme, tables)
        before, _ = _evaluate(options.against, tables)
        by = {name: _texts(after, name) for name in options.by}
        tolerance = read_cell_number(options.tolerance, "--tolerance")
        found = simulate(before, after, by=by, tolerance=tolerance)
        if options.out is not None:
            _write_csv(lay_out_moves(found), options.out)
    except LianxinError as error:
        _tell_fault(None, error)
        return REFUSED
    _say("\n".join(report(found, options.language)))
    return DONE


def _texts(outcome: Outcome, name: str) -> tuple[str, ...]:
    """Raises BadTable for a name that the scheme does not have."""
    if name not in outcome.columns:
        raise BadTable(f"--by {name}: the scheme names no such measure or value")
    return texts_of(outcome.columns[name])


def read_scheme_file(path: Path) -> RuleScheme:
    """Raises BadRules, BadSchemeFile."""
    return read_rule_scheme(_read_scheme_text(path))


def _read_scheme_text(path: Path) -> str:
    text = decode_text(_read(path, LARGEST_SCHEME, BadSchemeFile))
    if text is None:
        raise BadSchemeFile("a scheme file is UTF-8 or GB 18030")
    return text


def _read_tables(paths: Sequence[Path], language: Language) -> list[bytes]:
    """Told before anything of them is used, since what is refused next may stand in another sheet."""
    tables = []
    for path in paths:
        tables.append(_read(path, None))
        _tell_all(find_unread(str(path), list_sheets(tables[-1]), language))
    return tables


def _evaluate(scheme_path: Path, tables: Sequence[bytes]) -> tuple[Outcome, dict[str, tuple[str, ...]]]:
    scheme = read_scheme_file(scheme_path)
    first, *more = tables
    table, published = read_table(first, scheme, *more)
    return evaluate(scheme, table), published


def _read(path: Path, most: int | None, fault: type[BadFile] = BadFile) -> bytes:
    try:
        if most is not None and path.stat().st_size > most:
            raise fault(f"the file is larger than {most} bytes")
        return path.read_bytes()
    except OSError as error:
        raise fault(f"cannot be read: {error.strerror}") from None


def _find_row(outcome: Outcome, subject: str, period: str | None) -> int:
    at = outcome.find_row(subject, period)
    if at is None:
        raise BadTable(f"no row is of {subject} {period or ''}".rstrip())
    return at


def _write(outcome: Outcome, options: argparse.Namespace) -> None:
    lay_out = lay_out_overall if options.overall else lay_out_rows
    _write_csv(lay_out(outcome, options.language), options.out)


def _write_csv(rows: Iterable[list[str]], out: Path | None) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    if out is None:
        _say(text.getvalue().rstrip("\n"))
        return
    try:
        out.write_text(text.getvalue(), encoding="utf-8-sig")
    except OSError as error:
        raise BadFile(f"{out} cannot be written: {error.strerror}") from None


def _tell_comparisons(outcome: Outcome, published: dict[str, tuple[str, ...]]) -> int:
    if lacking := sorted(set(outcome.scheme.published) - set(published)):
        _tell(f"not compared, since the table lacks the column: {', '.join(lacking)}")
    result = DONE
    for comparison in compare(outcome, published):
        equal = comparison.compared - len(comparison.differences)
        _tell(f"{comparison.name}: {equal} of {comparison.compared} as published")
        for difference in comparison.differences[:DIFFERENCES_TOLD]:
            _tell(
                f"  {difference.subject}: computed {difference.computed or 'nothing'}, published {difference.published}"
            )
            result = DIFFERENT
    return result


def _tell_all(notices: Iterable[str]) -> None:
    for notice in notices:
        _tell(notice)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _tell_fault(file: Path | str | None, error: LianxinError) -> None:
    """In English, and in Chinese below it where there is Chinese for it."""
    where = "" if file is None else f"{file}: "
    _tell(f"{where}{error.detail}")
    if error.detail_zh is not None:
        _tell(f"{where}{error.detail_zh}")
    if isinstance(file, Path) and (found := _LINE.match(error.detail)):
        line = _read_scheme_text(file).split("\n")[int(found[1]) - 1 :][:1]
        _tell("".join(one if one.isprintable() else " " for one in "".join(line).strip()[:LONGEST_LINE]))


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")
