"""Real files from the shared corpus, where it is there: a sample of each archive."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from unisearch.media.mesh import load_mesh
from unisearch.media.read import modality_of, read
from unisearch.records import ReadOptions, TriangleMesh


def unpacked(archive: Path, folder: Path, suffixes: tuple[str, ...], every: int) -> list[Path]:
    """Some files of the archive, and all small companions of a model."""
    with zipfile.ZipFile(archive) as source:
        wanted = [name for name in sorted(source.namelist()) if name.endswith(suffixes)][::every]
        beside = [name for name in source.namelist() if name.endswith(".mtl")]
        source.extractall(folder, [*wanted, *beside])
    return [folder / name for name in wanted]


@pytest.mark.parametrize(
    ("archive", "suffixes", "every"),
    [("models.zip", (".glb",), 20), ("furniture.zip", (".obj",), 30), ("fbx.zip", (".fbx",), 1)],
)
def test_real_models_are_read_with_their_colours(
    archive: str, suffixes: tuple[str, ...], every: int, shared: Path, tmp_path: Path
) -> None:
    paths = unpacked(shared / "corpus" / archive, tmp_path, suffixes, every)

    meshes = [load_mesh(path) for path in paths]

    assert len(meshes) >= 6
    for path, mesh in zip(paths, meshes, strict=True):
        assert isinstance(mesh, TriangleMesh), path
        assert mesh.face_colors is not None, path
        assert mesh.face_colors.shape == mesh.faces.shape, path
        assert np.ptp(mesh.vertices, axis=0).max() > 0, path


def test_real_recordings_are_read(shared: Path, tmp_path: Path) -> None:
    paths = unpacked(shared / "corpus/recordings.zip", tmp_path, (".ogg", ".wav", ".mp3"), 25)

    readings = [(read(path), path) for path in paths]

    assert len(readings) >= 10
    for reading, path in readings:
        parts = list(reading.parts)
        assert parts[-1].end_s == pytest.approx(reading.facts["duration_s"]), path


def test_the_published_media_are_read_and_their_pickles_refused(shared: Path) -> None:
    known = [path for path in (shared / "media").iterdir() if path.suffix != ".npy"]

    modalities = [read(path, ReadOptions()).modality for path in known if modality_of(path)]

    assert modalities.count("image") == 6
    assert modalities.count("audio") == 6
    assert modalities.count("text") == 1
