from __future__ import annotations

import logging
import os
import wave
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.previews.conftest import pixels
from unisearch.media.read import read
from unisearch.previews.make import Preview, PreviewOptions
from unisearch.previews.sketch import Sketch
from unisearch.records import ImageSample, Reading, ReadOptions


def sketched(path: Path, side: int = 200) -> list[Preview]:
    reading = read(path, ReadOptions(image_min_side=32, preview_side=side))
    sketch = Sketch(path, reading, PreviewOptions(side=side))
    for part in reading.parts:
        sketch.look(part)
    return sketch.make()


def test_overlapping_windows_of_a_sound_are_heard_once(tmp_path: Path) -> None:
    samples = np.zeros(32 * 8_000, np.int16)
    samples[16 * 8_000 : 17 * 8_000] = 20_000 * np.sin(np.arange(8_000))
    path = tmp_path / "one.wav"
    with wave.open(os.fspath(path), "wb") as file:
        file.setparams((1, 2, 8_000, 0, "NONE", ""))
        file.writeframes(samples.tobytes())

    [preview] = sketched(path)

    tall = (pixels(preview)[:32].sum(axis=2) > 200).sum(axis=0)
    loud = np.flatnonzero(tall > 6)
    assert 97 <= loud.min() <= loud.max() <= 109


def test_a_photograph_of_a_small_sample_has_a_sharp_preview(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    stripes = np.zeros((900, 1200, 3), np.uint8)
    stripes[:, ::24] = stripes[:, 1::24] = stripes[:, 2::24] = stripes[:, 3::24] = 255
    picture = Image.fromarray(stripes)
    exif = picture.getexif()
    exif[0x0112] = 6  # turned by a quarter
    picture.save(path, exif=exif, quality=95)

    [preview] = sketched(path, 240)

    shown = pixels(preview)
    assert shown.shape == (240, 180, 3)
    assert (np.diff(np.sign(shown[:, 70, 0] - shown[:, 70, 0].mean())) != 0).sum() >= 90


def test_a_transparent_picture_lies_on_grey(tmp_path: Path) -> None:
    path = tmp_path / "logo.png"
    Image.new("RGBA", (50, 40), (255, 0, 0, 0)).save(path)

    [preview] = sketched(path)

    assert np.abs(pixels(preview) - 128).max() <= 3


def test_the_beginning_of_a_text_is_shown_without_its_markup(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("<h1>Bread</h1><p>Flour &amp; <b>water</b>.</p>" + "<p>More.</p>" * 900)

    [preview] = sketched(path)

    text = preview.data.decode()
    assert text.startswith("Bread\nFlour & water.\nMore.\n")
    assert 950 < len(text) <= 1_000


def test_a_preview_that_fails_is_told_in_one_line_and_no_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken = ImageSample(np.zeros((0, 5, 3), np.uint8))
    sketch = Sketch(b"/media/\xff.png", Reading("image", [], preview=broken), PreviewOptions())

    with caplog.at_level(logging.DEBUG, "unisearch.previews"):
        assert sketch.make() == []

    assert sketch.failed
    [line] = [record.getMessage() for record in caplog.records]
    assert line.startswith("/media/\\xff.png: no preview: ")
    assert "\n" not in line


def test_nothing_is_made_of_a_reading_that_carries_nothing_to_show() -> None:
    assert Sketch(b"a", Reading("image", []), PreviewOptions()).make() == []
