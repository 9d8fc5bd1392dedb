"""The list of hits that a search gives; a notebook shows it with pictures and players."""

from __future__ import annotations

import base64
import html
import mimetypes
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol, SupportsIndex, overload

from unisearch.errors import UnisearchError, display
from unisearch.records import Hit

#: A notebook keeps what it shows: so many hits, and sounds of so many bytes each and in all.
MOST_SHOWN, MOST_SOUND_BYTES, MOST_BYTES = 50, 2_000_000, 20_000_000

_CARD = "width:14em;margin:0 1em 1em 0;overflow-wrap:anywhere;font-size:85%"
_MEDIA = "display:block;width:100%;max-height:14em;object-fit:contain"


class Media(Protocol):
    """Where pictures and sounds of hits come from; None for what there is not."""

    def picture(self, hit: Hit) -> bytes | None:
        """The still preview of a hit, WebP."""

    def sound(self, hit: Hit, most_bytes: int) -> bytes | None:
        """The file of a hit that is a sound, unless it is larger."""


class Hits(list[Hit]):
    """Hits, best first. In a notebook they show themselves.

    media: asked for pictures and sounds when they are shown; without it only words are
    """

    def __init__(self, hits: Iterable[Hit] = (), media: Media | None = None) -> None:
        super().__init__(hits)
        self._media = media

    @overload
    def __getitem__(self, at: SupportsIndex) -> Hit: ...
    @overload
    def __getitem__(self, at: slice) -> Hits: ...
    def __getitem__(self, at: Any) -> Hit | Hits:
        """A hit, or some of them, which show themselves as well."""
        taken = super().__getitem__(at)
        return Hits(taken, self._media) if isinstance(at, slice) else taken

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and pickles hold the hits alone."""
        return Hits, (list(self),)

    def _repr_html_(self) -> str:
        """Cards of the hits, complete in themselves: pictures and sounds are data URIs."""
        cards, left = [], MOST_BYTES
        for hit in self[:MOST_SHOWN]:
            shown = self._shown(hit, left)
            left -= len(shown)
            cards.append(card(hit, shown))
        rest = len(self) - MOST_SHOWN
        more = f"<p>and {rest:,} more</p>" if rest > 0 else ""
        inside = "".join(cards) if cards else "<p>nothing found</p>"
        return f'<div style="display:flex;flex-wrap:wrap">{inside}</div>{more}'

    def _shown(self, hit: Hit, left: int) -> str:
        """The picture and the player of a hit; nothing where its library is out of reach."""
        if self._media is None:
            return ""
        try:
            picture = self._media.picture(hit)
            most = min(MOST_SOUND_BYTES, left)
            sound = self._media.sound(hit, most) if hit.modality == "audio" else None
        except (UnisearchError, OSError):
            return ""
        made = ""
        if picture is not None and len(picture) <= left:
            made = f'<img alt="" style="{_MEDIA}" src="{data_uri(picture, "image/webp")}">'
        if sound is not None:
            source = data_uri(sound, sound_type(hit.path))
            made += f'<audio controls preload="none" style="width:100%" src="{source}"></audio>'
        return made


def card(hit: Hit, shown: str) -> str:
    """One hit as HTML; names and passages are escaped. shown: HTML of its picture."""
    path = display(hit.path)
    name = html.escape(path.rpartition("/")[2])
    times = "" if hit.start_s is None else f" · {hit.start_s:g}-{hit.end_s or 0:g} s"
    mark = " · weak" if hit.weak else ""
    facts = html.escape(f"{hit.rank}. {hit.modality} · {hit.score:.2f}{times}{mark}")
    passage = f"<blockquote>{html.escape(hit.text)}</blockquote>" if hit.text else ""
    faint = ";opacity:0.6" if hit.weak else ""
    return (
        f'<figure style="{_CARD}{faint}">{shown}<figcaption title="{html.escape(path)}">'
        f"<b>{name}</b><br>{facts}{passage}</figcaption></figure>"
    )


def data_uri(content: bytes, kind: str) -> str:
    """The content as an address that needs nothing else."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def sound_type(path: bytes) -> str:
    """The media type of a sound by its name, of a known table; browsers look for themselves."""
    guessed = mimetypes.types_map.get(Path(os.fsdecode(path)).suffix.lower(), "")
    return guessed if guessed.startswith("audio/") else "audio/mpeg"
