"""Physical lines of bounded length, with their numbers: a line without an end costs one remark and no memory."""

from collections.abc import Iterable, Iterator

LONGEST_LINE = 1024 * 1024
LongLine = None  # stands where a line was too long to keep


def read_lines(blocks: Iterable[bytes], *, longest: int = LONGEST_LINE) -> Iterator[bytes | None]:
    """Yield each line without its end, or LongLine for one that is over the limit; the last may lack its line end."""
    rest = b""
    skipping = False
    for block in blocks:
        if skipping and b"\n" not in block:
            continue
        lines = (rest + block).split(b"\n")
        rest = lines.pop()
        if skipping:
            skipping = False
            yield LongLine
            del lines[0]
        for line in lines:
            yield LongLine if len(line) > longest else line.removesuffix(b"\r")
        if len(rest) > longest:
            skipping = True
            rest = b""
    if skipping:
        yield LongLine
    elif rest:
        yield rest.removesuffix(b"\r")
