"""Previews of hits as pictures in the terminal.

Sources of the forms: https://sw.kovidgoyal.net/kitty/graphics-protocol/ and
https://iterm2.com/documentation-images.html
"""

from __future__ import annotations

import base64
import io
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from unisearch.cli.show import short
from unisearch.errors import UnisearchError
from unisearch.records import Hit

#: Pictures are this many lines high.
LINES = 8
#: Bytes of base64 in one escape sequence of kitty, at most.
CHUNK = 4_096


def protocol(environment: Mapping[str, str]) -> str | None:
    """'kitty' or 'iterm2', whichever the terminal understands; None for neither.

    A multiplexer swallows pictures, whatever the terminal around it can.
    """
    if environment.get("TMUX") or environment.get("STY"):
        return None
    program = environment.get("TERM_PROGRAM", "")
    kitty = "KITTY_WINDOW_ID" in environment or environment.get("TERM") == "xterm-kitty"
    if kitty or program == "ghostty":
        return "kitty"
    if program in ("iTerm.app", "WezTerm") or environment.get("LC_TERMINAL") == "iTerm2":
        return "iterm2"
    return None


def show_pictures(library: Path, hits: Sequence[Hit]) -> None:
    """Print the still previews of hits with their ranks; say on stderr where that cannot be."""
    how = protocol(os.environ) if sys.stdout.isatty() else None
    if how is None:
        place = "this terminal" if sys.stdout.isatty() else "stdout is no terminal and"
        print(
            f"unisearch: hint: {place} shows no pictures; kitty, Ghostty, WezTerm and iTerm2 do",
            file=sys.stderr,
        )
        return
    draw = kitty if how == "kitty" else iterm2
    for hit, picture in stills(library, hits):
        print(f"{hit.rank}. {short(hit.path)}")
        print(draw(png(picture)), flush=True)


def stills(library: Path, hits: Sequence[Hit]) -> Iterator[tuple[Hit, bytes]]:
    """The hits that have a still preview, and it, WebP."""
    from unisearch.catalog.open import Catalog
    from unisearch.engine.hit_media import preview_of
    from unisearch.wiring import CATALOG_FILE

    catalog = Catalog.open(library / CATALOG_FILE)
    try:
        for hit in hits:
            picture = preview_of(catalog, library, hit.item, "still")
            if picture is not None:
                yield hit, picture
    except (OSError, UnisearchError) as error:
        print(f"unisearch: no more pictures: {error}", file=sys.stderr)
    finally:
        catalog.close()


def png(picture: bytes) -> bytes:
    """A picture of ours as PNG, which both protocols take."""
    from PIL import Image

    file = io.BytesIO()
    with Image.open(io.BytesIO(picture)) as image:
        image.convert("RGB").save(file, "PNG")
    return file.getvalue()


def kitty(picture: bytes) -> str:
    """The PNG in escape sequences of at most CHUNK bytes; all but the last say m=1."""
    data = base64.b64encode(picture).decode()
    pieces = [data[at : at + CHUNK] for at in range(0, len(data), CHUNK)]
    told = []
    for place, piece in enumerate(pieces):
        more = int(place < len(pieces) - 1)
        # q=2: the terminal answers nothing, for nobody would read it.
        keys = f"a=T,f=100,r={LINES},q=2,m={more}" if place == 0 else f"m={more}"
        told.append(f"\x1b_G{keys};{piece}\x1b\\")
    return "".join(told)


def iterm2(picture: bytes) -> str:
    """The PNG in one escape sequence."""
    data = base64.b64encode(picture).decode()
    keys = f"inline=1;height={LINES};preserveAspectRatio=1;size={len(picture)}"
    return f"\x1b]1337;File={keys}:{data}\x07"
