"""Regular expressions that a profile may bring: a small, bounded subset that no text can make slow."""

import re

LONGEST_PATTERN = 200
LONGEST_SUBJECT = 500  # only the beginning of a cell is looked at
MOST_REPEATS = 2  # at most this many, each tried once: 500 characters cost 500² steps at the very worst
TOKEN = re.compile(
    r"""
    (?P<escape>\\[^A-Za-z0-9]|\\[dwsDWSbB])
    | (?P<class>\[\^?(?:\\.|[^\]\\\[])+\])
    | (?P<repeat>[*+?]|\{[0-9]{1,2}(?:,[0-9]{0,2})?\})
    | (?P<open>\(\?:|\()
    | (?P<close>\))
    | (?P<plain>[^\\\[\]{}()*+?])
    """,
    re.VERBOSE,
)


class BadPattern(ValueError):
    """The pattern is outside the subset; the message says why."""


def compile_pattern(text: str) -> re.Pattern[str]:
    """Compile a pattern that is matched from the start of a cell, upper and lower case alike. Raises BadPattern."""
    if not 1 <= len(text) <= LONGEST_PATTERN:
        raise BadPattern(f"a pattern has 1 to {LONGEST_PATTERN} characters")
    kinds = _list_kinds(text)
    for before, kind in zip(["", *kinds], kinds, strict=False):
        if kind == "repeat" and before in {"close", "repeat", "open", ""}:
            raise BadPattern("a repetition may follow a single character or class only, never a group")
    if kinds.count("repeat") > MOST_REPEATS:
        raise BadPattern(f"a pattern may hold at most {MOST_REPEATS} repetitions")
    try:
        return re.compile(text, re.IGNORECASE)
    except re.error as problem:
        raise BadPattern(f"is no regular expression: {problem.msg}") from None


def _list_kinds(text: str) -> list[str]:
    kinds = []
    place = 0
    while place < len(text):
        token = TOKEN.match(text, place)
        if token is None:
            raise BadPattern(f"what stands at character {place + 1} is not supported in a pattern")
        if token[0] == "(" and text.startswith("(?", place):
            raise BadPattern("look-around and named groups are not supported in a pattern")
        kinds.append(str(token.lastgroup))
        place = token.end()
    return kinds
