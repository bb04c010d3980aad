"""The Chinese texts of the demo county, kept as data so that a native reader can improve them without touching code."""

import tomllib
from importlib import resources
from typing import Any


def read(name: str) -> dict[str, Any]:
    return tomllib.loads((resources.files(__name__) / f"{name}.toml").read_text(encoding="utf-8"))
