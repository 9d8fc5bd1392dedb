"""What became of each file since the library last saw it."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import xxhash

from indexer.places import has_left
from indexer.report import Failure, Outcome
from indexer.scan import Found, Scan, stat_of
from unisearch.catalog.rows import FailureRow, ItemRow, KnownFile, Stat
from unisearch.catalog.view import View
from unisearch.errors import FailureKind, Unreadable
from unisearch.media import formats
from unisearch.media.files import checked_size, guarded
from unisearch.media.read import is_wanted, modality_of
from unisearch.records import GRID_VERSION, Modality

logger = logging.getLogger(__name__)

_CHUNK = 1 << 20
_BYTES_OF_DIGEST = 16  # xxh3_128


@dataclass
class Survey:
    """The files of one place, beside what the library knows of them.

    place: where; covers: whether a file at a path there would have been seen
    look: files that are new or were touched; gone: items by path that are not there any more
    stale: failures whose file is gone
    away: items that are out of reach; beside: texts that may say what another file shows
    """

    place: bytes = b""

    unchanged: int = 0
    ignored: int = 0
    left_out: int = 0
    look: list[Found] = field(default_factory=list)
    known: dict[bytes, KnownFile] = field(default_factory=dict)
    gone: dict[bytes, int] = field(default_factory=dict)
    stale: list[bytes] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    away: set[bytes] = field(default_factory=set)
    beside: Mapping[bytes, Found] = field(default_factory=dict)
    covers: Callable[[bytes], bool] = bool


def survey(scan: Scan, view: View, retry: bool = False, thorough: bool = False) -> Survey:
    """Compare the files of a place with the catalogue by what the file system says of them.

    retry: look at unchanged files that failed again
    thorough: look also at files that seem unchanged to a file system that cannot tell for sure
    """
    found = Survey(scan.place, covers=scan.covers)
    known = view.known_files(scan.place)
    failures = {failure.path: failure for failure in view.failures(scan.place)}
    for file in scan:
        before = known.pop(file.path, None)
        failure = failures.pop(file.path, None)
        if failure and file.seems(failure.stat) and not retry:
            found.failed.append(_still(failure))
        elif (
            before
            and before.content is not None
            and file.seems(before.stat)
            and (file.firm or not thorough)
        ):
            found.unchanged += 1
        elif before or file.path == scan.place or is_wanted(_as_path(file.path)):
            found.look.append(file)
            if before:
                found.known[file.path] = before
        else:
            found.ignored += 1
    gone = {path: file for path, file in known.items() if scan.covers(path)}
    found.beside = scan.beside
    away = unmounted({path: file.stat for path, file in gone.items()})
    found.gone = {path: file.item for path, file in gone.items() if path not in away}
    found.away = set(away)
    found.failed += [_away(folder) for folder in sorted(set(away.values()))]
    found.stale = [path for path in failures if scan.covers(path)]
    found.failed += unlisted(scan)
    found.left_out = scan.left_out
    return found


def unmounted(gone: Mapping[bytes, Stat]) -> dict[bytes, bytes]:
    """Files that are not deleted but out of reach, each with the empty folder in their way.

    Where a drive was, there is an empty folder on another device than the files were on.
    """
    folders: dict[bytes, tuple[bytes, int] | None] = {}
    away = {}
    for path, before in gone.items():
        parent = os.path.dirname(path)  # noqa: PTH120 (bytes)
        if parent not in folders:
            folders[parent] = _empty_folder_above(parent)
        if (empty := folders[parent]) and empty[1] != before.device:
            away[path] = empty[0]
    return away


def _empty_folder_above(folder: bytes) -> tuple[bytes, int] | None:
    """(nearest folder that is there, its device) when that folder is empty."""
    while folder != os.path.dirname(folder):  # noqa: PTH120 (bytes)
        try:
            with os.scandir(folder) as entries:
                empty = next(entries, None) is None
            return (folder, stat_of(os.stat(folder)).device) if empty else None  # noqa: PTH116
        except (FileNotFoundError, NotADirectoryError):
            folder = os.path.dirname(folder)  # noqa: PTH120 (bytes)
        except OSError:
            return None
    return None


@dataclass(frozen=True)
class Finding:
    """What one file turned out to be.

    moved: it is that item, which lay elsewhere
    same: its item only was touched
    known: its content, of that id, is in the library; otherwise `digest` is new
    item: the known item that it is; for another content one whose new name is read otherwise
    """

    kind: Literal["moved", "same", "known", "new"]
    item: int | None = None
    content: int | None = None
    digest: bytes = b""


def look_at(
    file: Found,
    before: KnownFile | None,
    view: View,
    claimed: set[int],
    max_bytes: int,
    digest: bytes = b"",
) -> Finding:
    """Find out what the file is, reading it only where the file system leaves a doubt.

    before: the item at that path; claimed: items that are taken for other files already
    digest: of the file as it is found here, where that is known
    Raises Unreadable.
    """
    if before is None and file.firm and (twin := _renamed(file, view, claimed)):
        return Finding("moved", item=twin.id)
    checked_size(_as_path(file.path), max_bytes)
    digest = digest or digest_of(file.path, file.stat.size_bytes)
    content = view.content_of(digest, file.stat.size_bytes, GRID_VERSION)
    if before is not None:
        if content is not None and before.content == content:
            return Finding("same", item=before.item, digest=digest)
        return Finding("new" if content is None else "known", content=content, digest=digest)
    if content is not None and (twin := _vanished(view.items_of(content), file, claimed)):
        return Finding("moved", item=twin.id)
    twin = _vanished(view.items_with_digest(digest[:_BYTES_OF_DIGEST]), file, claimed)
    item = twin.id if twin else None
    return Finding("new" if content is None else "known", item, content, digest)


def digest_of(path: bytes, size_bytes: int) -> bytes:
    """xxh3_128 of the file's bytes, then how its suffix has them read.

    Raises Unreadable, also for a file that has grown beyond the size that it had when it was
    found: one that is being written might be followed without an end.
    A picture under a sound's name is no copy of the picture, and a text that became Markdown has
    other passages: each is another content.
    """
    digest, left = xxhash.xxh3_128(), size_bytes
    with guarded(_as_path(path), "file"), open(path, "rb") as file:  # noqa: PTH123 (bytes)
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            left -= len(chunk)
            if left < 0:
                raise Unreadable(path, "vanished", "it changed while it was read; run again")
    return digest.digest() + _read_as(path)


def _renamed(file: Found, view: View, claimed: set[int]) -> ItemRow | None:
    """The item that is this very file, untouched, under a path where nothing is any more.

    Holds for all files below a folder that was moved: only the folder itself was touched.
    """
    twins = [
        item
        for item in view.items_with_inode(file.stat.inode)
        if item.stat.same_file(file.stat) and _read_as(item.path) == _read_as(file.path)
    ]
    here = [item for item in twins if item.stat.device == file.stat.device]
    return _first_gone(here, file, claimed) or _vanished(twins, file, claimed)


def _vanished(items: list[ItemRow], file: Found, claimed: set[int]) -> ItemRow | None:
    """The first of them whose file left a root that is in reach.

    What lies on a drive that is unplugged is not gone: a file of the same content is a copy.
    """
    return _first_gone([item for item in items if in_reach(item)], file, claimed)


def in_reach(item: ItemRow) -> bool:
    """Whether its file would be seen if it were there."""
    present = os.path.isdir(item.root_path)  # noqa: PTH112 (bytes)
    return present and not unmounted({item.path: item.stat})


def _first_gone(items: list[ItemRow], file: Found, claimed: set[int]) -> ItemRow | None:
    # Among copies the very file, else the one of that name.
    own = sorted(
        items, key=lambda item: (item.stat.inode != file.stat.inode, not _namesakes(item, file))
    )
    for item in own:
        known = item.id not in claimed and item.content is not None
        if known and has_left(item.path, file.path):
            return item
    return None


def _namesakes(item: ItemRow, file: Found) -> bool:
    return os.path.basename(item.path) == os.path.basename(file.path)  # noqa: PTH119 (bytes)


def _still(failure: FailureRow) -> Failure:
    return Failure(failure.path, failure.kind, failure.message, known=True)


def unlisted(scan: Scan) -> list[Failure]:
    """What the system did not show, after the walk."""
    return [_unlisted(place, error) for place, error in scan.unlisted.items()]


def _unlisted(place: bytes, error: OSError) -> Failure:
    kinds: dict[int | None, FailureKind] = {
        errno.EACCES: "permission",
        errno.EPERM: "permission",
        errno.ENOENT: "vanished",
        errno.ENOTDIR: "vanished",
        errno.ENAMETOOLONG: "unsupported",
    }
    return Failure(place, kinds.get(error.errno, "crash"), f"cannot be looked at: {error.strerror}")


def _away(folder: bytes) -> Failure:
    message = (
        "empty, and on another device than its files were: is a drive not mounted? "
        "They stay in the library; 'unisearch forget' drops them"
    )
    return Failure(folder, "vanished", message)


def _as_path(path: bytes) -> Path:
    return Path(os.fsdecode(path))


def _read_as(path: bytes) -> bytes:
    return os.fsencode(formats.read_as(_as_path(path).suffix))


def modality_at(path: bytes) -> Modality | None:
    """The modality that the file's suffix stands for."""
    return modality_of(_as_path(path))


def kind_of(file: Found) -> str:
    """The name under which progress counts the file."""
    return modality_at(file.path) or "other"


def outcome_of(found: Finding, before: KnownFile | None) -> Outcome:
    """How the report counts what was found."""
    if found.kind == "moved":
        return "moved"
    if found.kind == "same":
        return "unchanged"
    return "added" if before is None and found.item is None else "updated"
