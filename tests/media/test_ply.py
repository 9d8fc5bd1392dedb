"""PLY and STL files as other programs write them, and what their headers may claim."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import trimesh

from unisearch.errors import Unreadable
from unisearch.media.mesh import load_mesh
from unisearch.records import ReadOptions, TriangleMesh

CORNERS = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0.5, 0.5, 1)]
PYRAMID = [(0, 1, 2, 3), (0, 1, 4), (1, 2, 4), (2, 3, 4), (3, 0, 4)]


def surface(path: Path) -> TriangleMesh:
    mesh = load_mesh(path)
    assert isinstance(mesh, TriangleMesh)
    return mesh


def binary_ply(
    path: Path, faces: Sequence[Sequence[int]], order: str = "<", behind: bytes = b""
) -> Path:
    """Face n is painted (10 n, 20, 30), and an edge follows the faces."""
    kind = {"<": "little", ">": "big"}[order]
    header = f"""ply
format binary_{kind}_endian 1.0
comment made in a caf\xe9
element vertex {len(CORNERS)}
property float x
property float y
property float z
element face {len(faces)}
property list uchar int vertex_indices
property uchar red
property uchar green
property uchar blue
element edge 1
property int vertex1
property int vertex2
end_header
""".encode("latin1")
    rows = [struct.pack(f"{order}3f", *corner) for corner in CORNERS]
    for number, face in enumerate(faces):
        rows.append(struct.pack(f"{order}B{len(face)}i", len(face), *face))
        rows.append(bytes((10 * number, 20, 30)))
    path.write_bytes(header + b"".join(rows) + struct.pack(f"{order}2i", 0, 1) + behind)
    return path


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("behind", [b"", b"\n"])
def test_faces_with_different_numbers_of_corners_are_cut_into_triangles(
    order: str, behind: bytes, tmp_path: Path
) -> None:
    mesh = surface(binary_ply(tmp_path / "a.ply", PYRAMID, order, behind))

    whole = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    assert len(mesh.faces) == 6
    assert whole.is_watertight
    assert whole.area == pytest.approx(1 + 4 * 0.5 * np.hypot(0.5, 1))
    assert mesh.face_colors is not None
    reds = sorted(np.rint(mesh.face_colors[:, 0] * 255).astype(int).tolist())
    assert reds == [0, 0, 10, 20, 30, 40]


@pytest.mark.parametrize("corners", [3, 4, 5])
def test_every_triangle_of_a_polygon_has_its_colour(corners: int, tmp_path: Path) -> None:
    faces = [range(corners), range(corners)[::-1]]

    mesh = surface(binary_ply(tmp_path / "a.ply", faces))

    assert mesh.face_colors is not None
    reds = np.rint(mesh.face_colors[:, 0] * 255).astype(int).tolist()
    assert reds == [0] * (corners - 2) + [10] * (corners - 2)


def test_quads_of_a_text_with_colours_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.ply"
    head = "ply\nformat ascii 1.0\nelement vertex 5\n"
    head += "".join(f"property float {axis}\n" for axis in "xyz")
    head += "element face 2\nproperty list uchar int vertex_indices\n"
    head += "".join(f"property uchar {name}\n" for name in ("red", "green", "blue"))
    rows = "\n".join(" ".join(map(str, corner)) for corner in CORNERS)
    path.write_text(f"{head}end_header\n{rows}\n4 0 1 2 3 9 9 9\n4 0 1 4 2 9 9 9\n")

    assert len(surface(path).faces) == 4


def binary_stl(path: Path, declared: int, behind: bytes = b"") -> Path:
    """A box of 12 triangles whose header says something else."""
    content = trimesh.creation.box().export(file_type="stl")
    head = b"solid facet of a program that begins so".ljust(80)
    path.write_bytes(head + struct.pack("<I", declared) + content[84:] + behind)
    return path


@pytest.mark.parametrize("declared", [13, 4_294_967_295])
def test_an_stl_that_declares_more_than_it_holds_says_so(declared: int, tmp_path: Path) -> None:
    with pytest.raises(Unreadable) as caught:
        load_mesh(binary_stl(tmp_path / "a.stl", declared))

    assert caught.value.kind == "corrupt"
    assert caught.value.reason == (
        f"damaged or not a 3D model: it declares {declared:,} triangles, but holds 12"
    )


@pytest.mark.parametrize("behind", [b"", b"\n", b"made by a program" * 9])
def test_bytes_behind_the_triangles_of_an_stl_are_left_out(behind: bytes, tmp_path: Path) -> None:
    assert len(surface(binary_stl(tmp_path / "a.stl", 12, behind)).faces) == 12


def test_an_stl_over_the_limit_of_triangles_is_too_large(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="12 triangles, the limit is 10") as caught:
        load_mesh(binary_stl(tmp_path / "a.stl", 12), ReadOptions(max_triangles=10))

    assert caught.value.kind == "too_large"
