"""`models pull`: the official files of a model from the hub, or from where its publisher put them.

Of a repository the hub is asked for the list of files and the commit, so that all files are of one
version; a mirror without such a list is asked for each file by its name.
"""

from __future__ import annotations

import fnmatch
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from unisearch.errors import WeightsError
from unisearch.models.convert import shards
from unisearch.models.fetch import Fetched, NotThere, fetch, read_json
from unisearch.models.install import Brought, Check, Say, check_licence, incoming, install
from unisearch.models.known import INDEX, KNOWN, Source, Wanted

HUB = "https://huggingface.co"
REVISION = "main"

#: (name of the file, bytes that are here, bytes in all or None)
Progress = Callable[[str, int, int | None], object]


@dataclass(frozen=True)
class Place:
    """A source as it is now: `listed` are the paths in it, None when the server has no list."""

    source: str
    base: str
    revision: str | None
    listed: tuple[str, ...] | None = None

    def address(self, path: str) -> str:
        """Of a file."""
        return self.base + quote(path)

    def paths(self, wanted: Wanted) -> list[str]:
        """Where the file may be, most likely first; several when its name is a pattern."""
        if self.listed is None:
            return [name for name in wanted.names if "*" not in name]
        for name in wanted.names:
            if "*" in name:
                return fnmatch.filter([path for path in self.listed if "/" not in path], name)
            ends = [path for path in self.listed if f"/{path}".endswith(f"/{name}")]
            if ends:
                return [min(ends, key=lambda path: (path.count("/"), path))]
        return []


def pull(
    name: str,
    folder: Path,
    *,
    hub: str = HUB,
    accepted: bool,
    say: Say,
    progress: Progress,
    check: Check | None = None,
) -> Path:
    """FOLDER/NAME, fetched and converted; a stopped pull goes on where it was.

    hub: address of the hub or of a mirror with its layout
    Raises WeightsError: licence not accepted, no address, not there, damaged, no weights, or
    `check` does.
    """
    known = KNOWN[name]
    if not known.sources:
        raise WeightsError(f"'{name}' ships with unisearch; there is nothing to pull")
    check_licence(name, accepted)
    for source in known.sources:
        if source.place is None:
            files = " and ".join(wanted.name for wanted in source.files)
            raise WeightsError(
                f"no lasting address of '{name}' is known: fetch its weights ({files}) from its"
                f" publisher, then `unisearch models import {name} FILE...`"
            )
    with incoming(folder, name, say) as into:
        brought = Brought(", ".join(source.place or "" for source in known.sources))
        for source in known.sources:
            _bring(source, hub, into, brought, progress)
        say(f"converting {name}")
        made = install(name, folder, brought, accepted=accepted, check=check)
        shutil.rmtree(into)
    return made


def _bring(source: Source, hub: str, into: Path, brought: Brought, progress: Progress) -> None:
    place = _look_up(source, hub)
    for wanted in source.files:
        for official, fetched, target in _fetch_wanted(place, wanted, into, progress):
            brought.files[official] = target
            brought.digests[official] = fetched.sha256
            revision = place.revision if place.listed is not None else fetched.commit
            if revision:
                brought.revision[place.source] = revision


def _look_up(source: Source, hub: str) -> Place:
    """Base address, commit and files of a source."""
    assert source.place is not None
    if "://" in source.place:
        return Place(source.place, source.place, None)
    hub = hub.rstrip("/")
    kind, repository = "models", source.place
    if repository.startswith("datasets/"):
        kind, repository = "datasets", repository.removeprefix("datasets/")
    try:
        said = read_json(f"{hub}/api/{kind}/{repository}/revision/{REVISION}")
        commit, listed = _read_list(said)
    except NotThere:
        return Place(source.place, f"{hub}/{source.place}/resolve/{REVISION}/", REVISION)
    return Place(source.place, f"{hub}/{source.place}/resolve/{commit}/", commit, listed)


def _read_list(said: Any) -> tuple[str, tuple[str, ...]]:
    try:
        return str(said["sha"]), tuple(str(one["rfilename"]) for one in said["siblings"])
    except (LookupError, TypeError) as error:
        raise WeightsError("the hub answers with a list of files that cannot be read") from error


def _fetch_wanted(
    place: Place, wanted: Wanted, into: Path, progress: Progress
) -> list[tuple[str, Fetched, Path]]:
    """(official name, what came, where it is) of one file, or of all that it stands for."""
    if any("*" in name for name in wanted.names):
        return [_fetch_path(place, path, path, into, progress) for path in place.paths(wanted)]
    for path in place.paths(wanted):
        official = _official(path, wanted)
        try:
            found = _fetch_path(place, path, official, into, progress)
        except NotThere:
            continue
        more = _fetch_shards(place, path, found, into, progress) if path.endswith(INDEX) else []
        return more or [found]
    if wanted.optional:
        return []
    names = " or ".join(wanted.names)
    raise NotThere(f"{place.base}: has no {names}; has its publisher moved it?")


def _fetch_shards(
    place: Place, path: str, index: tuple[str, Fetched, Path], into: Path, progress: Progress
) -> list[tuple[str, Fetched, Path]]:
    """The files that the index lists; it is of no use any more when they are one."""
    beside = path.rpartition("/")[0]
    names: Sequence[str] = shards(index[2])
    return [
        _fetch_path(place, f"{beside}/{name}".lstrip("/"), name, into, progress) for name in names
    ]


def _fetch_path(
    place: Place, path: str, official: str, into: Path, progress: Progress
) -> tuple[str, Fetched, Path]:
    target = into / official.replace("/", "--")
    fetched = fetch(
        place.address(path), target, lambda done, total: progress(official, done, total)
    )
    return official, fetched, target


def _official(path: str, wanted: Wanted) -> str:
    """The first official name, with the ending that was found: a .bin is another file."""
    same_end = Path(path).suffix == Path(wanted.name).suffix
    return wanted.name if same_end else Path(path).name
