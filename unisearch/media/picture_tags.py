"""What a picture says of itself: in EXIF, IPTC, XMP and the texts of PNG."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from lxml import etree  # type: ignore[import-untyped]
from PIL import ExifTags, Image, ImageFile, IptcImagePlugin

from unisearch.media.tags import clean, labels_of, words_of

logger = logging.getLogger(__name__)

_BASE = ExifTags.Base
_XP_TEXTS = (_BASE.XPTitle, _BASE.XPSubject, _BASE.XPComment)
_DATES = (_BASE.DateTimeOriginal, _BASE.DateTimeDigitized)
#: IPTC-NAA IIM 4.2: dataset 90 of record 1 names the coding; of record 2 object name, headline,
#: caption, keywords, by-line.
_IPTC_CODING, _UTF8 = (1, 90), b"\x1b%G"
_IPTC_TITLE, _IPTC_HEADLINE, _IPTC_CAPTION = (2, 5), (2, 105), (2, 120)
_IPTC_KEYWORDS, _IPTC_AUTHOR = (2, 25), (2, 80)
_XMP_TAG = 700  # of TIFF
_MOST_XMP_BYTES = 1 << 20
_DC, _RDF = "{http://purl.org/dc/elements/1.1/}", "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"


@dataclass(frozen=True)
class PictureTags:
    """words: titles, descriptions and keywords; labels: by name of LABELS; taken_s: see FACTS."""

    words: str = ""
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    taken_s: float | None = None


def picture_tags(image: Image.Image) -> PictureTags:
    """The tags of an open picture, best before it is decoded. What is damaged is left out."""
    found: dict[str, list[Any]] = {"title": [], "text": [], "keyword": [], "artist": []}
    taken_s, camera = None, ""
    for read in (_exif, _iptc, _xmp, _png):
        try:
            for name, value in read(image):
                found[name].append(value)
        except MemoryError:
            raise
        except Exception as error:  # the picture is whole; it counts without them
            logger.debug("%s left out: %s: %s", read.__name__, type(error).__name__, error)
    try:
        taken_s, camera = taken(image), _camera(image)
    except (ValueError, TypeError, KeyError, OSError, SyntaxError, EOFError) as error:
        logger.debug("EXIF left out: %s", error)
    words = words_of(found["title"] + found["text"] + found["keyword"] + found["artist"])
    named = {name: found[name] for name in ("title", "keyword", "artist")}
    return PictureTags(words, labels_of({**named, "camera": [camera]}), taken_s)


def taken(image: Image.Image) -> float | None:
    """When it was taken by the clock of the camera, in seconds as if that clock showed UTC."""
    inner = image.getexif().get_ifd(ExifTags.IFD.Exif)
    for tag in _DATES:
        text = str(inner.get(tag, "")).strip("\0 ")
        try:  # EXIF 2.32, 4.6.5: 'YYYY:MM:DD HH:MM:SS'
            moment = datetime.strptime(text[:19], "%Y:%m:%d %H:%M:%S")
        except ValueError:
            continue
        return moment.replace(tzinfo=UTC).timestamp()
    return None


def _camera(image: Image.Image) -> str:
    """Maker and model, where the model does not begin with its maker itself."""
    exif = image.getexif()
    maker, model = clean(exif.get(_BASE.Make)), clean(exif.get(_BASE.Model))
    first = maker.split(" ")[0].lower()
    return model if model.lower().startswith(first) else f"{maker} {model}".strip()


def _exif(image: Image.Image) -> Iterator[tuple[str, Any]]:
    exif = image.getexif()
    yield "title", exif.get(_BASE.DocumentName)
    yield "text", exif.get(_BASE.ImageDescription)
    yield "artist", exif.get(_BASE.Artist)
    for tag in _XP_TEXTS:
        yield "text", _utf16(exif.get(tag))
    for keyword in (_utf16(exif.get(_BASE.XPKeywords)) or "").split(";"):
        yield "keyword", keyword
    yield "text", _comment(exif.get_ifd(ExifTags.IFD.Exif).get(_BASE.UserComment))


def _comment(value: object) -> str | None:
    """EXIF 2.32, 4.6.5: eight bytes name the coding of a user's comment."""
    if not isinstance(value, bytes):
        return None
    coding, text = value[:8].rstrip(b"\0"), value[8:]
    if coding == b"UNICODE":
        return text.decode(
            "utf-16" if text[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-16-le", "ignore"
        )
    return text.decode("ascii", "ignore") if coding == b"ASCII" else None


def _iptc(image: Image.Image) -> Iterator[tuple[str, Any]]:
    if not isinstance(image, ImageFile.ImageFile):
        return
    info = IptcImagePlugin.getiptcinfo(image) or {}
    coding = "utf-8" if info.get(_IPTC_CODING) == _UTF8 else "latin-1"
    names = {
        _IPTC_TITLE: "title",
        _IPTC_HEADLINE: "title",
        _IPTC_CAPTION: "text",
        _IPTC_KEYWORDS: "keyword",
        _IPTC_AUTHOR: "artist",
    }
    for key, name in names.items():
        values = info.get(key, ())
        for value in [values] if isinstance(values, bytes) else values:
            yield name, value.decode(coding, "replace")


def _xmp(image: Image.Image) -> Iterator[tuple[str, Any]]:
    packet = _packet(image)
    if not packet or len(packet) > _MOST_XMP_BYTES:
        return
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    root = etree.fromstring(packet.strip(b"\0 \r\n\t"), parser)
    names = {"title": "title", "description": "text", "subject": "keyword", "creator": "artist"}
    for element, name in names.items():
        for found in root.iter(_DC + element):
            for item in found.iter(_RDF + "li"):
                yield name, item.text


def _packet(image: Image.Image) -> bytes:
    found = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
    if found is None and image.format == "TIFF":
        found = image.getexif().get(_XMP_TAG)
    return found.encode() if isinstance(found, str) else bytes(found or b"")


def _png(image: Image.Image) -> Iterator[tuple[str, Any]]:
    """The keywords that the standard registers (PNG 1.2, 11.3.4.2)."""
    if image.format == "PNG":
        image.load()  # some stand behind the pixels
    names = {"Title": "title", "Description": "text", "Author": "artist", "Comment": "text"}
    for key, name in names.items():
        yield name, image.info.get(key)


def _utf16(value: object) -> str | None:
    return value.decode("utf-16-le", "ignore") if isinstance(value, bytes) else None
