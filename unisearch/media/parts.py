"""What readers of models hand on: coloured surfaces and clouds in the coordinates of the scene."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from unisearch.media.damage import Damage

#: Lengths are computed in float32, and the square of anything larger is infinite there.
MAX_COORDINATE = 1e18


@dataclass(frozen=True)
class MeshPart:
    """A piece of a surface with one colour per face, or None where nothing is declared."""

    vertices: NDArray[np.float32]  # (v, 3)
    faces: NDArray[np.int64]  # (f, 3)
    colors: NDArray[np.float32] | None = None  # (f, 3)


@dataclass(frozen=True)
class CloudPart:
    """Points of a file that has vertices but no faces."""

    points: NDArray[np.float32]  # (n, 3)
    normals: NDArray[np.float32] | None = None  # (n, 3)
    colors: NDArray[np.float32] | None = None  # (n, 3)


@dataclass(frozen=True)
class Scene:
    """What a model file holds.

    names: of its nodes, groups and materials, as its author wrote them; labels: see Reading
    """

    parts: list[MeshPart] = field(default_factory=list)
    clouds: list[CloudPart] = field(default_factory=list)
    up: Literal["y", "z"] | None = None
    names: tuple[str, ...] = ()
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def check_faces(faces: NDArray[np.int64], vertices: int) -> None:
    """Raises Damage unless all corners are among that many vertices."""
    if len(faces) and (faces.min() < 0 or faces.max() >= vertices):
        raise Damage("a face refers to a vertex that does not exist")


def check_coordinates(points: NDArray[np.float32]) -> None:
    """Raises Damage for coordinates (n, 3) that nothing can be computed with."""
    if not np.isfinite(points).all():
        raise Damage("a coordinate is not a finite number")
    if float(np.abs(points).max()) > MAX_COORDINATE:
        raise Damage("a coordinate is too large to compute with")
