"""Every regular expression of the code base against strings that are made to keep it busy."""

import ast
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
# How long it takes must grow like the text. A quadratic one grows sixteenfold from a middle length to the next, and
# one that doubles with every character is found out by the first.
LENGTHS = (18, 100, 500, 2_000, 8_000, 32_000, 100_000)
MOST_GROWTH = 3.0  # beyond that of the text
NOTHING_SECONDS = 0.002  # below that a clock tells nothing of growth
TRIES = 5
MENTIONED = re.compile(r"\bre\.|pattern=")
COMPILING = {"compile", "fullmatch", "match", "search", "sub", "split", "findall", "finditer"}
FLAGS = ("ASCII", "DOTALL", "IGNORECASE", "MULTILINE", "VERBOSE")
# What often makes an expression try again and again: long runs that nearly fit, and then do not.
RUNS = [*"aA01 -_./\\@:,<(\t\n", "é", "长", "aA", "a ", "a.", "0-", "ab1"]


@dataclass(frozen=True)
class Pattern:
    place: str
    text: str | bytes
    flags: int
    is_searched: bool  # else it is only held against a whole text, and need not look for its beginning


def patterns() -> Iterator[Pattern]:
    """The literal patterns of every call of `re` and of every `pattern=` of a field."""
    for folder in ("services", "shared", "deploy"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            source = file.read_text("utf-8")
            if MENTIONED.search(source):
                yield from _patterns_of(source, str(file.relative_to(ROOT)))


def _patterns_of(source: str, place: str) -> Iterator[Pattern]:
    nodes = list(ast.walk(ast.parse(source)))
    assigned = [node for node in nodes if isinstance(node, ast.Assign | ast.AnnAssign)]
    targets = {id(node.value): _target(node) for node in assigned}
    for node in nodes:
        if isinstance(node, ast.Call):
            for literal in _literals(node):
                name = ast.unparse(targets[id(node)]) if id(node) in targets else "?"
                used = set(re.findall(rf"\b{re.escape(name)}\.([a-z]+)\(", source))
                yield Pattern(
                    place=f"{place}:{node.lineno}",
                    text=literal,
                    flags=_flags(node),
                    is_searched=not used or not used <= {"fullmatch", "match"},
                )


def _target(node: ast.Assign | ast.AnnAssign) -> ast.expr:
    return node.target if isinstance(node, ast.AnnAssign) else node.targets[0]


def _literals(call: ast.Call) -> Iterator[str | bytes]:
    function = call.func
    candidates = [keyword.value for keyword in call.keywords if keyword.arg == "pattern"]
    is_re = isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == "re"
    if is_re and isinstance(function, ast.Attribute) and function.attr in COMPILING:
        candidates += call.args[:1]
    for candidate in candidates:
        try:
            literal = ast.literal_eval(candidate)
        except ValueError:
            continue
        if isinstance(literal, str | bytes):
            yield literal


def _flags(call: ast.Call) -> int:
    named = {node.attr for node in ast.walk(call) if isinstance(node, ast.Attribute)}
    return sum(int(getattr(re, name)) for name in FLAGS if name in named)


FOUND = list(patterns())


def test_the_collector_finds_what_there_is():
    assert len(FOUND) >= 20
    assert any("edge.py" in pattern.place for pattern in FOUND)
    assert {pattern.is_searched for pattern in FOUND} == {True, False}


@pytest.mark.parametrize("bad", [r"a+b", r"(a|a)*b", r"(a+)+b"])
def test_the_measure_would_catch_a_bad_one(bad):
    assert find_steep(re.compile(bad), "a", "!", is_searched=True) is not None


@pytest.mark.parametrize("pattern", FOUND, ids=[f"{one.place}-{number}" for number, one in enumerate(FOUND)])
def test_no_text_keeps_an_expression_busy(pattern):
    text = pattern.text if isinstance(pattern.text, str) else pattern.text.decode("latin-1")
    own = sorted(set(re.sub(r"\\.|[\[\](){}?*+^$|]", "", text)))[:20]
    compiled = re.compile(pattern.text, pattern.flags)
    for run in (*RUNS, *own):
        for end in ("", "\0"):
            steep = find_steep(compiled, run, end, is_searched=pattern.is_searched)
            assert steep is None, f"{pattern.place}: a run of {run!r} of {steep} characters"


def find_steep(compiled, run, end, *, is_searched) -> int | None:
    """The length at which the processor's time has grown far more than the text; None where it never does."""
    before = NOTHING_SECONDS / LENGTHS[0]
    for length in LENGTHS:
        text = (run * length)[:length] + end
        subject = text.encode()[:length] if isinstance(compiled.pattern, bytes) else text
        apply = compiled.search if is_searched else compiled.match
        most = max(NOTHING_SECONDS, MOST_GROWTH * before * length)
        taken = _measure(apply, subject)
        for _ in range(TRIES):  # whoever else is at work can only add to it
            if taken <= most:
                break
            taken = min(taken, _measure(apply, subject))
        if taken > most:
            return length
        before = max(taken, NOTHING_SECONDS / MOST_GROWTH) / length
    return None


def _measure(apply, subject) -> float:
    started = time.thread_time()
    apply(subject)
    return time.thread_time() - started
