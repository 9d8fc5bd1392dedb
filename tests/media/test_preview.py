"""What readers hand over for previews beside the sample, which must not change by it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from unisearch.media.read import read
from unisearch.records import ImageSample, ReadOptions, TextSample, TriangleMesh

PLAIN = ReadOptions(image_min_side=40, points=500)
WITH = ReadOptions(image_min_side=40, points=500, preview_side=300)


def photo(path: Path, size: tuple[int, int] = (1600, 1200), orientation: int = 1) -> Path:
    y, x = np.mgrid[: size[1], : size[0]]
    pixels = np.stack([x * 255 // size[0], y * 255 // size[1], (x // 9 + y // 9) % 2 * 255], -1)
    picture = Image.fromarray(pixels.astype(np.uint8))
    exif = picture.getexif()
    exif[ExifTags.Base.Orientation] = orientation
    picture.save(path, exif=exif)
    return path


def model(path: Path) -> Path:
    path.write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 2 3\nf 1 2 4\nf 2 3 4\nf 1 3 4\n")
    return path


def text(path: Path) -> Path:
    path.write_text("First line.\n\nSecond line.\n\n" + "More words. " * 5_000)
    return path


@pytest.mark.parametrize(
    ("name", "make"),
    [("a.jpg", photo), ("a.png", photo), ("a.tif", photo), ("a.obj", model), ("a.txt", text)],
)
def test_a_wanted_preview_changes_no_sample(
    name: str, make: Callable[[Path], Path], tmp_path: Path
) -> None:
    path = make(tmp_path / name)

    plain, wanted = read(path, PLAIN), read(path, WITH)

    assert plain.preview is None
    assert wanted.preview is not None
    for one, other in zip(plain.parts, wanted.parts, strict=True):
        for field in fields(one.sample):
            assert np.array_equal(
                getattr(one.sample, field.name), getattr(other.sample, field.name)
            )
    assert plain.facts == wanted.facts


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_the_picture_for_a_preview_is_upright_and_large_enough(
    suffix: str, orientation: int, tmp_path: Path
) -> None:
    path = photo(tmp_path / f"a.{suffix}", (1000, 500), orientation)

    reading = read(path, WITH)

    [part] = reading.parts
    shown, sample = reading.preview, part.sample
    assert isinstance(shown, ImageSample)
    assert isinstance(sample, ImageSample)
    height, width = shown.pixels.shape[:2]
    assert 300 * 0.75 <= max(height, width) < 2 * 300
    small = np.asarray(Image.fromarray(shown.pixels).resize(sample.pixels.shape[1::-1], 4))
    assert np.abs(small.astype(float) - sample.pixels)[..., :2].mean() < 4


def test_a_small_picture_is_handed_over_whole(tmp_path: Path) -> None:
    shown = read(photo(tmp_path / "a.jpg", (120, 90)), WITH).preview

    assert isinstance(shown, ImageSample)
    assert shown.pixels.shape == (90, 120, 3)


def test_the_whole_surface_of_a_model_is_handed_over(tmp_path: Path) -> None:
    shape = read(model(tmp_path / "a.obj"), WITH).preview

    assert isinstance(shape, TriangleMesh)
    assert len(shape.faces) == 4


def test_the_beginning_of_a_text_is_handed_over_in_lines(tmp_path: Path) -> None:
    shown = read(text(tmp_path / "a.txt"), WITH).preview

    assert isinstance(shown, TextSample)
    assert shown.text.startswith("First line.\nSecond line.\nMore words.")
    assert 2_000 < len(shown.text) <= 4_100
