"""The corpus as it lies on disk: zips with a table each, read in place.

A folder holds emoji.zip, emoji_flat.zip, recordings.zip, models.zip and furniture.zip with a
tab-separated table of the same name, and sounds.zip and fbx.zip whose file names say what they
are. docs/starter.md names the address of every source.
"""

from __future__ import annotations

import csv
import fnmatch
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import Literal

from unisearch.errors import UsageError
from unisearch.training.disk import put

Kind = Literal["emoji", "emoji_flat", "furniture", "models", "fbx", "recordings", "sounds"]
KINDS: tuple[Kind, ...] = (
    "emoji", "emoji_flat", "furniture", "models", "fbx", "recordings", "sounds",
)  # fmt: skip
#: Models: their readers want files in folders.
SOLID: tuple[Kind, ...] = ("furniture", "models", "fbx")


@dataclass(frozen=True)
class Item:
    """One named thing of the corpus.

    member: its file in the zip; icon: the picture of a furniture model, else empty
    name: what its table calls it; concept: what a recording is of (labels.tsv), else empty
    credit: 'licence; author; source' where the table has them
    """

    kind: Kind
    member: str
    name: str
    keywords: tuple[str, ...] = ()
    concept: str = ""
    icon: str = ""
    credit: tuple[str, str, str] = ("", "", "")

    @property
    def key(self) -> str:
        """Unique in the corpus."""
        return f"{self.kind}/{self.member}"


@dataclass(frozen=True)
class Corpus:
    """All items, by kind, in the order of their tables."""

    folder: Path
    items: tuple[Item, ...] = field(repr=False)

    def of(self, *kinds: Kind) -> list[Item]:
        return [item for item in self.items if item.kind in kinds]


def read_corpus(folder: Path) -> Corpus:
    """The items of the zips that the folder has; raises UsageError when it has none."""
    readers = {
        "emoji": _emoji, "emoji_flat": _emoji, "furniture": _furniture, "models": _models,
        "fbx": _fbx, "recordings": _recordings, "sounds": _sounds,
    }  # fmt: skip
    items = [
        item
        for kind in KINDS
        if (folder / f"{kind}.zip").is_file()
        for item in readers[kind](folder, kind)
    ]
    if not items:
        raise UsageError(f"no corpus in {folder}: none of {', '.join(f'{k}.zip' for k in KINDS)}")
    return Corpus(folder, tuple(items))


def files_of(kind: Kind, cache: Path) -> Path:
    """The folder that the files of one zip are unpacked into."""
    return cache / "files" / kind


def unpack(folder: Path, kind: Kind, cache: Path) -> Path:
    """The folder with the files of one zip; unpacks only what is not there yet.

    Materials and textures lie beside their models, so those readers need real folders.
    Raises UnisearchError when they cannot be written.
    """
    with zipfile.ZipFile(folder / f"{kind}.zip") as archive:
        for info, path in _not_unpacked(archive, files_of(kind, cache)):
            put(path, archive.read(info))
    return files_of(kind, cache)


def missing_bytes(folder: Path, kind: Kind, cache: Path) -> int:
    """What `unpack` would write."""
    with zipfile.ZipFile(folder / f"{kind}.zip") as archive:
        return sum(info.file_size for info, _ in _not_unpacked(archive, files_of(kind, cache)))


def _not_unpacked(archive: zipfile.ZipFile, target: Path) -> Iterator[tuple[zipfile.ZipInfo, Path]]:
    for info in archive.infolist():
        place = PurePosixPath(info.filename)
        if info.is_dir() or place.is_absolute() or ".." in place.parts:
            continue
        path = target / place
        if not path.exists() or path.stat().st_size != info.file_size:
            yield info, path


def _rows(folder: Path, kind: Kind) -> Iterator[dict[str, str]]:
    text = (folder / f"{kind}.tsv").read_text("utf-8")
    return csv.DictReader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE)


@lru_cache(maxsize=16)
def _members(folder: Path, kind: Kind) -> dict[str, str]:
    """The name in the table, without the zip's top folder, to the name in the zip."""
    with zipfile.ZipFile(folder / f"{kind}.zip") as archive:
        names = [info.filename for info in archive.infolist() if not info.is_dir()]
    short = {name.partition("/")[2]: name for name in names if "/" in name}
    return {**short, **{name: name for name in names}}


def _emoji(folder: Path, kind: Kind) -> Iterator[Item]:
    members = _members(folder, kind)
    for row in _rows(folder, kind):
        keywords = tuple(word for word in row["keywords"].split("|") if word != row["name"])
        yield Item(kind, members[row["file"]], row["name"], keywords)


def _furniture(folder: Path, kind: Kind) -> Iterator[Item]:
    members = _members(folder, kind)
    for row in _rows(folder, kind):
        credit = ("CC0", row["creator"], "")
        icon = members[row["icon"]]
        yield Item(kind, members[row["model"]], row["name"], icon=icon, credit=credit)


def _models(folder: Path, kind: Kind) -> Iterator[Item]:
    members = _members(folder, kind)
    for row in _rows(folder, kind):
        yield Item(kind, members[row["file"]], row["name"], credit=("CC0", "Quaternius", ""))


def _fbx(folder: Path, kind: Kind) -> Iterator[Item]:
    """'CargoTrain_Front.fbx' is a 'cargo train front'."""
    for short, member in _members(folder, kind).items():
        if short == member:
            stem = PurePosixPath(member).stem.replace("_", " ")
            spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", stem)
            yield Item(kind, member, re.sub(r"\d+", "", spaced).lower().strip())


def _recordings(folder: Path, kind: Kind) -> Iterator[Item]:
    members = _members(folder, kind)
    for row in _rows(folder, kind):
        credit = (row["licence"], row["author"], row["source"])
        concept = concept_of("recording", row["label"])
        yield Item(kind, members[row["file"]], row["label"], concept=concept, credit=credit)


def _sounds(folder: Path, kind: Kind) -> Iterator[Item]:
    for short, member in _members(folder, kind).items():
        if short == member and (concept := concept_of("sample", PurePosixPath(member).stem)):
            yield Item(kind, member, concept, concept=concept, credit=("CC0", "Sonic Pi", ""))


def concept_of(kind: Literal["recording", "sample"], label: str) -> str:
    """What a recording's label or a sample's file name is the sound of, or '' when unknown."""
    for pattern, concept in _label_table()[kind]:
        if fnmatch.fnmatchcase(label, pattern):
            return concept
    return ""


@lru_cache(maxsize=1)
def _label_table() -> dict[str, list[tuple[str, str]]]:
    """labels.tsv: written and checked by hand; the first pattern that fits holds."""
    text = resources.files("unisearch.training").joinpath("labels.tsv").read_text("utf-8")
    table: dict[str, list[tuple[str, str]]] = {"recording": [], "sample": []}
    for row in csv.DictReader(io.StringIO(text), delimiter="\t"):
        table[row["kind"]].append((row["label"], row["concept"]))
    return table
