"""Keeps libtiff from writing to stderr, where it names no file; Pillow raises what went wrong."""

from __future__ import annotations

import ctypes
import logging
from pathlib import Path

import PIL
from PIL import _imaging  # noqa: F401  (loads the library)

logger = logging.getLogger(__name__)

#: Where wheels of Pillow keep it: on Linux and on macOS.
_PLACES = ("../pillow.libs/libtiff*", ".dylibs/libtiff*")


def hush() -> None:
    """Take the handlers of its messages away; where the system brings the library, they stay."""
    folder = Path(PIL.__file__).parent
    for found in (path for place in _PLACES for path in folder.glob(place)):
        try:
            library = ctypes.CDLL(str(found))
            for name in ("TIFFSetErrorHandler", "TIFFSetWarningHandler"):
                setter = getattr(library, name)
                setter.restype, setter.argtypes = ctypes.c_void_p, (ctypes.c_void_p,)
                setter(None)
        except (OSError, AttributeError) as error:
            logger.debug("libtiff keeps its messages: %s", error)
