"""Which records a file has named already, in a few bytes each: a file of millions of rows must not fill the memory."""

from array import array

START_SLOTS = 1 << 12
MASK = (1 << 64) - 1


class SeenRecords:
    """Remembers digests of keys and of contents. The digests are Python's own, keyed anew in every process."""

    def __init__(self) -> None:
        self._used = 0
        self._grow_to(START_SLOTS)

    def add(self, key: object, content: object) -> bool | None:
        """Remember a record. None: it is new. Otherwise it was named before; True where its content was the same."""
        hashed = hash(key) & MASK or 1  # 0 marks a free slot
        digest = hash(content) & MASK
        keys, last = self._keys, self._slots - 1
        slot = hashed & last
        while found := keys[slot]:
            if found == hashed:
                return self._contents[slot] == digest
            slot = (slot + 1) & last
        keys[slot] = hashed
        self._contents[slot] = digest
        self._used += 1
        if self._used * 2 > self._slots:
            self._double()
        return None

    def _double(self) -> None:
        keys, contents = self._keys, self._contents
        self._grow_to(self._slots * 2)
        for key, content in zip(keys, contents, strict=True):
            if key:
                slot = key & (self._slots - 1)
                while self._keys[slot]:
                    slot = (slot + 1) & (self._slots - 1)
                self._keys[slot] = key
                self._contents[slot] = content

    def _grow_to(self, slots: int) -> None:
        self._slots = slots
        self._keys = array("Q", bytes(8 * slots))
        self._contents = array("Q", bytes(8 * slots))
