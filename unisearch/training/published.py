"""The tables that authors print beside their examples, computed again with the weights at hand.

published.json holds their figures: rows are softmax(scale · cosine) over the columns, things in the
order given. Whoever has the weights and the media sees whether he has the space that was published.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from unisearch.engine.embed import embed_files
from unisearch.errors import UnknownName, Unreadable, UsageError, display
from unisearch.factors import factors_of
from unisearch.media.pointcloud import convert
from unisearch.records import Modality, ReadOptions, TextSample
from unisearch.spaces.base import Space

Tell = Callable[[str], object]
Floats = NDArray[np.float64]

#: Sound is resampled by another package than the authors', and figures have four digits.
TOLERANCE = 0.005
#: The published code starts its farthest points anywhere, which moves its own figures as much.
TOLERANCE_3D = 0.01
#: Pictures are read in full here: a reader that shrinks them early would move the figures.
_FULL_SIDE = 1_000_000


@dataclass(frozen=True)
class Compared:
    """One printed table and ours, (things, things) each; setting: of the space, or ''."""

    setting: str
    asked: Modality
    target: Modality
    published: Floats
    ours: Floats

    @property
    def difference(self) -> float:
        """The greatest of all cells."""
        return float(np.abs(self.published - self.ours).max())

    @property
    def tolerance(self) -> float:
        """Up to which difference the spaces count as the same."""
        return TOLERANCE_3D if "3d" in (self.asked, self.target) else TOLERANCE

    @property
    def agrees(self) -> bool:
        return self.difference <= self.tolerance

    def to_json(self) -> dict[str, Any]:
        return {
            "setting": self.setting, "asked": self.asked, "target": self.target,
            "published": self.published.tolist(), "ours": self.ours.round(6).tolist(),
            "difference": self.difference, "tolerance": self.tolerance, "agrees": self.agrees,
        }  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """One source of tables: the things that it asks about, in the order of its rows and columns."""

    name: str
    source: str
    scale: float
    things: tuple[str, ...]
    texts: tuple[str, ...]
    files: dict[Modality, str]
    tables: tuple[dict[str, Any], ...]

    @property
    def spaces(self) -> list[str]:
        """The spaces that it has tables of."""
        return sorted({table["space"] for table in self.tables})


def recipes() -> dict[str, Recipe]:
    """Every recipe by its name."""
    text = resources.files("unisearch.training").joinpath("published.json").read_text("utf-8")
    return {
        name: Recipe(name, **{key: _frozen(value) for key, value in facts.items()})
        for name, facts in json.loads(text).items()
    }


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def recipe_of(name: str) -> Recipe:
    """The recipe of that name; raises UnknownName."""
    known = recipes()
    if name not in known:
        raise UnknownName("recipe", name, known)
    return known[name]


def compare(
    space: Space, recipe: Recipe, media: Path, options: ReadOptions, tell: Tell
) -> list[Compared]:
    """Each table of that space as it was printed, and as this installation computes it.

    media: a folder of the files of the README, with their names
    Raises UsageError for a space that the recipe has no table of, Unreadable for a missing file.
    """
    tables = [table for table in recipe.tables if table["space"] == space.name]
    if not tables:
        raise UsageError(
            f"the recipe '{recipe.name}' has tables of {', '.join(recipe.spaces)}, not of"
            f" '{space.name}'"
        )
    found = []
    for setting in dict.fromkeys(table.get("setting", "") for table in tables):
        chosen = [table for table in tables if table.get("setting", "") == setting]
        wanted = {cast(Modality, table[side]) for table in chosen for side in ("asked", "target")}
        tell(f"encoding the media of {recipe.name} {setting}".rstrip())
        rows = _encode(_as_set(space, setting), recipe, wanted, media, options)
        found += [_compared(table, setting, rows, recipe.scale) for table in chosen]
    return found


def _as_set(space: Space, setting: str) -> Space:
    """The space, with the factors of a preset where one is named; nothing is loaded again."""
    return space.turned(factors_of(setting)) if setting else space


def _compared(
    table: dict[str, Any], setting: str, rows: dict[Modality, Floats], scale: float
) -> Compared:
    asked, target = table["asked"], table["target"]
    ours = softmax(scale * rows[asked] @ rows[target].T)
    return Compared(setting, asked, target, np.array(table["values"]), ours)


def softmax(scores: Floats) -> Floats:
    """Shares along each row, which sum to 1."""
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: Floats = raised / raised.sum(axis=1, keepdims=True)
    return shares


def _encode(
    space: Space, recipe: Recipe, wanted: Iterable[Modality], media: Path, options: ReadOptions
) -> dict[Modality, Floats]:
    """Unit rows (things, dim) of each modality, in the order of the recipe."""
    full = replace(options, image_min_side=_FULL_SIDE)
    rows: dict[Modality, Floats] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for modality in sorted(wanted):
            if modality == "text":
                found = space.encode([TextSample(text) for text in recipe.texts])
            else:
                names = [recipe.files[modality].format(thing) for thing in recipe.things]
                paths = [_plain(media / name, Path(scratch)) for name in names]
                found, told = embed_files(space, paths, full)
                for path, row in zip(paths, told, strict=True):
                    if row.error:
                        raise UsageError(f"{display(path)}: {row.error}; {recipe.name} needs it")
            rows[modality] = found.astype(np.float64)
    return rows


def _plain(path: Path, scratch: Path) -> Path:
    """The file itself; of a pickled cloud, which nothing else reads, its points in a PLY file."""
    if path.suffix != ".npy" or not path.is_file():
        return path
    target = scratch / f"{path.stem}.ply"
    try:
        convert(path, target)
    except Unreadable:  # a cloud of plain numbers
        return path
    return target
