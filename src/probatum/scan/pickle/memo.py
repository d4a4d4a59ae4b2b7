"""The memo: a list for the indices 0, 1, 2 … that picklers write, a dict for whatever else a file does."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.pickle.values import Value


class Memo:
    """Index to value. ``dense`` holds indices 0 to len(dense) - 1; no index lies in both parts."""

    __slots__ = ("dense", "largest", "sparse")

    def __init__(self) -> None:
        self.dense: list[Value] = []
        self.sparse: dict[int, Value] = {}
        self.largest = 0  # of the indices that came out of order; the C loader makes a table of twice this size

    def __bool__(self) -> bool:
        return bool(self.dense or self.sparse)

    def count(self) -> int:
        """The index that MEMOIZE takes next: the number of entries."""
        return len(self.dense) + len(self.sparse)

    def get(self, index: int) -> Value:
        """The value; KeyError where a loader finds nothing."""
        if index < len(self.dense):
            return self.dense[index]
        return self.sparse[index]

    def put(self, index: int, value: Value) -> None:
        """Set or overwrite an entry."""
        dense = self.dense
        if index < len(dense):
            dense[index] = value
        elif index > len(dense):
            self.sparse[index] = value
            self.largest = max(self.largest, index)
        else:
            self.sparse.pop(index, None)
            dense.append(value)
            while self.sparse and len(dense) in self.sparse:
                dense.append(self.sparse.pop(len(dense)))
