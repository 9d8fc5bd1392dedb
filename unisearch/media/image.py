"""Pictures in, upright sRGB pixels out, no larger than needed."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pillow_heif
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from unisearch.errors import UnisearchError, Unreadable, display
from unisearch.media import libtiff
from unisearch.media.damage import Damage, announced, damage
from unisearch.media.files import opened
from unisearch.media.picture_tags import picture_tags
from unisearch.media.signature import PICTURE
from unisearch.records import ImageSample, Part, Reading, ReadOptions

logger = logging.getLogger(__name__)

pillow_heif.register_heif_opener()
libtiff.hush()

#: Pillow knows many more formats, some of which run other programs: only these are ever tried.
FORMATS = ("JPEG", "PNG", "GIF", "BMP", "DIB", "TIFF", "WEBP", "AVIF", "HEIF", "JPEG2000", "PPM")

#: What shows through where a picture is transparent.
BACKGROUND = (128, 128, 128)

#: How Pillow speaks of pictures that are not whole, and of those that it has no decoder for.
_EARLY = re.compile(r"truncated|only got|EOF|not enough image data", re.IGNORECASE)
_UNKNOWN = re.compile(r"unsupported|not implemented|unknown compression", re.IGNORECASE)

_TURNED = (5, 6, 7, 8)  # EXIF orientations that swap width and height


def read_image(path: Path, options: ReadOptions) -> Reading:
    """One part: the first frame, upright; width and height are those of the whole picture.

    Raises Unreadable: too_large from the header alone, before a pixel is decoded; a picture
    that ends early is damaged as a whole.
    """
    with (
        opened(path, options.max_file_bytes) as file,
        _in_our_words(path),
        _pixel_cap(path, options.max_pixels),
        _identified(path, file) as image,
    ):
        width, height = image.size
        _check_pixels(path, width, height, options.max_pixels)
        tags = picture_tags(image)
        _draft(image, options.image_min_side)
        decoded = max(image.size)
        sample, preview = _samples(image, options.image_min_side, options.preview_side)
        if preview is not None and decoded < 0.75 * min(options.preview_side, max(width, height)):
            preview = _again(path, file, options.preview_side, preview)
        if image.format == "TIFF":  # Pillow has turned it while decoding
            width, height = image.size
        elif image.getexif().get(ExifTags.Base.Orientation) in _TURNED:
            width, height = height, width
    facts: dict[str, float | int] = {"width": width, "height": height}
    if tags.taken_s is not None:
        facts["taken_s"] = tags.taken_s
    return Reading("image", [Part(sample)], facts, tags.words, labels=tags.labels, preview=preview)


def _identified(path: Path, file: BinaryIO) -> Image.Image:
    """The open picture, its header read; Pillow's own words would name Python's objects."""
    try:
        return Image.open(file, formats=FORMATS)
    except UnidentifiedImageError as error:
        found = announced(path)
        if found and found.kind == PICTURE:
            reason = f"begins like {found.name}, but its header is damaged"
        else:
            reason = damage(path, PICTURE, "no known picture format")
        raise Unreadable(path, "corrupt", reason) from error


@contextmanager
def _in_our_words(path: Path) -> Iterator[None]:
    """Pillow's many words for damage as one of three reasons."""
    try:
        yield
    except (UnisearchError, MemoryError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of the system
        text = str(error)
        if _UNKNOWN.search(text):
            reason = "it is stored in a variant of its format that nothing here decodes"
            raise Unreadable(path, "unsupported", reason) from error
        early = _EARLY.search(text)
        raise Damage("the picture ends early" if early else "its data is damaged") from error


def image_sample(image: Image.Image, min_side: int) -> ImageSample:
    """An open picture as pixels: upright by EXIF, transparent parts on neutral grey, as sRGB.

    min_side: the short side stays at or above it; smaller pictures keep their size, nothing is
    ever enlarged
    For pictures from files and from memory alike; the picture itself is left as it was.
    Raises ValueError for a picture without pixels, OSError for one that cannot be decoded.
    """
    return _samples(image, min_side)[0]


def _samples(
    image: Image.Image, min_side: int, preview_side: int = 0
) -> tuple[ImageSample, ImageSample | None]:
    """As image_sample, and the same picture with its long side at or above preview_side, if any."""
    if not min(image.size):
        raise ValueError("the picture has no pixels")
    flat = _flattened(image)
    orientation = image.getexif().get(ExifTags.Base.Orientation, 1)  # decoding a TIFF turns it
    sample = _reduced(flat, min(flat.size) // min_side, orientation)
    if not preview_side:
        return sample, None
    return sample, _reduced(flat, max(flat.size) // preview_side, orientation)


def _reduced(flat: Image.Image, factor: int, orientation: int) -> ImageSample:
    if factor > 1:
        flat = flat.reduce(factor)
    flat.info = {}
    return ImageSample(np.ascontiguousarray(_upright(flat, orientation)))


def _again(path: Path, file: BinaryIO, side: int, before: ImageSample) -> ImageSample:
    """The picture decoded once more, at more pixels than the sample needed; only JPEG has fewer.

    before: what there is when that fails; no file fails for its preview
    """
    try:
        file.seek(0)
        with _identified(path, file) as image:
            short_side = max(1, round(side * min(image.size) / max(image.size)))
            _draft(image, short_side)
            return image_sample(image, short_side)
    except Exception as error:
        logger.debug("%s: no larger preview: %s", display(path), error)
        return before


def _draft(image: Image.Image, min_side: int) -> None:
    """Asks for fewer pixels before they are decoded; JPEG alone can: a half, a quarter, an eighth.

    Changes the picture, so it is for those that we opened ourselves.
    """
    scale = min_side / min(image.size)
    if scale < 1.0:
        image.draft(None, (round(image.width * scale + 0.5), round(image.height * scale + 0.5)))


def _upright(flat: Image.Image, orientation: int) -> Image.Image:
    if orientation in (None, 1):
        return flat
    flat.getexif()[ExifTags.Base.Orientation] = orientation
    return ImageOps.exif_transpose(flat)


def _flattened(image: Image.Image) -> Image.Image:
    """Any mode as RGB, 8 bits, without transparency."""
    if image.mode.startswith("I") or image.mode == "F":
        return _from_deep(image)
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        below = Image.new("RGBA", layer.size, (*BACKGROUND, 255))
        return Image.alpha_composite(below, layer).convert("RGB")
    return image.convert("RGB")


def _from_deep(image: Image.Image) -> Image.Image:
    """Grey of 16 or 32 bits or floating point, whose values Pillow would cut off at 255.

    16 bits keep their scale; other ranges have no agreed white, so theirs is stretched.
    """
    values = np.nan_to_num(np.asarray(image, dtype=np.float64))
    low, high = 0.0, 65535.0
    if image.mode == "F" or values.max(initial=0) > high or values.min(initial=0) < 0:
        low, high = float(values.min()), float(values.max())
        if image.mode == "F" and low >= 0 and high <= 1:
            low, high = 0.0, 1.0
    grey = (values - low) / max(high - low, np.finfo(np.float64).tiny) * 255.0
    return Image.fromarray(np.rint(grey).astype(np.uint8), "L").convert("RGB")


def _check_pixels(path: Path, width: int, height: int, limit: int) -> None:
    if width * height > limit:
        reason = f"{width} x {height} pixels, the limit is {limit:,}"
        raise Unreadable(path, "too_large", reason)


@contextmanager
def _pixel_cap(path: Path, limit: int) -> Iterator[None]:
    """Pillow's own guard against decompression bombs, at our limit and as an error.

    Pillow keeps the limit in one global; it is put back for whoever else uses Pillow here.
    """
    before = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = limit
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of damage, which is told once, by the error
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        reason = f"more pixels than the limit of {limit:,}"
        raise Unreadable(path, "too_large", reason) from error
    finally:
        Image.MAX_IMAGE_PIXELS = before
