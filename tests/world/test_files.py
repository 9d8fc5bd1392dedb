from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import trimesh
from PIL import Image

from unisearch.errors import UnisearchError
from unisearch.records import TriangleMesh
from unisearch.world.files import to_linear, write_mesh, write_picture, write_sound
from unisearch.world.meshes import make_mesh
from unisearch.world.render import lay_on, render

RED, GREEN = (200, 40, 20), (30, 160, 90)


def two_triangles() -> TriangleMesh:
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    colors = (np.array([RED, GREEN]) / 255).astype(np.float32)
    return TriangleMesh(vertices, np.array([[0, 1, 2], [0, 1, 3]], np.int32), colors)


@pytest.mark.parametrize("suffix", [".glb", ".obj", ".ply"])
def test_a_mesh_opens_again_with_all_its_triangles(tmp_path: Path, suffix: str) -> None:
    mesh = make_mesh("motorcycle", 4)

    path = write_mesh(tmp_path / f"fast bike 01{suffix}", mesh)

    read: Any = trimesh.load_scene(path).to_geometry()
    assert len(read.faces) == len(mesh.faces)
    assert np.allclose(read.bounds[0], mesh.vertices.min(axis=0), atol=1e-3)
    assert np.allclose(read.bounds[1], mesh.vertices.max(axis=0), atol=1e-3)


def test_glb_materials_are_linear_as_gltf_asks(tmp_path: Path) -> None:
    path = write_mesh(tmp_path / "a.glb", two_triangles())

    parts = trimesh.load_scene(path).geometry.values()

    found = sorted(tuple(part.visual.material.baseColorFactor[:3]) for part in parts)
    wanted = [tuple(np.round(to_linear(np.array(c) / 255) * 255)) for c in (RED, GREEN)]
    assert found == sorted(wanted)


def test_obj_colours_stand_in_the_mtl_beside_it(tmp_path: Path) -> None:
    path = write_mesh(tmp_path / "two sides.obj", two_triangles())

    parts = trimesh.load_scene(path).geometry.values()

    assert (tmp_path / "two_sides.mtl").is_file()
    found = sorted(tuple(part.visual.material.diffuse[:3]) for part in parts)
    assert found == sorted([RED, GREEN])


def test_ply_keeps_the_colour_of_each_triangle(tmp_path: Path) -> None:
    path = write_mesh(tmp_path / "a.ply", two_triangles())

    read: Any = trimesh.load_mesh(path, process=False)

    assert read.visual.vertex_colors[read.faces[0], :3].tolist() == [list(RED)] * 3
    assert read.visual.vertex_colors[read.faces[1], :3].tolist() == [list(GREEN)] * 3


def test_pictures_open_again(tmp_path: Path) -> None:
    rgba = render(make_mesh("cup", 1), 30, 20)

    png, jpg = tmp_path / "cup.png", tmp_path / "cup.jpg"
    write_picture(png, rgba)
    write_picture(jpg, lay_on(rgba, 3))

    with Image.open(png) as picture:
        assert np.array_equal(np.asarray(picture), rgba)
    with Image.open(jpg) as picture:
        error = np.abs(np.asarray(picture).astype(int) - lay_on(rgba, 3))
    assert error.mean() < 8


@pytest.mark.parametrize(
    ("suffix", "codec", "closeness"),
    [(".wav", "pcm_s16le", 0.9999), (".flac", "flac", 0.9999), (".ogg", "opus", 0.97)],
)
def test_sounds_open_again(tmp_path: Path, suffix: str, codec: str, closeness: float) -> None:
    seconds = np.arange(24_000) / 16_000
    wave = (0.5 * np.sin(2 * np.pi * 440 * seconds) * np.exp(-seconds)).astype(np.float32)

    path = write_sound(tmp_path / f"tone{suffix}", wave, 16_000)

    with av.open(path) as file:
        [stream] = file.streams.audio
        assert stream.codec_context.name == codec
        resampler = av.AudioResampler("flt", "mono", 16_000)
        frames = [f for frame in file.decode(audio=0) for f in resampler.resample(frame)]
        frames += resampler.resample(None)
    read = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    assert abs(len(read) - len(wave)) < 400
    shared = min(len(read), len(wave))
    shifts = [np.corrcoef(read[k:shared], wave[: shared - k])[0, 1] for k in range(200)]
    assert max(shifts) > closeness


def test_nothing_is_ever_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "mine.ply"
    path.write_bytes(b"precious")

    with pytest.raises(UnisearchError, match=r"mine\.ply exists already"):
        write_mesh(path, make_mesh("cup", 0))

    assert path.read_bytes() == b"precious"


@pytest.mark.parametrize("name", ["a.stl", "b.gif", "c.mp3"])
def test_a_format_that_is_not_written_is_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / name

    with pytest.raises(UnisearchError, match="must end in"):
        {
            ".stl": lambda: write_mesh(path, make_mesh("cup", 0)),
            ".gif": lambda: write_picture(path, np.zeros((4, 4, 3), np.uint8)),
            ".mp3": lambda: write_sound(path, np.zeros(9, np.float32), 16_000),
        }[path.suffix]()
