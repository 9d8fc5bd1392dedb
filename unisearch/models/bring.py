"""`models import`: the official files of a model, from where the user has put them."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from pathlib import Path

from unisearch.errors import WeightsError, display
from unisearch.models.convert import shards
from unisearch.models.install import (
    Brought,
    Check,
    Say,
    check_licence,
    incoming,
    install,
    official_digests,
)
from unisearch.models.known import COMPANIONS, INDEX, KNOWN, Wanted


def bring(
    name: str,
    folder: Path,
    given: Sequence[Path],
    *,
    accepted: bool,
    say: Say,
    check: Check | None = None,
) -> Path:
    """FOLDER/NAME from files, and folders of files; connects to nothing, changes none of them.

    Raises WeightsError: a file that lacks, one that is of no use, what conversion or `check` finds.
    """
    known = KNOWN[name]
    if not known.sources:
        raise WeightsError(f"'{name}' ships with unisearch; there is nothing to import")
    check_licence(name, accepted)
    files = assign(name, known.files, given, say)
    where = ", ".join(dict.fromkeys(display(path.absolute()) for path in given))
    brought = Brought(f"imported from {where}", files, official_digests(files))
    with incoming(folder, name, say):
        say(f"converting {name}")
        return install(name, folder, brought, accepted=accepted, check=check)


def assign(name: str, wanted: Sequence[Wanted], given: Sequence[Path], say: Say) -> dict[str, Path]:
    """Which of the given files is which official one, by name; a single one also without.

    Raises WeightsError for a file that lacks, and for one that was named and has no place.
    """
    named, found = _files(given)
    assigned: dict[str, Path] = {}
    lacking: list[Wanted] = []
    for one in wanted:
        matches = _matches(one, [*named, *found])
        if not matches and not one.optional:
            lacking.append(one)
        for official, path in matches:
            assigned |= _with_shards(official, path)
    rest = [path for path in named if path not in assigned.values()]
    weights = [path for path in rest if not path.name.endswith(COMPANIONS)]
    open_names = [one for one in lacking if not one.name.endswith(COMPANIONS)]
    if len(weights) == 1 and len(open_names) == 1:
        [path], [one] = weights, open_names
        say(f"{display(path)} is taken for {one.name}; its tensors will tell")
        assigned[one.name] = path
        lacking.remove(one)
        rest.remove(path)
    if lacking:
        raise WeightsError(_lacks(name, lacking, weights))
    if rest:
        raise WeightsError(
            f"{display(rest[0])}: is no file of '{name}', which has"
            f" {', '.join(one.name for one in wanted)}"
        )
    return assigned


def _files(given: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """The files that were named, and those in folders that were named."""
    named: list[Path] = []
    found: list[Path] = []
    for path in given:
        if path.is_dir():
            found += sorted(inner for inner in path.rglob("*") if inner.is_file())
        elif path.is_file():
            named.append(path)
        else:
            raise WeightsError(f"{display(path)}: there is no such file")
    return named, found


def _matches(wanted: Wanted, paths: Sequence[Path]) -> list[tuple[str, Path]]:
    """(official name, file) of the first that fits; of all, where the name is a pattern."""
    for name in wanted.names:
        if "*" in name:
            return [(path.name, path) for path in paths if fnmatch.fnmatch(path.name, name)]
        ends = Path(name).parts
        fits = [path for path in paths if path.absolute().parts[-len(ends) :] == ends]
        if fits:
            best = min(fits, key=lambda path: len(path.parts))
            same = Path(name).suffix == Path(wanted.name).suffix
            return [(wanted.name if same else name, best)]
    return []


def _with_shards(official: str, path: Path) -> dict[str, Path]:
    if not official.endswith(INDEX):
        return {official: path}
    files = {name: path.parent / name for name in shards(path)}
    for file in files.values():
        if not file.is_file():
            raise WeightsError(f"{display(file)}: is not there, and {display(path)} lists it")
    return files


def _lacks(name: str, lacking: Sequence[Wanted], weights: Sequence[Path]) -> str:
    names = ", ".join(" or ".join(one.names) for one in lacking)
    hint = "; give their folder, or each file under its official name"
    if weights and len(lacking) > 1:
        hint = (
            f"; {display(weights[0])} could be any of them, for their tensors have the same names:"
            " give each file its official name"
        )
    sources = {
        source.place
        for source in KNOWN[name].sources
        if source.place and any(one in source.files for one in lacking)
    }
    where = f" (of {', '.join(sorted(sources))})" if sources else ""
    return f"'{name}' lacks {names}{where}{hint}"
