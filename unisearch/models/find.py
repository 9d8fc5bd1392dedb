"""Where the weights of a model lie, and whether they are what their manifest says."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from unisearch.errors import WeightsError

MANIFEST = "manifest.json"
#: Below a folder of models: what is on its way, and locks.
INCOMING = ".incoming"
#: Says which state of the files was verified last.
STAMP = ".verified"
PACKAGE = Path(__file__).resolve().parent.parent
#: Inside an installed package, then beside the package in a checkout.
SHIPPED = (PACKAGE / "bundled" / "checkpoints", PACKAGE.parent / "checkpoints")


def find_weights(name: str, folders: Iterable[Path] = ()) -> Path:
    """The folder with the verified weights of the model `name`.

    folders: where the configuration keeps models; searched before those that ship
    Files that were verified before, and have the size, time and number that they had, are not read
    again: that would take longer than to load them. `verify` reads all.
    Raises WeightsError when there are none in any place, or when they are damaged.
    """
    place = find_folder(name, folders)
    if place is None:
        where = ", ".join(str(place) for place in _places(name, folders))
        raise WeightsError(
            f"no weights of the model '{name}' in {where}: unisearch models pull {name}"
        )
    state = _state(place)
    if state is None or _read_stamp(place) != state:
        verify(place)
        if state is not None and place.parent not in SHIPPED:
            _put_stamp(place, state)
    return place


def find_folder(name: str, folders: Iterable[Path] = ()) -> Path | None:
    """The same folder, but nothing in it is read; None when there is none."""
    return next(filter(is_model, _looked_at(name, folders)), None)


def is_model(place: Path) -> bool:
    """Whether weights lie in that folder."""
    return (place / MANIFEST).is_file()


def aside(folder: Path, name: str) -> Path:
    """Where a model in a folder of models lies for the moment until others have its name."""
    return folder / INCOMING / f"{name}.old"


def _looked_at(name: str, folders: Iterable[Path]) -> Iterator[Path]:
    """The places, in the order in which a model that is just replaced is not missed."""
    for place in _places(name, folders):
        # The old weights give their name away first: who meets neither finds the new ones then.
        yield from (place, aside(place.parent, name), place)


def mark(folder: Path) -> object:
    """Another value when other weights took the place of these; None while none are there."""
    try:
        return _state(folder)
    except WeightsError:
        return None


def marks(names: Iterable[str], folders: Sequence[Path] = ()) -> dict[str, tuple[Path, object]]:
    """Of each model that is here its folder, and the mark of that."""
    found = {name: find_folder(name, folders) for name in names}
    return {name: (place, mark(place)) for name, place in found.items() if place is not None}


def _state(folder: Path) -> dict[str, Any] | None:
    """What tells that no file has changed; None when one is not there."""
    files = read_manifest(folder)["files"]
    try:
        found = {name: (folder / name).stat() for name in files}
    except OSError:
        return None
    return {
        name: [files[name], one.st_size, one.st_mtime_ns, one.st_ino] for name, one in found.items()
    }


def _read_stamp(folder: Path) -> Any:
    try:
        return json.loads((folder / STAMP).read_text("utf-8"))
    except (OSError, ValueError):
        return None


def _put_stamp(folder: Path, state: dict[str, Any]) -> None:
    """Kept for the next time, where the folder can be written."""
    with suppress(OSError):
        new = folder / f"{STAMP}.{os.getpid()}"
        new.write_text(json.dumps(state), "utf-8")
        new.replace(folder / STAMP)


def _places(name: str, folders: Iterable[Path]) -> list[Path]:
    return [Path(folder) / name for folder in (*folders, *SHIPPED)]


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a folder of weights; raises WeightsError when it is none."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        files = manifest["files"]
        if not all(isinstance(digest, str) for digest in files.values()) or not files:
            raise ValueError("'files' names no digests")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise WeightsError(f"{folder / MANIFEST} is no manifest of weights: {error}") from error
    return dict(manifest)


def verify(folder: Path) -> None:
    """Raises WeightsError unless every file that the manifest lists has its sha256."""
    for name, expected in read_manifest(folder)["files"].items():
        found = sha256(folder / name)
        if found != expected:
            raise WeightsError(
                f"{folder / name} is damaged or of another model: "
                f"sha256 {found[:12]}, the manifest says {expected[:12]}"
            )


def sha256(path: Path) -> str:
    """Hexadecimal digest of a file; raises WeightsError when it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError(f"cannot read the weights {path}: {error.strerror}") from error
