"""Polygons as triangles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def fan(polygons: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Triangles as corners (t, 3) of polygons (begin, count), and the polygon of each (t,)."""
    triangles = np.maximum(polygons[:, 1] - 2, 0)  # points and lines have none
    polygon = np.repeat(np.arange(len(polygons)), triangles)
    nth = np.arange(len(polygon)) - np.repeat(np.cumsum(triangles) - triangles, triangles)
    begin = polygons[polygon, 0]
    return np.stack([begin, begin + nth + 1, begin + nth + 2], axis=1), polygon
