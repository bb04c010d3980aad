"""A shelf for everybody's counted dossiers in the database: what they take there they do not take in memory."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

import orjson
from typing_extensions import override

from services.assessment.fair.marks import Counted
from services.assessment.fair.packing import pack, unpack
from services.assessment.fair.shelves import Shelf
from services.assessment.storage import fair_shelf as storage
from shared.database import Connection

ROWS_A_BATCH: Final = 100
FETCHED: Final = 64  # who was looked up last


def pack_row(one: Counted) -> storage.Row:
    compared, kept = pack(one)
    return one.cadre, orjson.dumps(compared), orjson.dumps(kept)


def unpack_row(row: storage.Row) -> Counted:
    return unpack(orjson.loads(row[1]), orjson.loads(row[2]))


class DatabaseShelf(Shelf):
    """Lasts as long as the transaction."""

    def __init__(self, connection: Connection) -> None:
        storage.create_shelf(connection)
        self._connection = connection
        self._cadres: dict[str, None] = {}
        self._new: list[storage.Row] = []
        self._get = lru_cache(FETCHED)(self._fetch)

    @override
    def put(self, one: Counted) -> None:
        self._put(pack_row(one))

    def put_rows(self, rows: Iterable[storage.Row]) -> Iterator[Counted]:
        """Each stands there when it comes."""
        for row in rows:
            self._put(row)
            yield unpack_row(row)

    def iterate_rows(self) -> Iterator[storage.Row]:
        """Everybody as they are kept, by cadre."""
        self._flush()
        return storage.iterate_shelved(self._connection, with_kept=True)

    def _put(self, row: storage.Row) -> None:
        cadre = row[0]
        if cadre in self._cadres:
            self._flush()
            self._get.cache_clear()
            storage.set_shelved(self._connection, [row])
            return
        self._cadres[cadre] = None
        self._new.append(row)
        if len(self._new) == ROWS_A_BATCH:
            self._flush()

    @override
    def iterate_marks(self) -> Iterator[Counted]:
        self._flush()
        for _, compared, _ in storage.iterate_shelved(self._connection, with_kept=False):
            yield unpack(orjson.loads(compared))

    @override
    def iterate(self) -> Iterator[Counted]:
        return map(unpack_row, self.iterate_rows())

    @override
    def __getitem__(self, cadre: str) -> Counted:
        return self._get(cadre)

    def _fetch(self, cadre: str) -> Counted:
        self._flush()
        found = storage.get_shelved(self._connection, cadre)
        if found is None:
            raise KeyError(cadre)
        return unpack_row((cadre, *found))

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._cadres))

    @override
    def __len__(self) -> int:
        return len(self._cadres)

    def _flush(self) -> None:
        if self._new:
            storage.copy_shelved(self._connection, self._new)
            self._new = []
