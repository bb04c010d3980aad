"""A shelf for everybody's counted dossiers in the database: what they take there they do not take in memory."""

from collections.abc import Iterator
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
        compared, kept = pack(one)
        row = one.cadre, orjson.dumps(compared), orjson.dumps(kept)
        if one.cadre in self._cadres:
            self._flush()
            self._get.cache_clear()
            storage.set_shelved(self._connection, [row])
            return
        self._cadres[one.cadre] = None
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
        self._flush()
        for _, compared, kept in storage.iterate_shelved(self._connection, with_kept=True):
            yield unpack(orjson.loads(compared), orjson.loads(kept))

    @override
    def __getitem__(self, cadre: str) -> Counted:
        return self._get(cadre)

    def _fetch(self, cadre: str) -> Counted:
        self._flush()
        found = storage.get_shelved(self._connection, cadre)
        if found is None:
            raise KeyError(cadre)
        return unpack(orjson.loads(found[0]), orjson.loads(found[1]))

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
