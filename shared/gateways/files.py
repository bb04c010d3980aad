"""Files in which an installation says how a channel is called, and files that hold one secret each."""

import tomllib
from pathlib import Path
from typing import Final, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

LARGEST_FILE: Final = 256 * 1024


class BadFile(ValueError):
    """The file cannot be used; the message names the place and what is wrong with it, and never what stands there."""


class Part(BaseModel):
    """What every part of such a file has in common: nothing unknown in it."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Model = TypeVar("Model", bound=Part)


def load_file(kind: type[Model], file: Path) -> Model:
    """Raises BadFile."""
    try:
        return kind.model_validate(tomllib.loads(_read(file)))
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(step) for step in fault["loc"])
        raise BadFile(f"{file.name}: {place}: {fault['msg']}") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadFile(f"{file.name}: is no TOML: {str(error)[:200]}") from None


def read_secret(file: Path, *, shortest: int = 16) -> str:
    """Raises BadFile."""
    text = _read(file).strip()
    if len(text) < shortest:
        raise BadFile(f"{file.name}: has fewer than {shortest} characters")
    return text


def _read(file: Path) -> str:
    try:
        content = file.read_bytes()
        if len(content) <= LARGEST_FILE:
            return content.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadFile(f"{file.name}: cannot be read: {type(error).__name__}") from None
    raise BadFile(f"{file.name}: is larger than {LARGEST_FILE} bytes")
