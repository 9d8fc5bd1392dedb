"""Preparation keeps what matters and forgets what does not."""

from __future__ import annotations

import numpy as np
import pytest

from unisearch.records import PointSample
from unisearch.spaces.starter import prepare
from unisearch.spaces.starter.words import BUCKETS, MAX_PIECES, hash_words


def cloud(seed: int = 0, count: int = 3_000) -> PointSample:
    rng = np.random.default_rng(seed)
    normals = rng.standard_normal((count, 3)).astype(np.float32)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    points = normals * np.array([1.0, 2.0, 0.5], np.float32)
    return PointSample(points, normals, rng.random((count, 3)).astype(np.float32))


def tone(seconds: float, hertz: float = 440.0, rate_hz: int = 16_000) -> np.ndarray:  # type: ignore[type-arg]
    time_s = np.arange(int(seconds * rate_hz)) / rate_hz
    return (0.5 * np.sin(2 * np.pi * hertz * time_s)).astype(np.float32)


def test_a_picture_keeps_its_proportions() -> None:
    pixels = np.zeros((50, 200, 3), np.uint8)
    pixels[10:40, 20:180] = 255

    square = prepare.picture(pixels)

    bright = square[..., 0] > 127
    rows, columns = np.ptp(np.flatnonzero(bright.any(1))), np.ptp(np.flatnonzero(bright.any(0)))
    assert square.shape == (prepare.SIDE, prepare.SIDE, 3)
    assert columns / rows == pytest.approx(160 / 30, rel=0.2)


def test_what_is_added_beside_a_picture_has_the_colour_of_its_border() -> None:
    pixels = np.full((40, 80, 3), (200, 30, 60), np.uint8)

    assert np.abs(prepare.picture(pixels).astype(int) - (200, 30, 60)).max() <= 1


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (3_000, 20)])
def test_a_picture_of_any_shape_becomes_a_square(size: tuple[int, int]) -> None:
    assert prepare.picture(np.zeros((*size, 3), np.uint8)).shape == (prepare.SIDE, prepare.SIDE, 3)


def test_loudness_does_not_matter() -> None:
    quiet, loud = prepare.mel(0.01 * prepare.tile(tone(1))), prepare.mel(prepare.tile(tone(1)))

    assert np.abs(quiet - loud).max() < 1e-2


def test_pitch_does() -> None:
    low, high = prepare.mel(prepare.tile(tone(1, 200))), prepare.mel(prepare.tile(tone(1, 2_000)))

    assert low.mean(0).argmax() < high.mean(0).argmax()


def test_a_window_of_ten_seconds_is_two_pieces_and_none_is_lost() -> None:
    samples = np.concatenate([np.zeros(5 * 16_000, np.float32), tone(5)])

    pieces = prepare.sound(samples, 16_000)

    assert pieces.shape == (2, 192, 64)
    assert not pieces[0].any()
    assert pieces[1].any()


def test_silence_around_a_short_sound_does_not_matter() -> None:
    bare = tone(0.5)
    padded = np.concatenate([np.zeros(4_000, np.float32), bare, np.zeros(9_000, np.float32)])

    assert np.allclose(prepare.sound(padded, 16_000), prepare.sound(bare, 16_000), atol=0.05)


@pytest.mark.parametrize("samples", [np.zeros(0, np.float32), np.zeros(99, np.float32)])
def test_silence_is_all_zero_and_finite(samples: np.ndarray) -> None:  # type: ignore[type-arg]
    assert not prepare.sound(samples, 16_000).any()


def test_another_rate_gives_the_same_sound() -> None:
    first, second = prepare.sound(tone(5), 16_000), prepare.sound(tone(5, rate_hz=44_100), 44_100)

    assert first.mean(1).argmax() == second.mean(1).argmax()


def test_place_and_size_of_a_shape_do_not_matter() -> None:
    shape = cloud()
    moved = PointSample(shape.points * 7 + 100, shape.normals, shape.colors)

    first, _ = prepare.points(shape)
    second, _ = prepare.points(moved)

    assert np.abs(first - second).max() < 1e-3
    assert np.linalg.norm(first[:, :3], axis=1).max() == pytest.approx(1.0, abs=1e-5)


def test_a_shape_whose_format_says_z_is_up_is_set_upright() -> None:
    shape = cloud()
    x, y, z = shape.points.T
    lying = np.stack([x, -z, y], axis=1)
    assert shape.normals is not None
    a, b, c = shape.normals.T
    lying_normals = np.stack([a, -c, b], axis=1)

    upright, parts = prepare.points(PointSample(shape.points, shape.normals, shape.colors, "y"))
    turned, turned_parts = prepare.points(PointSample(lying, lying_normals, shape.colors, "z"))

    assert np.abs(upright - turned).max() < 1e-5
    assert np.array_equal(parts, turned_parts)


def test_the_winding_of_faces_does_not_matter() -> None:
    shape = cloud()
    assert shape.normals is not None
    flipped = PointSample(shape.points, -shape.normals, shape.colors)

    assert np.array_equal(prepare.points(shape)[0], prepare.points(flipped)[0])


def test_a_bare_cloud_is_grey_and_without_normals() -> None:
    table, _ = prepare.points(PointSample(cloud().points))

    assert not table[:, 3:6].any()
    assert (table[:, 6:] == 0.5).all()


@pytest.mark.parametrize("count", [1, 5, 1_024, 5_000])
def test_any_number_of_points_will_do(count: int) -> None:
    table, parts = prepare.points(PointSample(cloud(count=count).points))

    assert table.shape == (1_024, 9)
    assert np.isfinite(table).all()
    assert parts.shape == (40, 25)
    assert 0 <= parts.min() <= parts.max() < 1_024


def test_case_and_fillers_do_not_matter_but_order_stays() -> None:
    assert np.array_equal(hash_words("A Dog in the House"), hash_words("dog house"))
    assert np.array_equal(hash_words("dog house")[::-1], hash_words("house dog"))


@pytest.mark.parametrize("text", ["", "   ", "!?", "the", "猫", "a" * 400, "word " * 500, "\ud800"])
def test_any_text_has_words(text: str) -> None:
    words = hash_words(text)

    assert len(words) >= 1
    assert words.shape[1] == MAX_PIECES
    assert (words[:, 0] > 0).all()
    assert words.max() < BUCKETS
