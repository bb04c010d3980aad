"""What stands in the suite, read through the door before a run, so that requests that are made up are about it.

Made-up ids and codes name nothing: nearly every answer would be 404, and no other answer were ever held against the
document.
"""

import json
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self
from uuid import UUID

import httpx

MOST = 40  # values that are kept of a kind
DETAILS = 2  # records of a list that are looked at one by one
NAMING: Final = ("_id", "_ids", "_code", "_ref", "_number")
# By what an entry of a list is named in an address: `/v1/organisations/{code}`.
NAMES: Final = ("id", "code", "staff_number", "number", "name", "period", "subject", "topic", "language", "version")
OF_FOUR = 3  # values of four that are put in the place of one that was made up

Values = dict[str, list[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """`lists` are the fields of what a list shows, by its path; `named` is all that is named anywhere, by its name."""

    lists: dict[str, Values]
    named: Values

    @classmethod
    def read(cls, text: str) -> Self:
        return cls(**json.loads(text))

    def write(self) -> str:
        return json.dumps({"lists": self.lists, "named": self.named})

    def completed_by(self, other: Self) -> Self:
        """With what the other knows of things of which this one knows nothing: what one may not list can be there."""
        lists = {path: shown for path, shown in self.lists.items() if shown}
        return type(self)(lists=other.lists | lists, named=other.named | self.named)

    def of_path(self, template: str, name: str) -> Sequence[Any]:
        shown = self.lists.get(template.partition(f"/{{{name}}}")[0], {})
        return shown.get(name) or shown.get(name.rpartition("_")[2]) or self.named.get(name) or shown.get("id") or ()

    def fill_path(self, template: str, made_up: Mapping[str, Any]) -> dict[str, Any]:
        return {name: _exchange(name, value, self.of_path(template, name)) for name, value in made_up.items()}

    def fill(self, made_up: Any) -> Any:
        """The same with known values under the names that have some."""
        if isinstance(made_up, Mapping):
            return {name: self._fill_named(name, value) for name, value in made_up.items()}
        return [self.fill(item) for item in made_up] if isinstance(made_up, list) else made_up

    def _fill_named(self, name: str, value: Any) -> Any:
        if isinstance(value, Mapping | list):
            return self.fill(value)
        return _exchange(name, value, self.named.get(name, ())) if isinstance(value, str) else value


def _exchange(name: str, value: Any, known: Sequence[Any]) -> Any:
    """Chosen by what was made up, so that the same run asks the same."""
    drawn = zlib.crc32(f"{name}={value}".encode("utf-8", "surrogatepass"))
    alike = [one for one in known if _form_of(one) == _form_of(value)]
    return alike[drawn // 4 % len(alike)] if alike and drawn % 4 < OF_FOUR else value


def _form_of(value: Any) -> tuple[type, bool]:
    """What is an id elsewhere may be a number or a code here, under the same name."""
    try:
        return type(value), str(UUID(value)) == value.lower()
    except (AttributeError, TypeError, ValueError):
        return type(value), False


def learn(document: Mapping[str, Any], client: httpx.Client, *, leave_alone: Collection[str]) -> Known:
    """Read every list that the role may read. Nothing that bears one of the names to be left alone is known."""
    known = Known(lists={}, named={})
    templates = [path for path, methods in document["paths"].items() if "get" in methods]
    shown = {path: list(_entries(_get(client, path))) for path in templates if "{" not in path}
    alone = frozenset(leave_alone) | _ids_of(leave_alone, shown.values())
    for path, entries in shown.items():
        _note_list(known, path, entries, alone)
    for template in (template for template in templates if template.count("{") == 1):
        name = template.partition("{")[2].partition("}")[0]
        for value in known.of_path(template, name)[:DETAILS]:
            _note_all(known.named, _get(client, template.replace(f"{{{name}}}", str(value))), alone)
    return known


def _ids_of(names: Collection[str], lists: Iterable[Sequence[Mapping[str, Any]]]) -> frozenset[str]:
    return frozenset(
        str(entry["id"])
        for entries in lists
        for entry in entries
        if "id" in entry and (str(entry.get("name")) in names or str(entry.get("client_id")) in names)
    )


def _note_list(known: Known, path: str, entries: Sequence[Mapping[str, Any]], alone: Collection[str]) -> None:
    fields: Values = {}
    for entry in entries:
        _note_all(known.named, entry, alone)
        if not any(str(entry.get(field)) in alone for field in ("id", "name", "client_id")):
            for field in NAMES:
                _note(fields, field, entry.get(field), alone)
    known.lists[path.removesuffix(".json")] = fields
    for field, values in fields.items():
        for alias in _aliases(path, field):
            for value in values:
                _note(known.named, alias, value, alone)


def _get(client: httpx.Client, path: str) -> Any:
    answer = client.get(path)
    is_json = answer.headers.get("content-type", "").partition(";")[0] in {"application/json", "application/scim+json"}
    return answer.json() if answer.status_code == 200 and is_json else None


def _entries(shown: Any) -> Iterator[dict[str, Any]]:
    items = shown.get("items", shown.get("Resources", [shown])) if isinstance(shown, dict) else shown
    return (item for item in items if isinstance(item, dict)) if isinstance(items, list) else iter(())


def _note_all(named: Values, shown: Any, alone: Collection[str]) -> None:
    if isinstance(shown, dict):
        for name, value in shown.items():
            if isinstance(value, str) and name.endswith(NAMING):
                _note(named, name, value, alone)
            _note_all(named, value, alone)
    elif isinstance(shown, list):
        for item in shown:
            _note_all(named, item, alone)


def _note(values: Values, name: str, value: Any, alone: Collection[str]) -> None:
    if isinstance(value, str | int) and not isinstance(value, bool) and value not in alone:
        noted = values.setdefault(name, [])
        if value not in noted and len(noted) < MOST:
            noted.append(value)


def _aliases(path: str, name: str) -> list[str]:
    """`code` of /v1/categories is what others call `category_code`, or `category`."""
    noun = path.rpartition("/")[2].replace("-", "_")
    single = noun.removesuffix("ies") + "y" if noun.endswith("ies") else noun.removesuffix("s")
    return [f"{single}_{name}", *([single] if name == "code" else [])]
