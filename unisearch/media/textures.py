"""Which pictures may be opened as textures: a library that asks for any format gets these."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from PIL import Image
from PIL.ImageFile import ImageFile

from unisearch.media import image

#: What pictures may be, and TGA, which has no signature and so is tried last.
FORMATS = (*image.FORMATS, "TGA")

_restricted: ContextVar[bool] = ContextVar("_restricted", default=False)
_open_any = Image.open


@contextmanager
def known_formats_only() -> Iterator[None]:
    """Inside, Pillow tries FORMATS and no other, for this thread.

    trimesh opens textures as whatever they are, and Pillow hands PostScript to Ghostscript.
    """
    token = _restricted.set(True)
    try:
        yield
    finally:
        _restricted.reset(token)


def _open(fp: Any, mode: Any = "r", formats: Sequence[str] | None = None) -> ImageFile:
    if formats is None and _restricted.get():
        formats = FORMATS
    return _open_any(fp, mode, None if formats is None else tuple(formats))


# trimesh has no setting for it and looks the function up here whenever it opens a texture.
Image.open = _open
