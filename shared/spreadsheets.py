"""Texts that a spreadsheet program would take for a formula: how a file keeps it from that, and how that is undone."""

from typing import Final

# What spreadsheet programs begin a formula with, in both widths, and what makes them look further into the cell.
TRIGGERS: Final = frozenset("=+-@\t\r\n\0＝＋－＠")
SHIELD: Final = "'"


def is_dangerous(text: str) -> bool:
    """Whether it begins like a formula, also behind spaces and quotation marks, which some programs pass over."""
    plain = text.lstrip(" '\"　")
    return text[:1] in TRIGGERS or plain[:1] in TRIGGERS


def shield(text: str) -> str:
    """Put an apostrophe before what is dangerous. `unshield` gives every text back as it was."""
    return SHIELD + text if is_dangerous(text) else text


def unshield(text: str) -> str:
    """Take the apostrophe off again, and no other one."""
    return text[1:] if text.startswith(SHIELD) and is_dangerous(text[1:]) else text
