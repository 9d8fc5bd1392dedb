"""Models into a folder of models, from the hub or from files, whole or not at all.

A model is put together in FOLDER/.incoming and gets its name in FOLDER last, so that a kill at any
instant leaves the old one, the new one, or none; never half of one.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from unisearch.errors import WeightsError, display, refused
from unisearch.models.convert import VERSION, convert
from unisearch.models.find import INCOMING, MANIFEST, aside, sha256
from unisearch.models.known import COMPANIONS, KNOWN, Known

_POLL_S = 0.2

Say = Callable[[str], object]
#: Opens what stands on the model in that folder, and raises WeightsError when it does not fit.
Check = Callable[[Path], object]


@dataclass
class Brought:
    """The files of one model, in one place.

    files: where they lie, by official name; digests: of those, as they came
    source, revision: where they are from, for the manifest
    """

    source: str
    files: dict[str, Path] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    revision: dict[str, str] = field(default_factory=dict)


def check_licence(name: str, accepted: bool) -> None:
    """Raise WeightsError when the terms of the model must be accepted first and are not."""
    licence = KNOWN[name].licence
    if licence.accept and not accepted:
        use = {False: "not for commercial use", None: "commercial use unclear"}
        allowed = f" ({use[licence.commercial]})" if licence.commercial in use else ""
        raise WeightsError(
            f"the licence of '{name}' is: {licence.text}{allowed};"
            " say --accept-licence when you accept it"
        )


@contextmanager
def incoming(folder: Path, name: str, say: Say) -> Iterator[Path]:
    """The place where the model is put together; held by one process, waited for by others."""
    place = folder / INCOMING
    try:
        place.mkdir(parents=True, exist_ok=True)
        handle = os.open(place / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise WeightsError(refused(folder, error)) from error
    try:
        _take(handle, name, say)
        _mend(folder, name)
        (place / name).mkdir(exist_ok=True)
        yield place / name
    except OSError as error:
        raise WeightsError(refused(error.filename or folder, error)) from error
    finally:
        os.close(handle)


def install(
    name: str, folder: Path, brought: Brought, *, accepted: bool, check: Check | None = None
) -> Path:
    """FOLDER/NAME with converted weights, copied companions and a manifest.

    To be called within `incoming`. Raises WeightsError; then what was there before is as it was.
    """
    new = folder / INCOMING / f"{name}.new"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    try:
        weights = {}
        for official, path in brought.files.items():
            if official.endswith(COMPANIONS):
                shutil.copyfile(path, new / Path(official).name)
            else:
                weights[official] = path
        convert(name, weights, new)
        manifest = make_manifest(name, new, brought, accepted)
        (new / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", "utf-8")
        _flush(new)
        if check is not None:
            _check(name, new, check)
        return _put_in_place(folder, name, new)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _check(name: str, new: Path, check: Check) -> None:
    """Raise WeightsError, which names files but not this place, when the network does not fit."""
    try:
        check(new)
    except WeightsError as error:
        reason = str(error).replace(f"{display(new)}{os.sep}", "")
        raise WeightsError(f"'{name}' is not installed: {reason}") from error


def make_manifest(name: str, new: Path, brought: Brought, accepted: bool) -> dict[str, Any]:
    """What models/find.py reads, whence it came, and under which terms."""
    known: Known = KNOWN[name]
    made = sorted(path.name for path in new.iterdir())
    return {
        "name": name,
        "title": known.title,
        "source": brought.source,
        "revision": brought.revision,
        "licence": known.licence.text,
        "commercial": known.licence.commercial,
        "accepted_at": _now() if known.licence.accept and accepted else None,
        "installed_at": _now(),
        "converter": VERSION,
        "official": brought.digests,
        "files": {file: sha256(new / file) for file in made},
    }


def remove(name: str, folder: Path, say: Say) -> int:
    """Deletes FOLDER/NAME and what a stopped pull has left; how many bytes that were.

    Raises WeightsError when neither is there, and for a model that ships with unisearch.
    """
    if not KNOWN[name].sources:
        raise WeightsError(f"'{name}' ships with unisearch; it stays")
    if not (folder / name).is_dir() and not (folder / INCOMING / name).is_dir():
        raise WeightsError(f"{display(folder / name)}: there is no such model to remove")
    with incoming(folder, name, say) as place:
        gone = _gone(folder, name)
        if (folder / name).is_dir():
            (folder / name).replace(gone)
        size = sum(_sizes(gone)) + sum(_sizes(place))
        shutil.rmtree(gone, ignore_errors=True)
        shutil.rmtree(place)
    return size


def _put_in_place(folder: Path, name: str, new: Path) -> Path:
    target, old = folder / name, aside(folder, name)
    if target.exists():
        target.replace(old)
    new.replace(target)
    shutil.rmtree(old, ignore_errors=True)
    return target


def _mend(folder: Path, name: str) -> None:
    """What a kill has left: between two renames the old model gets its name back."""
    old = aside(folder, name)
    if old.is_dir() and not (folder / name).exists():
        old.replace(folder / name)
    for left in (old, _gone(folder, name)):
        shutil.rmtree(left, ignore_errors=True)


def _gone(folder: Path, name: str) -> Path:
    """Where a model lies while it is deleted: unlike one that is replaced it may not be whole."""
    return folder / INCOMING / f"{name}.gone"


def _take(handle: int, name: str, say: Say) -> None:
    """The lock, gone with its process; waits while another one has it."""
    told = False
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if not told:
                say(f"another unisearch is busy with '{name}': waiting for it")
            told = True
            time.sleep(_POLL_S)


def _flush(folder: Path) -> None:
    """Bytes on the disk before the name: a power cut leaves no empty weights."""
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())


def _sizes(folder: Path) -> Iterator[int]:
    yield from (path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def official_digests(files: Mapping[str, Path]) -> dict[str, str]:
    """The sha256 of each file."""
    return {name: sha256(path) for name, path in files.items()}
