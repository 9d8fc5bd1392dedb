"""3D files in, one cloud of points out."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from unisearch.media.mesh import load_model, sample_points
from unisearch.media.tags import words_of
from unisearch.records import Part, PointSample, Reading, ReadOptions, TriangleMesh


def read_model(path: Path, options: ReadOptions) -> Reading:
    """One part: `options.points` points on the surface, or at most as many of the cloud."""
    model = load_model(path, options)
    if isinstance(model.shape, TriangleMesh):
        sample = sample_points(model.shape, options.points)
        facts = {"vertices": len(model.shape.vertices), "faces": len(model.shape.faces)}
    else:
        sample = _thinned(model.shape, options.points)
        facts = {"vertices": len(model.shape.points)}
    preview = model.shape if options.preview_side else None
    return Reading(
        "3d", [Part(sample)], facts, words_of(model.names), labels=model.labels, preview=preview
    )


def _thinned(cloud: PointSample, count: int) -> PointSample:
    """At most `count` points, drawn evenly; the same file gives the same points."""
    if len(cloud.points) <= count:
        return cloud
    chosen = np.sort(np.random.default_rng(0).choice(len(cloud.points), count, replace=False))
    return PointSample(
        cloud.points[chosen],
        None if cloud.normals is None else cloud.normals[chosen],
        None if cloud.colors is None else cloud.colors[chosen],
        cloud.up,
    )
