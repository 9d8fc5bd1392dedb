"""Measures a space on a folder of one's own: do things find what belongs to them, by vectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unisearch.engine.embed import embed_files
from unisearch.errors import UsageError, display
from unisearch.records import Modality, ReadOptions, TextSample
from unisearch.spaces.base import Space
from unisearch.training import metrics
from unisearch.training.dataset import Dataset, Things, by_group, read_dataset
from unisearch.training.evaluate import Row, row_of

Floats = NDArray[np.float32]
Tell = Callable[[str], object]

#: What a class is called in a sentence, one of those of CLIP (arXiv 2103.00020, section 3.1.4),
#: LAION-CLAP (arXiv 2211.06687) and ULIP (arXiv 2212.05171).
TEMPLATES: Mapping[Modality, str] = {
    "image": "a photo of a {}.",
    "audio": "This is a sound of {}.",
    "3d": "a point cloud model of {}.",
    "video": "a video of {}.",
    "text": "{}",
}
#: Files or texts between two lines of progress; queries that are ranked at a time.
CHUNK = 500


@dataclass(frozen=True)
class ZeroShot:
    """Files of one modality, each given the nearest name of a class. All figures are shares.

    per_class: top_1 of each class, averaged over the classes; precision: mean average precision of
    the classes, each one a query for its files
    """

    modality: Modality
    files: int
    classes: int
    templates: tuple[str, ...]
    top_1: float
    top_5: float
    per_class: float
    precision: float


@dataclass
class Measured:
    """What was measured on a folder.

    failed: (path, why) of files that could not be read, which nothing counts
    skipped: how many things of modalities that the space does not have were left out
    """

    space: str
    rows: list[Row] = field(default_factory=list)
    zero_shot: list[ZeroShot] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    skipped: dict[Modality, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "space": self.space,
            "pairs": [asdict(row) for row in self.rows],
            "zero_shot": [asdict(one) for one in self.zero_shot],
            "failed": [{"path": path, "message": why} for path, why in self.failed],
            "skipped": dict(self.skipped),
        }


@dataclass(frozen=True)
class _Encoded:
    """Things that could be read, and their unit rows (n, dim)."""

    things: Things
    rows: Floats


def measure_folder(
    space: Space,
    folder: Path,
    options: ReadOptions,
    *,
    templates: Sequence[str] = (),
    tell: Tell,
) -> Measured:
    """Retrieval for each pair of modalities of its pairs, zero-shot accuracy for its labels.

    templates: sentences with '{}' for the name of a class, else TEMPLATES; vectors are averaged
    Raises UsageError for a folder without tables or classes, and when nothing of it can be read.
    """
    for template in templates:
        if "{}" not in template:
            raise UsageError(f"--template '{template}': has no {{}} for the name of a class")
    dataset = read_dataset(folder)
    found = Measured(space.id)
    pairs = _encode(space, dataset, dataset.pairs, options, found, tell)
    for asked, target in product(pairs, repeat=2):
        if asked != target or dataset.within:
            row = _row(asked, target, pairs)
            found.rows += [row] if row else []
    labelled = _encode(space, dataset, dataset.labelled, options, found, tell)
    for modality, encoded in labelled.items():
        wanted = tuple(templates) or (TEMPLATES[modality],)
        found.zero_shot += _zero_shot(space, modality, encoded, wanted)
    if not found.rows and not found.zero_shot:
        raise UsageError(f"{display(folder)}: {_nothing(space, found)}")
    return found


def _nothing(space: Space, found: Measured) -> str:
    if found.failed:
        return f"none of its pairs can be read; the first failure: {': '.join(found.failed[0])}"
    return f"nothing in it belongs together that the space '{space.name}' can compare"


def _encode(
    space: Space,
    dataset: Dataset,
    tables: Mapping[Modality, Things],
    options: ReadOptions,
    found: Measured,
    tell: Tell,
) -> dict[Modality, _Encoded]:
    """The things of each modality that the space has; failures and the rest go into `found`."""
    encoded = {}
    for modality, things in tables.items():
        if modality not in space.modalities:
            found.skipped[modality] = found.skipped.get(modality, 0) + len(things.values)
            continue
        parts = []
        for start in range(0, len(things.values), CHUNK):
            tell(f"encoding {modality}: {start:,} of {len(things.values):,}")
            chunk = things.values[start : start + CHUNK]
            if modality == "text" and tables is dataset.pairs:
                parts.append(space.encode([TextSample(text) for text in chunk]))
            else:
                parts.append(_files(space, dataset.folder, chunk, modality, options, found))
        encoded[modality] = _readable(things, np.concatenate(parts))
    return encoded


def _files(
    space: Space,
    folder: Path,
    names: Sequence[str],
    modality: Modality,
    options: ReadOptions,
    found: Measured,
) -> Floats:
    """Rows (n, dim) of files, NaN where a file cannot be read or is of another modality."""
    vectors, rows = embed_files(space, [folder / name for name in names], options)
    for place, row in enumerate(rows):
        why = row.error
        if why is None and row.modality != modality:
            why = f"holds {row.modality}, where {modality} is wanted"
        if why is not None:
            vectors[place] = np.nan
            found.failed.append((row.path, why))
    return vectors


def _readable(things: Things, rows: Floats) -> _Encoded:
    kept = Things()
    there = ~np.isnan(rows[:, 0])
    for value, groups, use in zip(things.values, things.groups, there, strict=True):
        for group in groups if use else ():
            kept.add(value, group)
    return _Encoded(kept, rows[there])


def _row(asked: Modality, target: Modality, pairs: Mapping[Modality, _Encoded]) -> Row | None:
    """The figures of one pair; a thing without a right answer is no query."""
    queries, gallery, same = pairs[asked], pairs[target], asked == target
    answers = _answers(queries.things, gallery.things, same)
    places = [place for place, right in enumerate(answers) if right]
    if not places:
        return None
    parts = []
    for start in range(0, len(places), CHUNK):
        block = places[start : start + CHUNK]
        right = np.zeros((len(block), len(gallery.rows)), bool)
        itself = np.zeros_like(right)
        for line, place in enumerate(block):
            right[line, list(answers[place])] = True
            itself[line, place : place + same] = True
        parts.append(metrics.rank(queries.rows[block] @ gallery.rows.T, right, itself))
    counts = [len(answers[place]) for place in places]
    size = len(gallery.rows) - same
    return row_of(f"{asked} → {target}", metrics.joined(parts), counts, [size] * len(counts))


def _answers(queries: Things, gallery: Things, same: bool) -> list[set[int]]:
    """Of each query the places of what it shares a group with, itself left out."""
    members = by_group(gallery)
    answers = [
        {place for group in groups for place in members.get(group, ())} for groups in queries.groups
    ]
    return [places - {own} for own, places in enumerate(answers)] if same else answers


def _zero_shot(
    space: Space, modality: Modality, files: _Encoded, templates: tuple[str, ...]
) -> list[ZeroShot]:
    """One measurement, none when there are no two classes or the space reads no texts."""
    classes = sorted(by_group(files.things))
    if len(classes) < 2 or "text" not in space.modalities:
        return []
    scores = files.rows @ named(space, classes, templates).T
    right = np.array([[name in groups for name in classes] for groups in files.things.groups])
    first = metrics.rank(scores, right).first
    each = [float((first[of_class] == 1).mean()) for of_class in right.T]
    return [
        ZeroShot(
            modality,
            len(first),
            len(classes),
            templates,
            float((first == 1).mean()),
            float((first <= 5).mean()),
            float(np.mean(each)),
            metrics.rank(scores.T, right.T).mean_precision,
        )
    ]


def named(space: Space, classes: Sequence[str], templates: Sequence[str]) -> Floats:
    """Unit rows (classes, dim): the middle of the vectors of all sentences about a class."""
    texts = [TextSample(template.replace("{}", name)) for name in classes for template in templates]
    rows = space.encode(texts).reshape(len(classes), len(templates), -1).mean(axis=1)
    scaled: Floats = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return scaled
