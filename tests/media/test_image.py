"""Pictures: upright, flat, as small as asked, never too large."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from unisearch.errors import Unreadable
from unisearch.media.image import image_sample
from unisearch.media.read import read
from unisearch.records import ImageSample, Reading, ReadOptions

OPTIONS = ReadOptions(image_min_side=32)


def pixels(reading: Reading) -> np.ndarray:
    [part] = reading.parts
    assert isinstance(part.sample, ImageSample)
    assert part.sample.pixels.dtype == np.uint8
    assert part.sample.pixels.shape[2] == 3
    return part.sample.pixels


def red_corner(height: int = 40, width: int = 60) -> Image.Image:
    """White with a red upper left quarter."""
    array = np.full((height, width, 3), 255, dtype=np.uint8)
    array[: height // 2, : width // 2, 1:] = 0
    return Image.fromarray(array)


def test_a_picture_keeps_its_pixels_and_tells_its_size(tmp_path: Path) -> None:
    picture = red_corner()
    picture.save(tmp_path / "a.png")

    reading = read(tmp_path / "a.png")

    np.testing.assert_array_equal(pixels(reading), np.asarray(picture))
    assert reading.facts == {"width": 60, "height": 40}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_is_turned_upright(orientation: int, tmp_path: Path) -> None:
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    upright = red_corner()
    stored = upright.transpose(undo[orientation]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    stored.save(tmp_path / "a.jpg", exif=exif, quality=95)

    reading = read(tmp_path / "a.jpg")

    shown = pixels(reading)
    assert shown.shape == (40, 60, 3)
    assert reading.facts == {"width": 60, "height": 40}
    np.testing.assert_allclose(shown[10, 15], [255, 0, 0], atol=12)
    np.testing.assert_allclose(shown[30, 45], [255, 255, 255], atol=12)


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif"])
def test_pictures_of_every_format_are_turned_once(suffix: str, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    stored = red_corner().transpose(Image.Transpose.ROTATE_90)
    stored.save(tmp_path / f"a{suffix}", exif=exif)

    reading = read(tmp_path / f"a{suffix}")

    assert reading.facts == {"width": 60, "height": 40}
    assert pixels(reading).shape == (40, 60, 3)
    np.testing.assert_allclose(pixels(reading)[10, 15], [255, 0, 0], atol=12)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_a_large_picture_shrinks_but_not_below_the_wanted_side(suffix: str, tmp_path: Path) -> None:
    red_corner(400, 1000).save(tmp_path / f"a{suffix}")

    reading = read(tmp_path / f"a{suffix}", ReadOptions(image_min_side=96))

    height, width = pixels(reading).shape[:2]
    assert 96 <= height < 192
    assert width == pytest.approx(height * 2.5, abs=3)
    assert reading.facts == {"width": 1000, "height": 400}


def test_a_small_picture_is_not_enlarged(tmp_path: Path) -> None:
    Image.new("RGB", (7, 3)).save(tmp_path / "a.png")

    assert pixels(read(tmp_path / "a.png")).shape == (3, 7, 3)


def test_transparency_shows_neutral_grey(tmp_path: Path) -> None:
    layer = Image.new("RGBA", (40, 40), (255, 0, 0, 0))
    layer.paste((0, 255, 0, 255), (0, 0, 20, 40))
    layer.save(tmp_path / "rgba.png")
    layer.convert("LA").save(tmp_path / "la.png")
    palette = Image.new("P", (40, 40), 1)
    palette.putpalette([0, 0, 255, 255, 0, 0])
    palette.save(tmp_path / "palette.png", transparency=1)

    for name in ("rgba.png", "la.png", "palette.png"):
        np.testing.assert_allclose(pixels(read(tmp_path / name))[20, 30], [128] * 3, atol=1)
    np.testing.assert_array_equal(pixels(read(tmp_path / "rgba.png"))[20, 10], [0, 255, 0])


def test_sixteen_bits_cmyk_palette_and_bilevel_become_rgb(tmp_path: Path) -> None:
    deep = np.full((40, 40), 0x8000, dtype=np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    Image.fromarray(np.full((40, 40), 0.5, dtype=np.float32)).save(tmp_path / "float.tif")
    Image.new("CMYK", (40, 40), (0, 255, 255, 0)).save(tmp_path / "cmyk.jpg", quality=95)
    red_corner(40, 40).quantize(4).save(tmp_path / "palette.gif")
    Image.new("1", (40, 40), 1).save(tmp_path / "bilevel.tif")

    seen = {path.stem: pixels(read(path))[5, 5] for path in tmp_path.iterdir()}

    np.testing.assert_allclose(seen["deep"], [128] * 3, atol=1)
    np.testing.assert_allclose(seen["float"], [128] * 3, atol=1)
    np.testing.assert_allclose(seen["cmyk"], [255, 0, 0], atol=12)
    np.testing.assert_allclose(seen["palette"], [255, 0, 0], atol=12)
    np.testing.assert_array_equal(seen["bilevel"], [255] * 3)


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png", "a.tif"])
def test_an_animation_shows_its_first_frame(name: str, tmp_path: Path) -> None:
    frames = [Image.new("RGB", (40, 40), color) for color in ((255, 0, 0), (0, 0, 255))]
    frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])

    np.testing.assert_allclose(pixels(read(tmp_path / name))[20, 20], [255, 0, 0], atol=8)


def test_a_picture_that_ends_early_is_damaged(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    for name in ("a.jpg", "a.png", "a.webp", "a.gif", "a.tif", "a.heic", "a.avif"):
        path = tmp_path / name
        Image.fromarray(noise).save(path, format={".heic": "HEIF"}.get(path.suffix))
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])

        with pytest.raises(Unreadable) as caught:
            read(path)

        assert caught.value.kind == "corrupt", name


def test_a_picture_in_memory_is_prepared_like_its_file(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    red_corner(400, 600).save(tmp_path / "turned.jpg", exif=exif)
    layer = Image.new("RGBA", (400, 300), (0, 255, 0, 0))
    layer.paste((255, 0, 0, 255), (0, 0, 100, 100))
    layer.save(tmp_path / "clear.png")

    for path in tmp_path.iterdir():
        with Image.open(path) as held:
            held.load()
            sample = image_sample(held, 100)
        kept = pixels(read(path, ReadOptions(image_min_side=100)))
        assert sample.pixels.shape == kept.shape
        # A JPEG is decoded at a smaller scale when it comes from a file: edges differ a little.
        assert np.abs(sample.pixels.astype(int) - kept).mean() < 0.5


def test_a_picture_of_the_caller_is_left_as_it_was(tmp_path: Path) -> None:
    red_corner(400, 600).save(tmp_path / "a.jpg")

    with Image.open(tmp_path / "a.jpg") as held:
        sample = image_sample(held, 100)

        assert held.size == (600, 400)
        assert held.info["jfif_version"]
    assert sample.pixels.shape == (100, 150, 3)


def test_a_picture_without_pixels_is_refused() -> None:
    with pytest.raises(ValueError, match="no pixels"):
        image_sample(Image.new("RGB", (0, 5)), 10)


def test_what_is_no_picture_is_told_in_words_for_people(tmp_path: Path) -> None:
    (tmp_path / "noise.jpg").write_bytes(b"no picture at all, but words")
    (tmp_path / "cut.jpg").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(3))

    reasons = {}
    for path in tmp_path.iterdir():
        with pytest.raises(Unreadable) as caught:
            read(path)
        reasons[path.name] = (caught.value.kind, caught.value.reason)

    assert reasons == {
        "noise.jpg": ("corrupt", "damaged or not a picture: no known picture format"),
        "cut.jpg": ("corrupt", "begins like a PNG picture, but its header is damaged"),
    }


def png_header(width: int, height: int) -> bytes:
    """A PNG that declares a size and holds almost nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(100))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [10_001, 14_143, 60_000])
def test_a_picture_of_too_many_pixels_is_refused_from_its_header(
    side: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.png").write_bytes(png_header(side, side))
    monkeypatch.setattr(Image.Image, "load", lambda *_: pytest.fail("decoded"))

    with pytest.raises(Unreadable, match="limit") as caught:
        read(tmp_path / "a.png")

    assert caught.value.kind == "too_large"


def test_pillows_own_limit_is_left_as_it_was(tmp_path: Path) -> None:
    before = Image.MAX_IMAGE_PIXELS
    red_corner().save(tmp_path / "a.png")

    read(tmp_path / "a.png", ReadOptions(max_pixels=5000))

    assert before == Image.MAX_IMAGE_PIXELS


def test_title_and_description_are_found(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = "Harbour at dawn"
    exif[ExifTags.Base.XPTitle] = "Boote\0".encode("utf-16-le")
    red_corner().save(tmp_path / "a.jpg", exif=exif)

    assert read(tmp_path / "a.jpg").words == "Harbour at dawn Boote"


def test_a_picture_under_another_pictures_suffix_is_still_a_picture(tmp_path: Path) -> None:
    red_corner().save(tmp_path / "a.jpg", format="PNG")

    assert pixels(read(tmp_path / "a.jpg")).shape == (40, 60, 3)


def test_a_shrunk_picture_looks_like_the_whole_one(tmp_path: Path) -> None:
    rows, columns = np.mgrid[0:1200, 0:1600] / 100
    waves = np.stack([np.sin(rows), np.cos(columns), np.sin(rows * columns / 3)], axis=2)
    Image.fromarray((waves * 127 + 128).astype(np.uint8)).save(tmp_path / "a.jpg", quality=90)

    small = Image.fromarray(pixels(read(tmp_path / "a.jpg", ReadOptions(image_min_side=192))))

    with Image.open(tmp_path / "a.jpg") as whole:
        wanted = np.asarray(whole.resize((96, 72), Image.Resampling.BICUBIC), dtype=np.float64)
    found = np.asarray(small.resize((96, 72), Image.Resampling.BICUBIC), dtype=np.float64)
    wanted, found = wanted.ravel() - 128, found.ravel() - 128
    cosine = wanted @ found / np.linalg.norm(wanted) / np.linalg.norm(found)
    assert cosine >= 0.999
