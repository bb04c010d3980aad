"""Where counted dossiers stand while everybody is compared: in memory, or wherever somebody keeps them."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping

from typing_extensions import override

from services.assessment.fair.marks import Counted


class Shelf(Mapping[str, Counted]):
    """By cadre, in the order of their ids."""

    @abstractmethod
    def put(self, one: Counted) -> None:
        """Whatever stood there of the cadre is replaced."""

    @abstractmethod
    def iterate(self) -> Iterator[Counted]:
        """Everybody, in the order of the ids."""

    @abstractmethod
    def iterate_marks(self) -> Iterator[Counted]:
        """Everybody with marks and numbers; whether with records is left open."""


class InMemory(Shelf):
    def __init__(self) -> None:
        self._kept: dict[str, Counted] = {}

    @override
    def put(self, one: Counted) -> None:
        self._kept[one.cadre] = one

    @override
    def iterate(self) -> Iterator[Counted]:
        return iter(self.values())

    @override
    def iterate_marks(self) -> Iterator[Counted]:
        return iter(self.values())

    @override
    def __getitem__(self, cadre: str) -> Counted:
        return self._kept[cadre]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._kept))

    @override
    def __len__(self) -> int:
        return len(self._kept)
