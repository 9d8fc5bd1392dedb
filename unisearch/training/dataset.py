"""A folder of one's own media to measure a space on: what belongs together, and what is what.

pairs.csv or .tsv     a column for each of text, image, audio, 3d, video; what stands in a row
                      belongs together. Cells are paths in the folder, of `text` the text itself; an
                      empty cell is none. With a column `group`, all that is in rows of a group does
labels.csv or .tsv    columns `file` and `label`; a file of several labels has several rows
CLASS/FILE            without either table: each folder is a class, '_' in its name a blank
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from unisearch.errors import UsageError, display
from unisearch.media.read import is_wanted, modality_of
from unisearch.records import MODALITIES, Modality

GROUP = "group"
_DELIMITERS = {".csv": ",", ".tsv": "\t"}
#: A text in a cell may be long.
csv.field_size_limit(64 * 1024**2)


@dataclass
class Things:
    """Different things of one modality, in the order of the table.

    values: paths in the folder, or texts; groups: what each belongs to
    """

    values: list[str] = field(default_factory=list)
    groups: list[set[str]] = field(default_factory=list)
    _places: dict[str, int] = field(default_factory=dict)

    def add(self, value: str, group: str) -> None:
        """The same value in several rows is one thing of several groups."""
        if value not in self._places:
            self._places[value] = len(self.values)
            self.values.append(value)
            self.groups.append(set())
        self.groups[self._places[value]].add(group)


@dataclass
class Dataset:
    """What the folder's tables say; nothing was opened yet.

    pairs: things that belong together, by modality; within: also things of one modality
    labelled: the files of each class by modality, their labels as groups
    """

    folder: Path
    pairs: dict[Modality, Things] = field(default_factory=dict)
    within: bool = False
    labelled: dict[Modality, Things] = field(default_factory=dict)


def read_dataset(folder: Path) -> Dataset:
    """What belongs together in the folder. Raises UsageError when nothing says so."""
    if not folder.is_dir():
        raise UsageError(f"{display(folder)}: no such folder")
    found = Dataset(folder)
    pairs, labels = _table(folder, "pairs"), _table(folder, "labels")
    if pairs is not None:
        _take_pairs(found, *pairs)
    if labels is not None:
        _take_labels(found, *labels)
    if pairs is None and labels is None:
        _take_folders(found)
    return found


def _table(folder: Path, name: str) -> tuple[Path, list[dict[str, str]]] | None:
    """The table of that name, None when there is none."""
    places = [folder / f"{name}{suffix}" for suffix in _DELIMITERS]
    there = [place for place in places if place.is_file()]
    if len(there) > 1:
        raise UsageError(f"{display(folder)}: holds both {name}.csv and {name}.tsv; keep one")
    return (there[0], _rows(there[0])) if there else None


def _rows(file: Path) -> list[dict[str, str]]:
    """The rows by column, cells without blanks around them; a tab-separated table has no quotes."""
    tabs = file.suffix == ".tsv"
    style: dict[str, Any] = {"quoting": csv.QUOTE_NONE} if tabs else {}
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream, delimiter=_DELIMITERS[file.suffix], **style))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{display(file)}: cannot be read as a table: {error}") from error
    for line, row in enumerate(rows, 2):
        if None in row or None in row.values():
            raise UsageError(f"{display(file)}: row {line} has not as many cells as the first one")
    return [{name.strip(): cell.strip() for name, cell in row.items()} for row in rows]


def _columns(file: Path, rows: Sequence[dict[str, str]], known: Iterable[str]) -> list[str]:
    """The columns of a table with rows; raises UsageError for one that nobody reads."""
    if not rows:
        raise UsageError(f"{display(file)}: holds no rows below the names of its columns")
    known = list(known)
    for name in rows[0]:
        if name not in known:
            raise UsageError(f"{display(file)}: unknown column '{name}'; known: {', '.join(known)}")
    return list(rows[0])


def _take_pairs(found: Dataset, file: Path, rows: Sequence[dict[str, str]]) -> None:
    columns = _columns(file, rows, (*MODALITIES, GROUP))
    found.within = GROUP in columns
    if len(columns) < 2:
        raise UsageError(f"{display(file)}: pairs need two columns of {', '.join(MODALITIES)}")
    for number, row in enumerate(rows):
        group = row[GROUP] if found.within else str(number)
        if not group:
            raise UsageError(f"{display(file)}: row {number + 2} has no group")
        for modality in MODALITIES:
            if value := row.get(modality):
                found.pairs.setdefault(modality, Things()).add(value, group)


def _take_labels(found: Dataset, file: Path, rows: Sequence[dict[str, str]]) -> None:
    columns = _columns(file, rows, ("file", "label"))
    if set(columns) != {"file", "label"}:
        raise UsageError(f"{display(file)}: needs the columns 'file' and 'label'")
    for number, row in enumerate(rows, 2):
        if not row["file"] or not row["label"]:
            raise UsageError(f"{display(file)}: row {number} needs a file and a label")
        _label(found, row["file"], row["label"])


def _take_folders(found: Dataset) -> None:
    classes = sorted(
        place
        for place in found.folder.iterdir()
        if place.is_dir() and not place.name.startswith((".", "__"))
    )
    for place in classes:
        for file in sorted(place.rglob("*")):
            if file.is_file() and not file.name.startswith(".") and is_wanted(file):
                _label(found, str(file.relative_to(found.folder)), place.name.replace("_", " "))
    if not found.labelled:
        raise UsageError(
            f"{display(found.folder)}: says not what belongs together: it needs a table pairs.csv"
            " or labels.csv (or .tsv), or a folder of media for each class; see docs/evaluate.md"
        )


def _label(found: Dataset, file: str, label: str) -> None:
    """By what the file's name ends in; what nothing reads is listed as failed when it is opened."""
    modality = modality_of(Path(file)) or "text"
    found.labelled.setdefault(modality, Things()).add(file, label)


def by_group(things: Things) -> dict[str, list[int]]:
    """The places of the things of each group."""
    members: dict[str, list[int]] = defaultdict(list)
    for place, groups in enumerate(things.groups):
        for group in groups:
            members[group].append(place)
    return dict(members)
