from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from unisearch.records import TriangleMesh
from unisearch.world.meshes import make_mesh
from unisearch.world.render import lay_on, make_background, render
from unisearch.world.shapes import Model, unit_ball, unit_box

RED, BLUE = (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)


def one(solid: tuple[NDArray[np.float64], NDArray[np.int64]], color: object = RED) -> TriangleMesh:
    model = Model()
    model.add(solid, color)  # type: ignore[arg-type]
    return model.mesh()


def test_a_sphere_is_a_full_disc_without_holes() -> None:
    # DISTANCE and the fit to the frame leave a sphere's silhouette an exact circle.
    picture = render(one(unit_ball(64)), 20, 30, side=128, supersample=1, margin=0.05)

    y, x = np.mgrid[:128, :128] + 0.5
    reach = np.hypot(x - 64, y - 64)
    radius = 64 - 0.05 * 128
    alpha = picture[..., 3]
    assert (alpha[reach < radius - 1.5] == 255).all()
    assert (alpha[reach > radius + 1.0] == 0).all()


@pytest.mark.parametrize(("azimuth", "elevation"), [(0, 0), (33, 20), (90, 89), (200, -40)])
def test_a_box_is_filled_to_its_convex_outline(azimuth: float, elevation: float) -> None:
    alpha = render(one(unit_box()), azimuth, elevation, side=96, supersample=1)[..., 3]

    # Each row and each column of a convex shape is one unbroken run.
    for lines in (alpha, alpha.T):
        changes = np.abs(np.diff((lines > 0).astype(int), axis=1)).sum(axis=1)
        assert (changes <= 2).all()
    assert (alpha > 0).mean() > 0.25


def test_no_pixel_of_a_fine_mesh_is_left_open() -> None:
    # 60,000 triangles, most of them smaller than a pixel.
    solid = unit_ball(240)
    picture = render(one(solid), 10, 50, side=96, supersample=1, margin=0.05)

    y, x = np.mgrid[:96, :96] + 0.5
    inside = np.hypot(x - 48, y - 48) < 48 - 0.05 * 96 - 1
    assert (picture[inside, 3] == 255).all()


@pytest.mark.parametrize("front_first", [True, False])
def test_the_nearer_triangle_wins_whatever_the_order(front_first: bool) -> None:
    model = Model()
    parts = [((0, 0, 1), 1.0, RED), ((0, 0, -1), 2.0, BLUE)]
    for at, size, color in parts if front_first else parts[::-1]:
        model.box(at, (size, size, 0.1), color)

    picture = render(model.mesh(), 0, 0, side=65, supersample=1)

    middle, corner = picture[32, 32], picture[8, 8]
    assert middle[0] > 100
    assert middle[2] == 0
    assert corner[2] > 100
    assert corner[0] == 0


def test_crossing_triangles_are_cut_where_they_cross() -> None:
    # Two planes through the y axis, each turned 45 degrees: left of the middle one is nearer.
    vertices = np.array([[-1, -1, -1], [1, -1, 1], [1, 1, 1], [-1, 1, -1]], np.float32)
    mirrored = vertices * np.array([1, 1, -1], np.float32)
    faces = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    mesh = TriangleMesh(
        vertices=np.concatenate([vertices, mirrored]),
        faces=np.concatenate([faces, faces + 4]),
        face_colors=np.array([RED, RED, BLUE, BLUE], np.float32),
    )

    picture = render(mesh, 0, 0, side=64, supersample=1)

    row = picture[32]
    assert (row[6:31, 2] > 0).all()
    assert (row[6:31, 0] == 0).all()
    assert (row[33:58, 0] > 0).all()
    assert (row[33:58, 2] == 0).all()


def test_a_part_laid_exactly_on_another_shows_without_speckles() -> None:
    model = Model()
    model.box((0, 0, 0), (2, 2, 2), BLUE)
    model.box((0, 0, 0.5), (1, 1, 1), RED)  # its front lies in the front of the blue box

    picture = render(model.mesh(), 25, 15, side=96, supersample=1)

    red = (picture[..., 0] > 0) & (picture[..., 2] == 0)
    blue = (picture[..., 2] > 0) & (picture[..., 0] == 0)
    assert red.sum() > 500
    filled = np.abs(np.diff(red.astype(int), axis=1)).sum(axis=1)
    assert (filled <= 2).all()
    assert ((picture[..., 3] > 0) == (red | blue)).all()


def test_the_mesh_fills_the_frame_from_every_side() -> None:
    mesh = make_mesh("giraffe", 1)

    for azimuth in (0, 90, 210):
        alpha = render(mesh, azimuth, 15)[..., 3]
        rows, columns = np.nonzero(alpha)
        assert max(np.ptp(rows), np.ptp(columns)) >= 96 * 0.85
        assert alpha[[0, -1]].max() == 0
        assert alpha[:, [0, -1]].max() == 0


def test_azimuth_ninety_looks_at_the_side_that_faces_x() -> None:
    model = Model()
    model.box((0, 0, 0), (1, 1, 1), BLUE)
    model.box((0.52, 0, 0), (0.04, 1, 1), RED)

    front, side = render(model.mesh(), 0, 0), render(model.mesh(), 90, 0)

    assert side[48, 48, 0] > 100
    assert front[48, 40, 2] > 100


def test_light_comes_from_where_it_is_said_and_both_sides_are_lit() -> None:
    mesh = one(unit_ball(32), (0.8, 0.8, 0.8))
    flipped = TriangleMesh(mesh.vertices, mesh.faces[:, ::-1].copy(), mesh.face_colors)

    left = render(mesh, 0, 0, light=(-1, 0, 0.3))
    inside_out = render(flipped, 0, 0, light=(-1, 0, 0.3))

    assert left[48, 20, 0] > left[48, 76, 0] + 60
    assert np.array_equal(left, inside_out)


def test_a_mesh_that_declares_z_up_stands_upright() -> None:
    vertices = np.array([[0, 0, 0], [0.2, 0, 0], [0, 0, 2]], np.float32)
    mesh = TriangleMesh(vertices, np.array([[0, 1, 2]], np.int32), None, up="z")

    alpha = render(mesh, 0, 0)[..., 3]

    rows, columns = np.nonzero(alpha)
    assert np.ptp(rows) > 4 * np.ptp(columns)


def test_an_empty_mesh_is_an_empty_picture() -> None:
    mesh = TriangleMesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32))

    assert not render(mesh, 0, 0).any()


def test_a_picture_is_laid_on_white_on_a_colour_and_on_seeded_grounds() -> None:
    rgba = render(make_mesh("cup", 0), 30, 20)
    empty = rgba[..., 3] == 0

    assert (lay_on(rgba)[empty] == 255).all()
    assert (lay_on(rgba, (10, 20, 30))[empty] == (10, 20, 30)).all()
    assert np.array_equal(lay_on(rgba, 7)[empty], make_background(7, 96)[empty])
    solid = rgba[..., 3] == 255
    assert np.array_equal(lay_on(rgba, 7)[solid], rgba[solid][:, :3])
    grounds = {make_background(seed, 16).tobytes() for seed in range(20)}
    assert len(grounds) > 5
