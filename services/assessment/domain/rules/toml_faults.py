"""What keeps a file from being TOML: the number of the line, and what whoever wrote it probably had in mind."""

import re
from typing import Final

from services.assessment.domain.rules.faults import BadRules

_QUOTED: Final = re.compile(r"\"[^\"]*\"|'[^']*'")
_LONGEST_LINE: Final = 1_000  # some patterns look at each part of a line again: the square of its length
_WHERE: Final = re.compile(r"(.*) \(at (?:line ([0-9]+), column [0-9]+|end of document)\)", re.DOTALL)
# What stands in the line outside of quotes, and what to write. The first that fits is told.
_MEANT: Final = (
    (r"[“”‘’]", 'quotes are straight: "..."'),
    (r"[％%]", "write 95 or 0.95 for 95%"),
    (r"[＝，０-９．【】［］｛｝＃\u3000]", "signs, digits and blanks are typed in half width"),
    (r"^\s*\[+[^\]]*[^\x00-\x7f]", "a name that is not of English letters stands in quotes"),
    (r"(?:^|[{,])\s*\w*[^\x00-\x7f]\w*\s*=", "a name that is not of English letters stands in quotes"),
    (r"=\s*[0-9.]+\s*[^\x00-\x7f]", "a number has no unit here"),
    (r"=\s*[-+]?\.[0-9]", "write 0.5 for .5"),
    (r"=\s*[A-Za-z]", "a text stands in quotes"),
    (r"\{[^}]*$", "a table in { } stands on one line"),
    (r",\s*$", "no comma stands at the end of a line, but in a list"),
)


def tell_toml_fault(text: str, error: str) -> BadRules:
    """The fault with its place and a hint. The line itself is not repeated: an answer says nothing back."""
    found = _WHERE.fullmatch(error)
    reason, number = (found[1], found[2]) if found else (error, None)
    if number is None:
        return BadRules("scheme", f"is not TOML: {reason}: something is not closed before the end of the file")
    place, line = f"line {number}", text.split("\n")[int(number) - 1]
    if hint := _hint(reason, line):
        return BadRules(place, f"is not TOML: {reason}; {hint}")
    return BadRules(place, f"is not TOML: {reason}")


def _hint(reason: str, line: str) -> str | None:
    if "twice" in reason or "overwrite" in reason:
        return "it is there already further up"
    if reason == r"Illegal character '\n'":
        return "the quote is not closed"
    if reason == "Unclosed array":
        return "entries of a list are parted by commas, and ] ends it"
    if len(line) > _LONGEST_LINE:
        return None
    bare = _QUOTED.sub('""', line).split("#")[0]
    return next((hint for pattern, hint in _MEANT if re.search(pattern, bare)), None)
