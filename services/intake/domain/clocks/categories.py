"""What stands above a category on a day: a rule for it is a rule for all below it. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryVersion:
    """Under which parent a category stood from a day on. Without an organisation it holds everywhere."""

    category_id: UUID
    code: str
    organisation_code: str | None
    from_on: date
    parent_id: UUID | None


class CategoryTree:
    """Made of versions in the order of their days, the later of one day behind the earlier."""

    def __init__(self, versions: Iterable[CategoryVersion] = ()) -> None:
        self._versions: dict[UUID, list[CategoryVersion]] = {}
        for version in versions:
            self._versions.setdefault(version.category_id, []).append(version)

    def line(self, code: str, *, on: date, place: Sequence[str]) -> tuple[str, ...]:
        """The code and those above it that day, the nearest first. `place` is the unit's line of organisations.

        Of several categories of one code that of the nearest organisation is meant, else that of everywhere. What no
        tree of the place knows stands alone.
        """
        standing = {identifier: found for identifier in self._versions if (found := self._on(identifier, on))}
        step = self._nearest(code, standing, place)
        codes = [code]
        met = set()
        while step is not None and step.parent_id is not None and step.category_id not in met:
            met.add(step.category_id)
            step = standing.get(step.parent_id)
            if step is not None:
                codes.append(step.code)
        return tuple(dict.fromkeys(codes))

    def _on(self, category_id: UUID, on: date) -> CategoryVersion | None:
        return next((one for one in reversed(self._versions[category_id]) if one.from_on <= on), None)

    @staticmethod
    def _nearest(code: str, standing: Mapping[UUID, CategoryVersion], place: Sequence[str]) -> CategoryVersion | None:
        far = len(place)
        fitting = [
            (far if one.organisation_code is None else place.index(one.organisation_code), one)
            for one in standing.values()
            if one.code == code and (one.organisation_code is None or one.organisation_code in place)
        ]
        return min(fitting, key=lambda pair: pair[0])[1] if fitting else None
