"""The backends of vector search, and the contract that each keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from unisearch.registry import Entry

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from unisearch.records import Match


class VectorIndex(Protocol):
    """Unit vectors by key, and the nearest of them."""

    def __len__(self) -> int: ...

    def put(self, keys: NDArray[np.int64], vectors: NDArray[np.floating]) -> None:
        """Add rows (n, dim); those of known keys are replaced."""
        ...

    def remove(self, keys: NDArray[np.int64]) -> None:
        """Forget these keys; unknown ones are no error."""
        ...

    def search(
        self,
        vectors: NDArray[np.float32],
        k: int,
        allowed: NDArray[np.int64] | None = None,
    ) -> list[list[Match]]:
        """The k best keys for each query (q, dim), best first, among the allowed ones."""
        ...

    def scores(self, vectors: NDArray[np.float32], keys: NDArray[np.int64]) -> NDArray[np.float32]:
        """The exact cosines (q, n) of these keys; NaN for unknown ones."""
        ...

    def vectors(self, keys: NDArray[np.int64]) -> NDArray[np.float32]:
        """The rows (n, dim) of these keys, in order. Raises KeyError for an unknown one."""
        ...


BACKENDS = {
    "flat": Entry("unisearch.index.flat:FlatIndex"),
}
