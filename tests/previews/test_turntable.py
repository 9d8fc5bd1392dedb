from __future__ import annotations

import numpy as np
import pytest

from tests.previews.conftest import ball, cube, frames, opened, pixels
from unisearch.previews.make import PreviewOptions, make
from unisearch.previews.mesh import solid
from unisearch.records import PointSample, TriangleMesh

OPTIONS = PreviewOptions(side=128, turn_side=64, turn_frames=8, renderer="software")
BLUE, GREEN = (0.0, 0.0, 1.0), (0.0, 1.0, 0.0)


def share(picture: np.ndarray, channel: int) -> float:
    """Of the picture that is clearly of that colour."""
    others = [one for one in range(3) if one != channel]
    return float((picture[..., channel] > picture[..., others].max(axis=-1) + 60).mean())


def test_a_red_cube_is_red_on_a_grey_ground() -> None:
    still, turn = make("3d", cube(), OPTIONS)

    picture = pixels(still)
    assert picture.shape == (128, 128, 3)
    assert 0.25 < share(picture, 0) < 0.8
    corner = picture[4, 4]
    assert np.ptp(corner) < 20
    assert 60 < corner.mean() < 190
    assert all(0.2 < share(frame, 0) < 0.8 for frame in frames(turn))


def test_the_film_turns_once_and_begins_with_the_still() -> None:
    still, turn = make("3d", cube(front=BLUE, back=GREEN), OPTIONS)

    shown = frames(turn)
    film = opened(turn)
    assert len(shown) == 8
    assert film.info["loop"] == 0
    assert 200 < film.info["duration"] * 8 / 10 < 1_000
    assert share(shown[0], 2) > 0.1  # the front
    assert share(shown[0], 1) == 0.0
    assert share(shown[4], 1) > 0.1  # the back
    assert share(shown[4], 2) == 0.0
    small = pixels(still).reshape(64, 2, 64, 2, 3).mean(axis=(1, 3))
    assert np.abs(small - shown[0]).mean() < 8


def test_up_is_up_whatever_axis_the_file_calls_so() -> None:
    y_up = cube(above=BLUE)
    z_up = TriangleMesh(y_up.vertices, y_up.faces, cube(front=BLUE).face_colors, up="z")

    for mesh in (y_up, z_up):
        picture = pixels(make("3d", mesh, OPTIONS)[0])
        rows = np.nonzero(picture[..., 2] > picture[..., 0] + 60)[0]
        assert len(rows) > 500
        assert rows.mean() < np.nonzero(picture[..., 0] > picture[..., 2] + 60)[0].mean()


@pytest.mark.parametrize("scale", [1e-25, 1.0, 1e17])
def test_a_model_fills_the_picture_at_any_size_and_place(scale: float) -> None:
    mesh = cube()
    moved = TriangleMesh((mesh.vertices + 50) * np.float32(scale), mesh.faces, mesh.face_colors)

    picture = pixels(make("3d", moved, OPTIONS)[0])

    rows, columns = np.nonzero(picture[..., 0] > picture[..., 1] + 60)
    assert max(np.ptp(rows), np.ptp(columns)) > 0.75 * 128
    assert min(rows.min(), columns.min()) > 0
    assert max(rows.max(), columns.max()) < 127


def test_a_fine_mesh_looks_the_same_with_fewer_triangles() -> None:
    fine, coarse = ball(200), ball(60)  # about 80,000 and 7,000
    few = solid(fine, 16_000, solid(fine, 100_000).closed)
    assert len(few.faces) < 24_000
    assert few.closed

    shown, wanted = (frames(make("3d", mesh, OPTIONS)[1]) for mesh in (fine, coarse))

    for one, other in zip(shown, wanted, strict=True):
        assert np.abs(one - other).mean() < 6


def test_windings_do_not_matter() -> None:
    mesh = ball(30)
    flipped = TriangleMesh(mesh.vertices, mesh.faces[:, ::-1].copy(), mesh.face_colors)

    assert solid(mesh, 10_000).closed
    assert not solid(flipped, 10_000).closed
    one, other = (pixels(make("3d", each, OPTIONS)[0]) for each in (mesh, flipped))
    assert np.abs(one - other).mean() < 2


def test_the_sides_of_a_cube_are_of_one_light_each() -> None:
    cubes = [cube()]
    soup = cubes[0].vertices[cubes[0].faces].reshape(-1, 3)  # as STL holds it
    cubes.append(TriangleMesh(soup, np.arange(36, dtype=np.int32).reshape(12, 3)))

    for mesh in cubes:
        normals = solid(mesh, 100).normals
        assert np.allclose(np.abs(normals).max(axis=2), 1.0)


def test_a_ball_in_loose_triangles_is_as_smooth_as_a_joined_one() -> None:
    mesh = ball(40)
    loose = TriangleMesh(
        mesh.vertices[mesh.faces].reshape(-1, 3),
        np.arange(3 * len(mesh.faces), dtype=np.int32).reshape(-1, 3),
    )

    shape = solid(loose, 10_000)

    assert shape.closed
    outward = np.einsum("fcx,fcx->fc", shape.normals, shape.vertices[shape.faces])
    assert outward.min() > 0.99


def test_an_open_box_is_seen_from_inside() -> None:
    mesh = cube(left=BLUE, back=BLUE)
    lid = np.array([tuple(face) not in {(2, 3, 7), (2, 7, 6)} for face in mesh.faces.tolist()])
    box = TriangleMesh(mesh.vertices, mesh.faces[lid], mesh.face_colors[lid])  # type: ignore[index]

    assert not solid(box, 100).closed
    assert share(pixels(make("3d", box, OPTIONS)[0]), 2) > 0.05


def test_a_cloud_shows_its_colours_and_its_shape() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(4_000, 3)).astype(np.float32)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    colors = np.where(points[:, 1:2] > 0, [1.0, 0.1, 0.1], [0.1, 0.1, 1.0]).astype(np.float32)

    picture = pixels(make("3d", PointSample(points, None, colors), OPTIONS)[0])

    red = picture[..., 0] > picture[..., 2] + 60
    blue = picture[..., 2] > picture[..., 0] + 60
    y, x = np.mgrid[:128, :128] - 63.5
    assert (red | blue)[np.hypot(x, y) < 45].mean() > 0.8
    assert not (red | blue)[np.hypot(x, y) > 62].any()
    assert np.nonzero(red)[0].mean() < np.nonzero(blue)[0].mean()


def test_a_cloud_without_colours_is_coloured_by_height() -> None:
    points = np.random.default_rng(0).uniform(-1, 1, (3_000, 3)).astype(np.float32)

    picture = pixels(make("3d", PointSample(points), OPTIONS)[0])

    warmth = (picture[..., 0] - picture[..., 2])[:, 40:90].mean(axis=1)
    assert warmth[30:50].mean() > warmth[80:100].mean() + 40


def test_huge_triangles_behind_each_other_do_not_take_for_ever() -> None:
    rng = np.random.default_rng(0)
    vertices = rng.normal(size=(150_000, 3)).astype(np.float32)
    faces = rng.permutation(150_000).reshape(-1, 3).astype(np.int32)

    still, turn = make("3d", TriangleMesh(vertices, faces), OPTIONS)

    assert len(frames(turn)) == 8
    assert np.ptp(pixels(still)) > 50


def test_a_model_that_is_a_line_or_flat_is_drawn_too() -> None:
    flat = TriangleMesh(
        np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0.5, 0, 0]], np.float32),
        np.array([[0, 1, 2], [0, 3, 1]], np.int32),
    )

    assert np.ptp(pixels(make("3d", flat, OPTIONS)[0])) > 50
