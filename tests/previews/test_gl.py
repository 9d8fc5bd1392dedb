"""What OpenGL draws is what our own rasteriser draws. Any driver serves, also one without a GPU."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from tests.previews.conftest import ball, cube, frames
from unisearch.previews import gl, turntable
from unisearch.previews.draw import draw_solid
from unisearch.previews.make import PreviewOptions, make
from unisearch.previews.mesh import solid
from unisearch.raster import camera
from unisearch.records import TriangleMesh
from unisearch.stage import View

OPTIONS = PreviewOptions(side=96, turn_side=64, turn_frames=6)


@pytest.fixture(scope="module")
def canvas() -> gl.Canvas:
    pytest.importorskip("moderngl", reason="pip install 'unisearch[render]'")
    try:
        return gl.Canvas()
    except Exception as error:
        pytest.skip(f"no EGL on this machine: {error}")


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    gl.canvas.cache_clear()
    yield
    gl.canvas.cache_clear()


def open_box() -> TriangleMesh:
    box = cube(left=(0, 0, 1), front=(0, 1, 0))
    assert box.face_colors is not None
    return TriangleMesh(box.vertices, box.faces[:-4], box.face_colors[:-4])


@pytest.mark.parametrize("mesh", [cube(above=(0, 1, 0)), ball(40), open_box()])
@pytest.mark.parametrize("azimuth", [35.0, 200.0])
def test_both_draw_the_same_picture(canvas: gl.Canvas, mesh: TriangleMesh, azimuth: float) -> None:
    shape, view = solid(mesh, 20_000), View(camera(azimuth, 20.0), 300.0, 200, 0.02)

    ours, theirs = draw_solid(shape, view), canvas.draw(shape, view)

    apart = np.abs(ours.astype(int) - theirs).max(axis=2)
    assert (apart > 12).mean() < 0.015  # along edges
    assert apart.mean() < 0.5


def test_previews_are_drawn_by_it_where_it_is_there(
    canvas: gl.Canvas, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turntable, "canvas", lambda: canvas)

    theirs = make("3d", ball(30), OPTIONS)
    ours = make("3d", ball(30), replace(OPTIONS, renderer="software"))

    for one, other in zip(frames(theirs[1]), frames(ours[1]), strict=True):
        assert np.abs(one - other).mean() < 2


def test_a_driver_that_fails_leaves_the_work_to_our_own(
    canvas: gl.Canvas, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("context lost")

    monkeypatch.setattr(turntable, "canvas", lambda: canvas)
    monkeypatch.setattr(canvas, "draw", fail)

    with caplog.at_level(logging.DEBUG, "unisearch.previews"):
        previews = make("3d", cube(), OPTIONS)

    assert previews == make("3d", cube(), replace(OPTIONS, renderer="software"))
    assert "context lost" in caplog.text


def test_a_machine_without_egl_is_one_line_at_level_debug(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise OSError("libEGL.so not loaded")

    monkeypatch.setattr(gl, "Canvas", fail)

    with caplog.at_level(logging.DEBUG, "unisearch.previews"):
        assert gl.canvas() is None
        assert gl.canvas() is None

    assert [record.levelname for record in caplog.records] == ["DEBUG"]
    assert "libEGL.so not loaded" in caplog.text
