"""What a filter can ask about: the table of fields, and how values of each kind are read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal

from unisearch.catalog.where_tree import Value
from unisearch.errors import UnknownName
from unisearch.records import MODALITIES

SIZES: dict[str, int | Decimal] = {"B": 1} | {
    f"{letter}{middle}B": base ** (power + 1)
    for middle, base in (("", 1000), ("i", 1024))
    for power, letter in enumerate("KMGT")
}
TIMES: dict[str, int | Decimal] = {"ms": Decimal("0.001"), "s": 1, "min": 60, "h": 3600}
TIMES |= {"d": 86400, "w": 7 * 86400, "y": 365 * 86400}
RATES: dict[str, int | Decimal] = {"Hz": 1, "kHz": 1000}

_NUMBER = re.compile(r"(\d+(?:\.\d+)?)\s?([a-z]*)", re.IGNORECASE | re.ASCII)
_DATE = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ](\d\d:\d\d)(:\d\d)?(Z|[+-]\d\d:\d\d)?)?)?)?", re.ASCII
)
_ORDER = ("=", "!=", "<", "<=", ">", ">=")


@dataclass(frozen=True)
class Kind:
    """What the values of a field are.

    shown: in words, for errors; operators: the first of them also serves `in`
    read: the value in the unit of the column; raises ValueError or UnknownName
    unit: what a bare number is followed by to be read as that value
    """

    shown: str
    operators: tuple[str, ...]
    read: Callable[[str], Value]
    unit: str = ""


@dataclass(frozen=True)
class Field:
    """A field: its kind, its column of items i or contents c, and what it means."""

    kind: Kind
    column: str
    meaning: str


def in_units(units: Mapping[str, int | Decimal], default: str | None) -> Callable[[str], Value]:
    """A reader of numbers with these units; without a default one the unit must be there."""
    known = {name.lower(): factor for name, factor in units.items()}

    def read(text: str) -> Value:
        found = _NUMBER.fullmatch(text)
        unit = (found[2] or default or "").lower() if found else ""
        if not found or unit not in known:
            raise ValueError
        value = Decimal(found[1]) * known[unit]
        if value >= 2**63:
            raise ValueError
        return int(value) if value == int(value) else float(value)

    return read


def read_number(text: str) -> Value:
    """A number without unit."""
    return in_units({"": 1}, "")(text)


def read_date(text: str) -> Value:
    """The text itself, once it is known to be a date."""
    span(text)
    return text


def span(text: str, default: tzinfo | None = None) -> tuple[int, int]:
    """The time that a date names, in nanoseconds since 1970: from the first to before the second.

    A year, a month, a day, a minute or a second; in the default zone, else in local time, when it
    names none. Raises ValueError.
    """
    found = _DATE.fullmatch(text)
    if not found:
        raise ValueError
    year, month, day, minute, second, zone = found.groups()
    clock = f"{minute or '00:00'}{second or ':00'}{zone or ''}"
    start = datetime.fromisoformat(f"{year}-{month or '01'}-{day or '01'}T{clock}")
    start = start if start.tzinfo else start.replace(tzinfo=default)
    if minute:
        end = start + timedelta(seconds=1 if second else 60)
    elif day:
        end = start + timedelta(days=1)
    else:
        months = start.year * 12 + start.month - 1 + (1 if month else 12)
        end = start.replace(year=months // 12, month=months % 12 + 1)
    return _nanoseconds(start), _nanoseconds(end)


def _nanoseconds(moment: datetime) -> int:
    """Since 1970, within what a column holds. Raises ValueError beyond what the system knows."""
    try:
        seconds = round(moment.timestamp())
    except (OverflowError, OSError) as error:
        raise ValueError from error
    return max(-(2**63), min(seconds * 10**9, 2**63 - 1))


def read_text(text: str) -> Value:
    """Words to look up."""
    if not re.search(r"[^\W_]", text):
        raise ValueError
    return unicodedata.normalize("NFC", text)


def read_name(text: str) -> Value:
    """A name or a pattern of one; every name would fit an empty one, and no tag is."""
    if not text:
        raise ValueError
    return text


def read_modality(text: str) -> Value:
    """One of the modalities."""
    if text.lower() not in MODALITIES:
        raise UnknownName("kind", text, MODALITIES)
    return text.lower()


BYTES = Kind("a size such as 10MB", _ORDER, in_units(SIZES, "B"))
SECONDS = Kind("a time such as 5, 90s or 1.5min", _ORDER, in_units(TIMES, "s"))
HERTZ = Kind("a rate such as 44100 or 44.1kHz", _ORDER, in_units(RATES, "Hz"))
NUMBER = Kind("a number", _ORDER, read_number)
DATE = Kind("a date such as 2024, 2024-05, 2024-05-31 or 2024-05-31T18:30", _ORDER, read_date)
AGE = Kind("a time with its unit, such as 30d", _ORDER[2:], in_units(TIMES, None), "s")
MODALITY = Kind("a kind of file", ("=", "!="), read_modality)
SUFFIX = Kind("a file extension", ("=", "!="), lambda text: text.removeprefix("."))
NAME = Kind("a name", ("=", "!=", ":"), read_name)
TAG = Kind("a tag", ("=",), read_name)
CLOCK = Kind(DATE.shown, _ORDER, read_date)
LABEL = Kind("a name", ("=", ":"), read_name)
TEXT = Kind("a word or a phrase", (":",), read_text)

#: The part of a path behind its last slash.
_NAME = "substr(i.display, length(rtrim(i.display, replace(i.display, '/', ''))) + 1)"

FIELDS = {
    "size": Field(BYTES, "c.size_bytes", "size of the file"),
    "duration": Field(SECONDS, "c.duration_s", "length of a sound or a video"),
    "width": Field(NUMBER, "c.width", "of a picture or a video, in pixels"),
    "height": Field(NUMBER, "c.height", "of a picture or a video, in pixels"),
    "rate": Field(HERTZ, "c.rate_hz", "samples per second of a sound"),
    "channels": Field(NUMBER, "c.channels", "of a sound"),
    "vertices": Field(NUMBER, "c.vertices", "of a 3D model; points of a cloud"),
    "faces": Field(NUMBER, "c.faces", "of a 3D model"),
    "chars": Field(NUMBER, "c.chars", "characters of a text"),
    "modified": Field(DATE, "i.mtime_ns", "when the file was last written"),
    "age": Field(AGE, "i.mtime_ns", "how long ago that was"),
    "taken": Field(CLOCK, "c.taken_s", "when a picture was taken, by its camera's clock"),
    "kind": Field(MODALITY, "c.modality", f"{', '.join(MODALITIES[:-1])} or {MODALITIES[-1]}"),
    "ext": Field(SUFFIX, "i.suffix", "file extension, with or without its dot"),
    "name": Field(NAME, _NAME, "file name with its extension"),
    "path": Field(NAME, "i.display", "path below the indexed folder"),
    "camera": Field(LABEL, "camera", "maker and model of a picture's camera"),
    "artist": Field(LABEL, "artist", "who made it, as the file says"),
    "album": Field(LABEL, "album", "of a sound"),
    "genre": Field(LABEL, "genre", "of a sound"),
    "title": Field(LABEL, "title", "title that the file carries"),
    "tag": Field(TAG, "", "a tag on the file, of a file beside it, or a keyword in it"),
    "text": Field(TEXT, "", "words in the name, tags, titles or passages, next to each other"),
}
#: What they are called elsewhere.
_ALSO = {
    "extension": "ext",
    "suffix": "ext",
    "modality": "kind",
    "type": "kind",
    "date": "modified",
}
_ALSO |= {"mtime": "modified", "length": "duration", "seconds": "duration", "points": "vertices"}


def unknown_field(name: str) -> str:
    """The error for a field that is not there; it names the nearest one."""
    meant = _ALSO.get(name)
    hint = f"unknown field '{name}'; did you mean '{meant}'?"
    return hint if meant else str(UnknownName("field", name, FIELDS))


def table() -> Iterator[tuple[str, str, str, str]]:
    """(field, operators, values, meaning) of each field, as the documentation shows them."""
    for name, field in FIELDS.items():
        yield name, " ".join(field.kind.operators), field.kind.shown, field.meaning
