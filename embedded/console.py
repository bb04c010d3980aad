"""What a person sees while Lianxin starts."""

import sys
import time


class Progress:
    """Lines with the seconds since the start; flushed, because the output may be a pipe or a log."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    @property
    def elapsed_seconds(self) -> float:
        return time.monotonic() - self._started

    def __call__(self, text: str) -> None:
        print(f"[{self.elapsed_seconds:6.1f} s] {text}", flush=True)


def complain(text: str) -> None:
    print(f"\n{text}\n", file=sys.stderr, flush=True)
