"""Named crash points: where a fault experiment may kill this process, to prove that nothing is lost there."""

import os
import signal

_hits: dict[str, int] = {}
_armed: dict[str, int] = {}


def arm(plan: str, *, mode: str) -> None:
    """Arm points from a plan such as `relay.after_confirm_before_mark:2` (die at the second hit). Only in test mode."""
    if plan and mode != "test":
        raise ValueError("crash points can be armed in test mode only")
    for entry in filter(None, plan.split(",")):
        name, _, hit = entry.partition(":")
        _armed[name] = int(hit or 1)


def is_armed(name: str) -> bool:
    """Whether this process is to die at the point some time: for whoever has to make a place for it first."""
    return name in _armed


def point(name: str) -> None:
    if not _armed or name not in _armed:
        return
    _hits[name] = _hits.get(name, 0) + 1
    if _hits[name] == _armed[name]:
        os.kill(os.getpid(), signal.SIGKILL)
