"""Shapes are seen by networks for pictures: drawn from all around, and the vectors averaged."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn.functional import normalize

from unisearch.records import Modality, PointSample
from unisearch.spaces.towers.base import Tower
from unisearch.spaces.towers.pictures import Crop
from unisearch.spaces.towers.prepare import Array, Prepare
from unisearch.spaces.towers.rendered import VIEWS, Views
from unisearch.spaces.towers.views import ViewsTower


class Shades(Tower):
    """A network for pictures: the brightness of each of 8 x 8 parts."""

    dim, modalities, digest, device, version = 64, ("image",), "0", "cpu", 1
    image_min_side = 64

    def __init__(self) -> None:
        self.passes: list[int] = []

    def preparer(self, modality: Modality) -> Prepare:
        return Crop(32)

    def encode(self, modality: Modality, batch: Sequence[Array]) -> torch.Tensor:
        self.passes.append(len(batch))
        parts = torch.from_numpy(np.stack(batch)).float().mean(-1).reshape(-1, 8, 4, 8, 4)
        rows = parts.mean((2, 4)).flatten(1)
        return normalize(rows - rows.mean(1, keepdim=True), dim=-1)


def chair(count: int = 6_000) -> NDArray[np.float32]:
    """Points on a seat, a back and four legs; y up."""
    rng = np.random.default_rng(0)
    boxes = [((0, 0, 0), (1, 0.1, 1)), ((0, 0.5, -0.5), (1, 1, 0.1))]
    boxes += [((x, -0.5, z), (0.1, 1, 0.1)) for x in (-0.45, 0.45) for z in (-0.45, 0.45)]
    parts = [
        np.array(middle) + (rng.random((count // len(boxes), 3)) - 0.5) * size
        for middle, size in boxes
    ]
    return np.concatenate(parts).astype(np.float32)


def rows(*samples: PointSample) -> torch.Tensor:
    tower = ViewsTower(Shades())
    return tower.encode("3d", [tower.preparer("3d")(sample) for sample in samples])


def test_a_shape_is_prepared_as_eight_pictures_from_around() -> None:
    sample = PointSample(chair())

    pictures = Views(Crop(32), 64)(sample)

    assert pictures.shape == (VIEWS, 32, 32, 3)
    assert pictures.dtype == np.uint8
    assert len({picture.tobytes() for picture in pictures}) == VIEWS
    assert np.array_equal(pictures, Views(Crop(32), 64)(sample))


def test_its_vector_is_the_mean_direction_of_its_pictures() -> None:
    tower = ViewsTower(Shades())
    pictures = tower.preparer("3d")(PointSample(chair()))

    [row] = tower.encode("3d", [pictures])

    seen = Shades().encode("image", list(pictures))
    assert torch.allclose(row, normalize(seen.mean(0), dim=-1), atol=1e-6)


def test_it_does_not_matter_which_side_is_the_front() -> None:
    quarter = np.array([[0, 0, 1], [0, 1, 0], [-1, 0, 0]], np.float32)

    front, side = rows(PointSample(chair()), PointSample(chair() @ quarter.T))

    assert float(front @ side) > 0.999


def test_nor_where_it_lies_nor_how_large_it_is_nor_which_axis_is_up() -> None:
    z_up = chair()[:, [0, 2, 1]] * np.array([1, -1, 1], np.float32)

    plain, far, turned = rows(
        PointSample(chair()), PointSample(1e3 * chair() + 50.0), PointSample(z_up, up="z")
    )

    assert float(plain @ far) > 0.999
    assert float(plain @ turned) > 0.999


def test_another_shape_has_another_vector() -> None:
    numbers = np.random.default_rng(1).standard_normal((6_000, 3)).astype(np.float32)
    ball = numbers / np.linalg.norm(numbers, axis=1, keepdims=True)

    first, second = rows(PointSample(chair()), PointSample(ball))

    assert float(first @ second) < 0.95


def test_normals_of_either_sign_light_a_shape_alike() -> None:
    numbers = np.random.default_rng(1).standard_normal((3_000, 3)).astype(np.float32)
    ball = numbers / np.linalg.norm(numbers, axis=1, keepdims=True)

    draw = Views(Crop(32), 64)
    out, inward = draw(PointSample(ball, ball)), draw(PointSample(ball, -ball))

    assert np.array_equal(out, inward)
    assert np.ptp(out[0, 8:24, 8:24].astype(int)) > 60  # light above, dark below


def test_colours_are_seen() -> None:
    red = np.broadcast_to(np.array([0.9, 0.1, 0.1], np.float32), (6_000, 3))

    pictures = Views(Crop(32), 64)(PointSample(chair(), None, red))

    assert all((picture[..., 0].astype(int) - picture[..., 1] > 60).any() for picture in pictures)


@pytest.mark.parametrize("points", [np.zeros((1, 3)), np.eye(3)[:2], np.full((9, 3), 7.0)])
def test_next_to_nothing_is_drawn_too(points: NDArray[np.float64]) -> None:
    pictures = Views(Crop(32), 64)(PointSample(points.astype(np.float32)))

    assert np.ptp(pictures[0].reshape(-1, 3).astype(int), axis=0).max() > 20


def test_a_large_batch_runs_in_passes_of_bounded_size() -> None:
    inner = Shades()
    tower = ViewsTower(inner)
    pictures = tower.preparer("3d")(PointSample(chair(600)))

    found = tower.encode("3d", [pictures] * 9)

    assert found.shape == (9, 64)
    assert torch.allclose(found, found[:1].expand(9, -1), atol=1e-6)
    assert max(inner.passes) <= 32


def test_pictures_are_seen_as_the_network_itself_sees_them() -> None:
    tower = ViewsTower(Shades())
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype(np.uint8)

    assert tower.modalities == ("image", "3d")
    assert tower.preparer("image") == Crop(32)
    assert torch.equal(tower.encode("image", [pixels]), Shades().encode("image", [pixels]))


def test_workers_draw_without_torch(tmp_path: Path) -> None:
    sent = tmp_path / "sent"
    sent.write_bytes(pickle.dumps((Views(Crop(32), 64), PointSample(chair()))))
    program = (
        "import pickle, sys; prepare, sample = pickle.load(open(sys.argv[1], 'rb'));"
        "prepare(sample); assert 'torch' not in sys.modules"
    )

    subprocess.run([sys.executable, "-c", program, sent], check=True, timeout=120)
