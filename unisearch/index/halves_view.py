"""FAISS over float16 rows that lie mapped on the disk: no second copy in memory."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import faiss


@cache
def faiss_reads_halves() -> bool:
    """Whether FAISS is installed and reads mapped rows as we expect.

    FAISS's own loader for mapped indexes wants its file format; our rows have none, so the
    index is pointed at them through the public members of its code vector. A FAISS that lays
    that vector out in another way is found out here, on two rows, and then not used.
    """
    try:
        index = view(np.eye(2, 8, dtype=np.float16))
        _, rows = index.search(np.eye(2, 8, dtype=np.float32)[::-1].copy(), 1)
    except (ImportError, AttributeError, TypeError, RuntimeError):
        return False
    return bool(rows[:, 0].tolist() == [1, 0])


def faiss_sees_gpus() -> bool:
    """Whether this FAISS was built for GPUs and there is one."""
    import faiss

    return int(faiss.get_num_gpus()) > 0


def view(vectors: NDArray[np.float16]) -> faiss.IndexScalarQuantizer:
    """An exact inner-product index over these rows, (n, dim) contiguous float16; read only.

    Raises ImportError without FAISS.
    """
    import faiss

    count, dim = vectors.shape
    index = faiss.IndexScalarQuantizer(
        dim, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
    )
    raw = np.asarray(vectors).view(np.uint8).reshape(-1)
    codes = index.codes
    codes.is_owned = False
    codes.view_data = codes.c_ptr = faiss.swig_ptr(raw)
    codes.view_size = codes.c_size = raw.size
    index.ntotal = count
    index.is_trained = True
    index.referenced_objects = [raw]  # the memory lives as long as the index
    return index
